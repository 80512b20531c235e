"""Tools for the tests of programs: simulation, and a second runtime that encodes every message."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.testing._serializing_runtime import SerializingRuntime

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = ["SerializingRuntime"]
