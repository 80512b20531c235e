"""What every sandbox backend shares: the program inside, the protocol, and the host's side of it.

A backend starts the program (`_program`) behind a wall as PID 1, wraps its two streams in a `Transport`, and hands that
to `SandboxConnection.open`, which is the `Sandbox`. The folders, from the host inwards::

    _connection   the Sandbox: requests, deadlines, cancellation        _settings   what the server is told at first
    _conversation frames sent, replies received, until it is over       _replies    what the server may say
    _transport    the seam to a backend                                 _output     head and tail of the output
    _inside/      the program in the sandbox, shipped as source         _program    how it is shipped
"""

from ._connection import SandboxConnection as SandboxConnection
from ._python import SandboxPython as SandboxPython
from ._python import base_python as base_python
from ._settings import ServerSettings as ServerSettings
from ._transport import Transport as Transport

__all__ = ["SandboxConnection", "SandboxPython", "ServerSettings", "Transport", "base_python"]
