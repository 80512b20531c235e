"""A memory in a file, with full text search and vectors, by the libraries ``apsw`` and ``sqlite-vec``."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.ext.memory.sqlite._memory import SQLiteMemory as SQLiteMemory

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = ["SQLiteMemory"]
