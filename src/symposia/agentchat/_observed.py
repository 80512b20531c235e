"""The attributes of the spans of agents."""

from __future__ import annotations

from collections.abc import Iterable

from symposia.agentchat.base import Response
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage
from symposia.core.models import RequestUsage
from symposia.core.telemetry import Activity, Attributes
from symposia.core.telemetry.conventions import INPUT_TOKENS, OUTPUT_TOKENS


def note_response(activity: Activity, response: Response) -> None:
    """Add the tokens of an answer to a span."""
    activity.note(lambda: _usage((*(response.inner_messages or ()), response.chat_message)))


def _usage(messages: Iterable[BaseAgentEvent | BaseChatMessage]) -> Attributes:
    counted = [message.models_usage for message in messages if message.models_usage is not None]
    if not counted:
        return {}
    total = sum(counted, RequestUsage(prompt_tokens=0, completion_tokens=0))
    return {INPUT_TOKENS: total.prompt_tokens, OUTPUT_TOKENS: total.completion_tokens}
