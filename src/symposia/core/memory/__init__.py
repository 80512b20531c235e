"""What a memory is, and one that keeps a list."""

from ._content import MemoryContent, MemoryMimeType, MemoryQueryResult, UpdateContextResult
from ._list_memory import ListMemory
from ._memory import Memory

__all__ = ["ListMemory", "Memory", "MemoryContent", "MemoryMimeType", "MemoryQueryResult", "UpdateContextResult"]
