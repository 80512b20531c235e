"""An agent with a memory of insights, its examiner, a memory for agents, a recorder of models, and a log of pages."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.ext.experimental.task_centric_memory.utils.apprentice import Apprentice, ApprenticeConfig
    from symposia.ext.experimental.task_centric_memory.utils.chat_completion_client_recorder import (
        ChatCompletionClientRecorder,
    )
    from symposia.ext.experimental.task_centric_memory.utils.grader import Grader
    from symposia.ext.experimental.task_centric_memory.utils.page_logger import PageLogger, PageLoggerConfig
    from symposia.ext.experimental.task_centric_memory.utils.teachability import Teachability
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "apprentice": ["Apprentice", "ApprenticeConfig"],
            "chat_completion_client_recorder": ["ChatCompletionClientRecorder"],
            "grader": ["Grader"],
            "page_logger": ["PageLogger", "PageLoggerConfig"],
            "teachability": ["Teachability"],
        },
    )

__all__ = [
    "Apprentice",
    "ApprenticeConfig",
    "ChatCompletionClientRecorder",
    "Grader",
    "PageLogger",
    "PageLoggerConfig",
    "Teachability",
]
