"""A runtime that writes every message and every answer to bytes: an example of how to write a runtime."""

from symposia.testing._serializing_runtime._runtime import SerializingRuntime

__all__ = ["SerializingRuntime"]
