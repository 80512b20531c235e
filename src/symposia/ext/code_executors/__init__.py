"""Running code that a model wrote: in a sandbox, unless one asks for the host by name.

Every kind of sandbox is a package of its own here (`docker`, `bubblewrap`, `namespaces`); `local` runs without one.
"""

from symposia.ext.code_executors._choice import (
    AutoBackend,
    choose_backend,
    create_default_code_executor,
    sandbox_backends,
)
from symposia.ext.code_executors._environment import make_sandbox_python
from symposia.ext.code_executors._sandboxed import SandboxCodeExecutor, SandboxOptions
from symposia.ext.code_executors._setup import set_up_backend

__all__ = [
    "AutoBackend",
    "SandboxCodeExecutor",
    "SandboxOptions",
    "choose_backend",
    "create_default_code_executor",
    "make_sandbox_python",
    "sandbox_backends",
    "set_up_backend",
]
