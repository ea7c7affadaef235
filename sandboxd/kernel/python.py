"""Starts ipykernel for sandboxd: python3 python.py CONNECTION_FILE.

What only a terminal or a debugger needs is not loaded, which is a third of the time that a start takes. A run is kept
from waiting where nothing is to be waited for, which is half of the time that a short one takes.
"""

import gc
import sys
import types

# What is made while modules are loaded stays: looking for garbage among it is a twentieth of the start.
gc.disable()

# The folder of this file is no place to import modules from; the working folder is.
sys.path[0] = ""

# prompt_toolkit comes in through this module alone; jedi completes what is typed; debugpy serves a debugger.
embed = types.ModuleType("IPython.terminal.embed")
embed.embed = embed.InteractiveShellEmbed = None
sys.modules[embed.__name__] = embed
UNUSED = ("jedi", "debugpy")
for name in UNUSED:
    sys.modules[name] = None

from ipykernel.iostream import OutStream  # noqa: E402
from ipykernel.kernelapp import IPKernelApp  # noqa: E402

flush_all = OutStream.flush


def flush(stream):
    """Flushes what there is. ipykernel's own asks its other thread each time, and does so four times in a run."""
    if stream._flush_pending or stream._subprocess_flush_pending or not stream._is_master_process():
        flush_all(stream)


OutStream.flush = flush

app = IPKernelApp.instance()
app.initialize(
    [
        f"--IPKernelApp.connection_file={sys.argv[1]}",
        "--HistoryManager.enabled=False",
        "--InteractiveShell.colors=NoColor",
        "--Application.log_level=40",
        # The reply may overtake the last output: sandboxd waits for what is published after both.
        "--IPythonKernel._execute_sleep=0",
    ]
)


async def nothing():
    """Messages on the control socket wait for nobody: sandboxd sends none to this kernel."""


# Asked before each run, through another thread. And the code need not be told back to whoever sent it.
app.kernel._flush_control_queue = nothing
app.kernel._publish_execute_input = lambda *_: None
for name in UNUSED:
    del sys.modules[name]
del sys.modules[embed.__name__]
sys.argv = [""]
gc.freeze()
gc.enable()
app.start()
