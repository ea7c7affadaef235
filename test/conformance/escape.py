"""Tries what leads out of a sandbox, or into the machine's kernel, and prints the name of each attempt that succeeds."""
import ctypes
import os
import platform
import socket
import sys

libc = ctypes.CDLL(None, use_errno=True)
X86 = platform.machine() == "x86_64"
NUMBERS = {  # x86_64, and the generic table that arm64 has
    "pivot_root": (155, 41), "init_module": (175, 105), "finit_module": (313, 273), "kexec_load": (246, 104),
    "bpf": (321, 280), "perf_event_open": (298, 241), "keyctl": (250, 219), "add_key": (248, 217),
    "request_key": (249, 218), "open_by_handle_at": (304, 265), "userfaultfd": (323, 282), "acct": (163, 89),
    "quotactl": (179, 60), "fsopen": (430, 430), "open_tree": (428, 428), "move_mount": (429, 429),
    "mount_setattr": (442, 442), "swapon": (167, 224), "lookup_dcookie": (212, 18), "nfsservctl": (180, 42),
    "settimeofday": (164, 170), "setdomainname": (171, 162), "vhangup": (153, 58), "syslog": (103, 116),
    "pidfd_getfd": (438, 438), "kcmp": (312, 272), "clone": (56, 220), "clone3": (435, 435),
}
succeeded = []


def attempt(name, action):
    """What raises, or gives -1, has failed."""
    try:
        if action() != -1:
            succeeded.append(name)
    except OSError:
        pass


def call(name, *arguments):
    number = NUMBERS[name][0 if X86 else 1]
    return libc.syscall(number, *(ctypes.c_long(a) if isinstance(a, int) else a for a in arguments))


def write(path, text=b"0"):
    # Not made where it is missing: root may have files of its own, anywhere.
    file = os.open(path, os.O_WRONLY)
    try:
        os.write(file, text)
    finally:
        os.close(file)


def namespace(flag):
    """A child that exits at once, should there be one."""
    child = call("clone", flag | 17, 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    return child


# Mounts
for kind in (b"tmpfs", b"proc", b"sysfs", b"overlay", b"cgroup", b"cgroup2", b"devtmpfs", b"ext4", b"fuse"):
    attempt(f"mount {kind.decode()}", lambda: libc.mount(b"none", b"/mnt", kind, 0, None))
attempt("mount --bind", lambda: libc.mount(b"/", b"/mnt", None, 4096, None))
attempt("remount /sys", lambda: libc.mount(b"none", b"/sys", None, 32, None))
for path in (b"/proc", b"/sys", b"/proc/kcore", b"/sys/firmware", b"/sys/fs/cgroup"):
    attempt(f"umount {path.decode()}", lambda: libc.umount2(path, 2))
for name in ("pivot_root", "fsopen", "open_tree", "move_mount", "mount_setattr", "swapon"):
    attempt(name, lambda: call(name, 0, b"", 0, b"", 0))
attempt("chroot", lambda: libc.chroot(b"/"))
attempt("open_by_handle_at", lambda: call("open_by_handle_at", 3, ctypes.create_string_buffer(64), 0))

# Namespaces
for name, flag in dict(mount=0x20000, user=0x10000000, pid=0x20000000, net=0x40000000, ipc=0x8000000,
                       uts=0x4000000, cgroup=0x2000000).items():
    attempt(f"unshare {name}", lambda: libc.unshare(flag))
    attempt(f"clone {name}", lambda: namespace(flag))
for name in os.listdir("/proc/1/ns"):
    attempt(f"setns {name}", lambda: libc.setns(os.open(f"/proc/1/ns/{name}", os.O_RDONLY), 0))
attempt("clone3", lambda: call("clone3", ctypes.create_string_buffer(88), 88))

# The kernel
for name in ("init_module", "finit_module", "kexec_load", "bpf", "perf_event_open", "userfaultfd", "acct", "quotactl",
             "lookup_dcookie", "nfsservctl", "settimeofday", "setdomainname", "vhangup"):
    attempt(name, lambda: call(name, 0, 0, 0, 0, 0))
attempt("sethostname", lambda: libc.sethostname(b"other", 5))
attempt("clock_settime", lambda: libc.clock_settime(0, (ctypes.c_long * 2)(0, 0)))
attempt("syslog", lambda: call("syslog", 3, ctypes.create_string_buffer(64), 64))
if X86:
    attempt("iopl", lambda: libc.iopl(3))
    attempt("ioperm", lambda: libc.ioperm(0, 8, 1))

# Keyrings
attempt("keyctl", lambda: call("keyctl", 0, -3, 1))
attempt("add_key", lambda: call("add_key", b"user", b"name", b"value", 5, -4))
attempt("request_key", lambda: call("request_key", b"user", b"name", None, -4))

# Files of the kernel
for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/hostname",
             "/proc/sys/kernel/randomize_va_space", "/proc/sys/vm/overcommit_memory", "/proc/sys/fs/file-max",
             "/proc/sys/fs/binfmt_misc/register", "/proc/sys/net/ipv4/ip_forward", "/proc/sysrq-trigger",
             "/proc/irq/default_smp_affinity", "/proc/kcore", "/proc/kmem", "/proc/1/uid_map",
             "/sys/kernel/uevent_helper", "/sys/kernel/mm/ksm/run", "/sys/power/state", "/sys/module/loop/parameters/max_loop",
             "/dev/mem", "/dev/kmsg", "/dev/port", "/dev/fuse", "/dev/loop-control", "/dev/kvm", "/dev/net/tun"):
    attempt(f"write {path}", lambda: write(path))
for top in ("/sys", "/proc/sys"):
    for folder, _, files in os.walk(top):
        for file in files:
            path = os.path.join(folder, file)
            if not os.path.islink(path) and os.access(path, os.W_OK):
                attempt(f"open for writing {path}", lambda: os.close(os.open(path, os.O_WRONLY)))
score = int(open("/proc/self/oom_score_adj").read())
attempt("lower oom_score_adj", lambda: write("/proc/self/oom_score_adj", b"%d" % (score - 1001)))

# Devices
for name, kind, major, minor in (("disk", 0o60000, 254, 0), ("loop", 0o60000, 7, 0), ("mem", 0o20000, 1, 1),
                                 ("fuse", 0o20000, 10, 229)):
    attempt(f"mknod {name}", lambda: os.mknod(f"/tmp/device-{name}", kind | 0o600, os.makedev(major, minor)))

# Network
for name, family, kind, protocol in (("raw", socket.AF_INET, socket.SOCK_RAW, 1), ("raw6", socket.AF_INET6, socket.SOCK_RAW, 58),
                                     ("packet", socket.AF_PACKET, socket.SOCK_RAW, 3)):
    attempt(f"socket {name}", lambda: socket.socket(family, kind, protocol).close())

# Other processes
for pid in (int(name) for name in os.listdir("/proc") if name.isdigit() and os.stat(f"/proc/{name}").st_uid not in (os.getuid(),)):
    attempt(f"ptrace {pid}", lambda: libc.ptrace(16, pid, 0, 0))

print("\n".join(succeeded))
sys.exit(len(succeeded) > 0)
