"""Conditions that end a run, to be combined with ``&`` and ``|``, and the base classes of user-defined conditions."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.agentchat.conditions._condition import Condition, MessageCondition, Messages, StatefulCondition
    from symposia.agentchat.conditions._counting import MaxMessageTermination, TokenUsageTermination
    from symposia.agentchat.conditions._external import ExternalTermination, FunctionalTermination, TimeoutTermination
    from symposia.agentchat.conditions._messages import (
        FunctionCallTermination,
        HandoffTermination,
        SourceMatchTermination,
        StopMessageTermination,
        TextMentionTermination,
        TextMessageTermination,
    )
    from symposia.agentchat.conditions._reason import ReasonedTermination
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_condition": ["Condition", "MessageCondition", "Messages", "StatefulCondition"],
            "_counting": ["MaxMessageTermination", "TokenUsageTermination"],
            "_external": ["ExternalTermination", "FunctionalTermination", "TimeoutTermination"],
            "_messages": [
                "FunctionCallTermination",
                "HandoffTermination",
                "SourceMatchTermination",
                "StopMessageTermination",
                "TextMentionTermination",
                "TextMessageTermination",
            ],
            "_reason": ["ReasonedTermination"],
        },
    )

__all__ = [
    "Condition",
    "ExternalTermination",
    "FunctionCallTermination",
    "FunctionalTermination",
    "HandoffTermination",
    "MaxMessageTermination",
    "MessageCondition",
    "Messages",
    "ReasonedTermination",
    "SourceMatchTermination",
    "StatefulCondition",
    "StopMessageTermination",
    "TextMentionTermination",
    "TextMessageTermination",
    "TimeoutTermination",
    "TokenUsageTermination",
]
