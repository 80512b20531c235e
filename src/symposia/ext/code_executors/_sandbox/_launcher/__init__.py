"""The program that builds a sandbox on this machine, in a process of its own, and stays until the sandbox is gone.

Like the server it is shipped as source and uses the standard library only: it is started by the host's interpreter with
an empty environment, so that a large asyncio process never has to fork itself, and so that neither the launcher nor
anything behind it has the host's variables in ``/proc/PID/environ``, secrets among them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# What the host and the launcher agree on.
SANDBOX_UID = 1000  # the id of a sandbox's user inside
MEMORY_COUNTER_FD = 100  # the server opens /proc/self/fd/100, as it sees no control group inside
MEMORY_RAN_OUT = "the kernel killed its server, since the sandbox's memory ran out"  # on stderr
# What is the machine's in /proc rather than a namespace's: settings and switches, and files that tell of the host. They
# are those that Docker shows read-only or masks by default, and the kernel's command line, which can hold secrets.
# Settings of the sandbox's own namespaces are below /proc/sys too: code that lowers pid_max, of which newer kernels
# have one for each, could keep the server from starting the next block.
READ_ONLY_IN_PROC = ("sys", "sysrq-trigger", "irq", "bus", "fs")
HIDDEN_IN_PROC = ("kcore", "keys", "timer_list", "sched_debug", "latency_stats", "cmdline")
Plan = Sequence[Mapping[str, object]]  # the mounts, as `_mounts.as_json` writes them
