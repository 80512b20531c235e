"""Ready-made teams of public parts, and what they share: models by name, and recorded models."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.presets._models import (
        AgentUsage,
        MissingKeyError,
        NamedModel,
        UnknownVendorError,
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
            "_models": [
                "AgentUsage",
                "MissingKeyError",
                "NamedModel",
                "UnknownVendorError",
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
    "UnknownVendorError",
    "default_model_name",
    "model_named",
    "recorded_model",
]
