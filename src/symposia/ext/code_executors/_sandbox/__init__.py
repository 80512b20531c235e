"""What every sandbox backend shares: the program inside, the protocol, and the host's side of it.

A backend starts the program (`_program`) isolated, as PID 1, wraps its two streams in a `Transport`, and hands that
to `SandboxConnection.open`, which is the `Sandbox`. From the host inwards::

    _connection    the Sandbox: requests, deadlines, cancellation      _settings  what the server is told at first
    _conversation  frames sent, replies received, until it is over     _replies   what the server may say
    _results       a block's result, put together                      _output    head and tail of the output
    _transport     the seam to a backend                               _program   how programs are shipped, as source
    _inside/       the program in the sandbox, PID 1

For the backends that build a sandbox on this machine (`_local`), `_launcher/` is the program that does, in a process of
its own, from a plan of mounts (`_mounts`). `_seccomp` makes the filter of system calls for all backends.
"""

from symposia.ext.code_executors._sandbox._connection import SandboxConnection as SandboxConnection
from symposia.ext.code_executors._sandbox._python import SandboxPython as SandboxPython
from symposia.ext.code_executors._sandbox._python import base_python as base_python
from symposia.ext.code_executors._sandbox._settings import ServerSettings as ServerSettings
from symposia.ext.code_executors._sandbox._transport import Transport as Transport

__all__ = ["SandboxConnection", "SandboxPython", "ServerSettings", "Transport", "base_python"]
