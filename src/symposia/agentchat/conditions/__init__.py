"""Conditions that end a run; combine them with ``&`` and ``|``."""

from symposia.agentchat.conditions._counting import MaxMessageTermination, TokenUsageTermination
from symposia.agentchat.conditions._outside import ExternalTermination, FunctionalTermination, TimeoutTermination
from symposia.agentchat.conditions._said import (
    FunctionCallTermination,
    HandoffTermination,
    SourceMatchTermination,
    StopMessageTermination,
    TextMentionTermination,
    TextMessageTermination,
)

__all__ = [
    "ExternalTermination",
    "FunctionCallTermination",
    "FunctionalTermination",
    "HandoffTermination",
    "MaxMessageTermination",
    "SourceMatchTermination",
    "StopMessageTermination",
    "TextMentionTermination",
    "TextMessageTermination",
    "TimeoutTermination",
    "TokenUsageTermination",
]
