"""Starts ipykernel for sandboxd: python3 python.py CONNECTION_FILE.

What only a terminal or a debugger needs is not loaded, which is a third of the time that a start takes.
"""

import sys
import types

# The folder of this file is no place to import modules from; the working folder is.
sys.path[0] = ""

# prompt_toolkit comes in through this module alone; jedi completes what is typed; debugpy serves a debugger.
embed = types.ModuleType("IPython.terminal.embed")
embed.embed = embed.InteractiveShellEmbed = None
sys.modules[embed.__name__] = embed
UNUSED = ("jedi", "debugpy")
for name in UNUSED:
    sys.modules[name] = None

from ipykernel.kernelapp import IPKernelApp  # noqa: E402

app = IPKernelApp.instance()
app.initialize(
    [
        f"--IPKernelApp.connection_file={sys.argv[1]}",
        "--HistoryManager.enabled=False",
        "--InteractiveShell.colors=NoColor",
        "--Application.log_level=40",
    ]
)
for name in UNUSED:
    del sys.modules[name]
del sys.modules[embed.__name__]
sys.argv = [""]
app.start()
