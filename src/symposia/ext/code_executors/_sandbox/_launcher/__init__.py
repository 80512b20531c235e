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
Plan = Sequence[Mapping[str, object]]  # the mounts, as `_mounts.as_json` writes them
