"""Tools for the tests of programs: simulation, a second runtime, and a model server that answers from a script."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.testing._serializing_runtime import SerializingRuntime
    from symposia.testing.model_server import MockModelServer
else:
    __getattr__, __dir__ = lazy_names(
        __name__, {"_serializing_runtime": ["SerializingRuntime"], "model_server": ["MockModelServer"]}
    )

__all__ = ["MockModelServer", "SerializingRuntime"]
