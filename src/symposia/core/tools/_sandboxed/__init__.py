"""Tools whose functions come as source from JSON and run in a sandbox.

`_guest` is the program that runs inside. `_description` makes Python types of what it says of a function, `_sandbox`
keeps the sandbox, and `_tool` calls a function in it.
"""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.core.tools._sandboxed._remote import RemoteFunction
    from symposia.core.tools._sandboxed._sandbox import FunctionSandbox, component_sandbox, run_component_code_in
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {"_remote": ["RemoteFunction"], "_sandbox": ["FunctionSandbox", "component_sandbox", "run_component_code_in"]},
    )

__all__ = ["FunctionSandbox", "RemoteFunction", "component_sandbox", "run_component_code_in"]
