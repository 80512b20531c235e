"""Ready-made teams of public parts, and what they share: models by name, and recorded models."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.presets._folder import ResultFolder, RunFolderError
    from symposia.presets._models import (
        AgentUsage,
        NamedModel,
        close_models,
        model_named,
        total_usage,
    )
    from symposia.presets._recorded import (
        RecordedCall,
        RecordedChatCompletionClient,
        RecordedConversation,
        RecordedReply,
        RecordingError,
        recorded_model,
    )
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_folder": ["ResultFolder", "RunFolderError"],
            "_models": [
                "AgentUsage",
                "NamedModel",
                "close_models",
                "model_named",
                "total_usage",
            ],
            "_recorded": [
                "RecordedCall",
                "RecordedChatCompletionClient",
                "RecordedConversation",
                "RecordedReply",
                "RecordingError",
                "recorded_model",
            ],
        },
    )

__all__ = [
    "AgentUsage",
    "NamedModel",
    "RecordedCall",
    "RecordedChatCompletionClient",
    "RecordedConversation",
    "RecordedReply",
    "RecordingError",
    "ResultFolder",
    "RunFolderError",
    "close_models",
    "model_named",
    "recorded_model",
    "total_usage",
]
