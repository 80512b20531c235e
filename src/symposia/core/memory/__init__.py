"""What a memory is, and one that keeps a list."""

from symposia.core.memory._content import MemoryContent, MemoryMimeType, MemoryQueryResult, UpdateContextResult
from symposia.core.memory._effect import (
    MEMORY_EFFECT,
    MemoryOutcome,
    MemoryRequest,
    RecordedMemory,
    add_memory,
    query_memory,
    update_context,
)
from symposia.core.memory._list_memory import ListMemory
from symposia.core.memory._memory import Memory

__all__ = [
    "MEMORY_EFFECT",
    "ListMemory",
    "Memory",
    "MemoryContent",
    "MemoryMimeType",
    "MemoryOutcome",
    "MemoryQueryResult",
    "MemoryRequest",
    "RecordedMemory",
    "UpdateContextResult",
    "add_memory",
    "query_memory",
    "update_context",
]
