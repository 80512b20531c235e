"""A memory in a file, with full text search and vectors, by the libraries ``apsw`` and ``sqlite-vec``."""

from symposia.ext.memory.sqlite._memory import SQLiteMemory as SQLiteMemory

__all__ = ["SQLiteMemory"]
