"""Running code that a model wrote: in a sandbox, unless the host is chosen by name.

Every kind of sandbox is a module or a package of its own here (`docker`, `bubblewrap`, `namespaces`), and `_registry`
lists them; `local` runs code without one. `_command_line` is the executor of AutoGen's contract, and `_sandboxed` puts
a sandbox behind it. `_sandbox/` is what the sandboxes share, `_environment/` the Python that code has in them.
"""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.ext._temporary_folders import remove_left_over_folders
from symposia.ext.code_executors._check import SandboxCheck, check_sandbox
from symposia.ext.code_executors._choice import AutoBackend, choose_backend, create_default_code_executor
from symposia.ext.code_executors._environment import make_sandbox_python
from symposia.ext.code_executors._pool import SandboxPool
from symposia.ext.code_executors._registry import (
    AUTO,
    SandboxKind,
    only_sandboxes,
    register_sandbox,
    sandbox_backends,
    sandbox_kind,
    sandbox_kinds,
    unregister_sandbox,
)
from symposia.ext.code_executors._returned_files import obeyed_name
from symposia.ext.code_executors._sandbox_options import DefaultExecutorOptions, SandboxOptions
from symposia.ext.code_executors._sandboxed import SandboxCodeExecutor

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = [
    "AUTO",
    "AutoBackend",
    "DefaultExecutorOptions",
    "SandboxCheck",
    "SandboxCodeExecutor",
    "SandboxKind",
    "SandboxOptions",
    "SandboxPool",
    "check_sandbox",
    "choose_backend",
    "create_default_code_executor",
    "make_sandbox_python",
    "obeyed_name",
    "only_sandboxes",
    "register_sandbox",
    "remove_left_over_folders",
    "sandbox_backends",
    "sandbox_kind",
    "sandbox_kinds",
    "unregister_sandbox",
]
