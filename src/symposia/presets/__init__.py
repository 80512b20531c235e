"""Ready-made teams of public parts, and what they share: models by name, and recorded models."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.presets._folder import ResultFolder, RunFolderError
    from symposia.presets._models import (
        AgentUsage,
        MissingKeyError,
        NamedModel,
        UnknownVendorError,
        close_models,
        default_model_name,
        model_named,
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
                "MissingKeyError",
                "NamedModel",
                "UnknownVendorError",
                "close_models",
                "default_model_name",
                "model_named",
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
    "MissingKeyError",
    "NamedModel",
    "RecordedCall",
    "RecordedChatCompletionClient",
    "RecordedConversation",
    "RecordedReply",
    "RecordingError",
    "ResultFolder",
    "RunFolderError",
    "UnknownVendorError",
    "close_models",
    "default_model_name",
    "model_named",
    "recorded_model",
]
