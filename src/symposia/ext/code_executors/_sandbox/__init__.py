"""What every sandbox backend shares: the program inside, the protocol, and the host's side of it.

A backend starts the program (`_program`) isolated, as PID 1, wraps its two streams in a `Transport`, and hands that
to `SandboxConnection.open`, which is the `Sandbox`. From the host inwards::

    _connection    the Sandbox: requests, deadlines, cancellation      _results  a block's result, within the caps
    _conversation  frames sent, checked replies received               _program  how the server gets in, its settings
    _transport     the seam to a backend; a process of this machine    _inside/  the server, PID 1

`_launched` is what the backends have in common that build a sandbox on this machine: `_launcher/` is the program that
does, in a process of its own, from a plan of mounts (`_mounts`, `_python`). `_seccomp` makes the filter of system calls
for all backends from the table in `_syscalls`.
"""

from symposia.ext.code_executors._sandbox._connection import SandboxConnection as SandboxConnection
from symposia.ext.code_executors._sandbox._program import ServerSettings as ServerSettings
from symposia.ext.code_executors._sandbox._python import SandboxPython as SandboxPython
from symposia.ext.code_executors._sandbox._python import base_python as base_python
from symposia.ext.code_executors._sandbox._transport import Transport as Transport

__all__ = ["SandboxConnection", "SandboxPython", "ServerSettings", "Transport", "base_python"]
