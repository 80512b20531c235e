"""Running code that a model wrote: in a sandbox, unless one asks for the host by name.

Every kind of sandbox is a package of its own here (`docker`, `bubblewrap`, `namespaces`), and `_registry` lists them;
`local` runs code without one.
"""

from symposia.ext.code_executors._automatic import AutoBackend, choose_backend, create_default_code_executor
from symposia.ext.code_executors._check import SandboxCheck, check_sandbox
from symposia.ext.code_executors._environment import make_sandbox_python
from symposia.ext.code_executors._registry import (
    SandboxKind,
    register_sandbox,
    sandbox_backends,
    sandbox_kind,
    sandbox_kinds,
)
from symposia.ext.code_executors._sandboxed import SandboxCodeExecutor, SandboxOptions

__all__ = [
    "AutoBackend",
    "SandboxCheck",
    "SandboxCodeExecutor",
    "SandboxKind",
    "SandboxOptions",
    "check_sandbox",
    "choose_backend",
    "create_default_code_executor",
    "make_sandbox_python",
    "register_sandbox",
    "sandbox_backends",
    "sandbox_kind",
    "sandbox_kinds",
]
