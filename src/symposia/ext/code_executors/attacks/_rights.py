"""Attempts to get more rights, or to reach the kernel where it is weak."""

from __future__ import annotations

from symposia.ext.code_executors.attacks._target import Attack, prints_nothing

_PRIORITY = """
import os
for policy in (os.SCHED_FIFO, os.SCHED_RR):
    try:
        os.sched_setscheduler(0, policy, os.sched_param(1)); print("real time", policy)
    except OSError: pass
try:
    os.nice(-1); print("nicer")
except OSError: pass
"""
_KERNEL = """
import ctypes, platform
libc, numbers = ctypes.CDLL(None, use_errno=True), {
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "chroot": (161, 51), "ptrace": (101, 117),
    "bpf": (321, 280), "io_uring_setup": (425, 425), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "keyctl": (250, 219), "add_key": (248, 217), "open_by_handle_at": (304, 265), "pidfd_getfd": (438, 438),
    "process_vm_readv": (310, 270), "memfd_create": (319, 279), "shmget": (29, 194), "init_module": (175, 105),
    "kexec_load": (246, 104), "personality": (135, 92), "clone3": (435, 435), "move_mount": (429, 429),
}
column = 0 if platform.machine() == "x86_64" else 1
for name, number in numbers.items():
    ctypes.set_errno(0)
    if libc.syscall(number[column], 0, 0, 0, 0, 0) != -1 or ctypes.get_errno() not in (1, 38): print(name)
"""
_FAMILIES = """
import socket
for family in range(2, 46):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            socket.socket(family, kind); print("family", family)
        except OSError: pass
"""
_SECRETS = """
import os
for path in ("/etc/shadow", "/proc/1/environ", "/proc/1/mem", "/proc/1/maps", "/root/.bashrc", "/proc/kcore",
             "/dev/mem", "/dev/kmsg", "/proc/1/root/etc/passwd", "/sys/firmware/dmi/tables/DMI"):
    try:
        open(path, "rb").read(1); print(path)
    except OSError: pass
if os.getuid() == 0: print("root")
print(*(name for name in os.environ if "KEY" in name or "TOKEN" in name), end="")
"""
_SETTINGS = """
import os
for folder, _, names in os.walk("/proc/sys"):
    for name in names:
        try: os.close(os.open(folder + "/" + name, os.O_WRONLY)); print("opened", folder, name)
        except OSError: pass
for name in ("sysrq-trigger", "irq/default_smp_affinity"):
    try: os.close(os.open("/proc/" + name, os.O_WRONLY)); print("opened", name)
    except OSError: pass
try: print(open("/proc/keys").read() + open("/proc/timer_list").read(100), end="")
except OSError: pass
"""


ATTACKS = (
    Attack(name="priority", aim="take real-time priority from the host's programs", attempt=prints_nothing(_PRIORITY)),
    Attack(
        name="system-calls",
        aim="call what has led out of sandboxes: namespaces, mounts, tracing, io_uring, bpf",
        attempt=prints_nothing(_KERNEL),
    ),
    Attack(
        name="socket-families",
        aim="reach the host or the kernel by vsock, netlink and other sockets",
        attempt=prints_nothing(_FAMILIES),
    ),
    Attack(
        name="kernel-settings",
        aim="change settings of the kernel or of its own namespaces, in /proc",
        attempt=prints_nothing(_SETTINGS),
    ),
    Attack(name="secrets", aim="read the host's secrets, or become root", attempt=prints_nothing(_SECRETS)),
)
