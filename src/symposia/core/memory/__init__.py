"""What a memory is, and one that keeps a list."""

from symposia.core.memory._content import MemoryContent, MemoryMimeType, MemoryQueryResult, UpdateContextResult
from symposia.core.memory._list_memory import ListMemory
from symposia.core.memory._memory import Memory

__all__ = ["ListMemory", "Memory", "MemoryContent", "MemoryMimeType", "MemoryQueryResult", "UpdateContextResult"]
