"""Memory of insights: what helped with a task is found again for tasks like it."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.ext.experimental.task_centric_memory._memory_bank import Memo, MemoryBank, MemoryBankConfig
    from symposia.ext.experimental.task_centric_memory.memory_controller import (
        MemoryController,
        MemoryControllerConfig,
    )
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_memory_bank": ["Memo", "MemoryBank", "MemoryBankConfig"],
            "memory_controller": ["MemoryController", "MemoryControllerConfig"],
        },
    )

__all__ = ["Memo", "MemoryBank", "MemoryBankConfig", "MemoryController", "MemoryControllerConfig"]
