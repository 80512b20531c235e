"""Tools for the tests of programs: simulation, and a second runtime that encodes every message."""

from symposia.testing._serializing_runtime import SerializingRuntime

__all__ = ["SerializingRuntime"]
