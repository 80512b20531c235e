"""Memos, and how models are shown their insights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from symposia.core.exceptions import ArgumentTypeError
from symposia.core.memory import MemoryContent, MemoryMimeType, MemoryQueryResult, UpdateContextResult
from symposia.core.model_context import ChatCompletionContext
from symposia.core.models import LLMMessage, UserMessage

HEADING: Final = "## Insights from earlier work that may help here"


@dataclass(frozen=True, slots=True)
class Memo:
    """An insight, and the task in which it was won.

    Attributes:
        task: The task; None for an insight of no certain task.
        insight: What may help with tasks like it.
    """

    task: str | None
    insight: str


def memo_of(content: MemoryContent) -> Memo:
    """The memo that a content of a memory stands for.

    Raises:
        ArgumentTypeError: The content is no text.
    """
    if not isinstance(content.content, str):
        raise ArgumentTypeError(
            f"An insight is a text, and not {type(content.content).__name__}: give a MemoryContent(content='…', "
            "mime_type=MemoryMimeType.TEXT)."
        )
    task: object = (content.metadata or {}).get("task")
    return Memo(task if isinstance(task, str) else None, content.content)


def section_of(insights: Iterable[str]) -> str:
    """The section of a prompt with these insights; empty if there is none."""
    lines = [f"- {insight}" for insight in insights]
    return "\n".join([HEADING, *lines]) if lines else ""


def last_text_of_user(messages: Sequence[LLMMessage], shown_by: str) -> str:
    """The text of the last message, if it is one of the user.

    Args:
        messages: The conversation.
        shown_by: The source of messages that `show_memos` added, which are passed over.
    """
    said = [each for each in messages if not (isinstance(each, UserMessage) and each.source == shown_by)]
    if not said or not isinstance(said[-1], UserMessage):
        return ""
    content = said[-1].content
    parts = [content] if isinstance(content, str) else content
    return "\n".join(part for part in parts if isinstance(part, str)).strip()


async def show_memos(context: ChatCompletionContext, memos: Sequence[Memo], source: str) -> UpdateContextResult:
    """Add a message with the insights that a context has not got yet.

    It is a message of the user and no system message: what a user has said must not become an instruction of the
    developer by being remembered.

    Returns:
        What was added.
    """
    shown = {
        line
        for each in await context.get_messages()
        if isinstance(each, UserMessage) and each.source == source and isinstance(each.content, str)
        for line in each.content.splitlines()
    }
    insights = [memo.insight for memo in memos if not set(f"- {memo.insight}".splitlines()) <= shown]
    if insights:
        await context.add_message(UserMessage(content=section_of(insights), source=source))
    added = [MemoryContent(content=insight, mime_type=MemoryMimeType.TEXT) for insight in insights]
    return UpdateContextResult(memories=MemoryQueryResult(results=added))
