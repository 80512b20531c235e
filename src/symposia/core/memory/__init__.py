"""The contract of memories, a memory that keeps a list, and the calls of memories as effects."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
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
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_content": ["MemoryContent", "MemoryMimeType", "MemoryQueryResult", "UpdateContextResult"],
            "_effect": [
                "MEMORY_EFFECT",
                "MemoryOutcome",
                "MemoryRequest",
                "RecordedMemory",
                "add_memory",
                "query_memory",
                "update_context",
            ],
            "_list_memory": ["ListMemory"],
            "_memory": ["Memory"],
        },
    )

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
