"""What of a conversation is posted in its thread, and as which texts. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

from symposia.core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    SystemMessage,
    UserMessage,
)
from symposia.core.text_limits import ends_of
from symposia.ext.agents._threads._place import Place, place_of
from symposia.ext.agents._threads._shapes import ThreadMessage

Post: TypeAlias = tuple[str, str]
"""The role and the text of a message in a thread."""

LONGEST: Final = 200_000
"""The most characters of results that are sent, without their middle: messages from 256,000 on are refused."""
_LEFT_OUT: Final = "\n[… {left} characters left out …]\n"


class Pending(NamedTuple):
    """What is new in a conversation.

    Attributes:
        place: Where the thread is; None before the first answer.
        results: The results for which its run waits; empty if it does not.
        posts: The messages behind that.
    """

    place: Place | None
    results: Sequence[FunctionExecutionResult]
    posts: Sequence[Post]


def pending_of(messages: Sequence[LLMMessage], service: str) -> Pending:
    """What of a conversation is not in its thread at a service."""
    place, calls, start = None, False, 0
    for index, message in enumerate(messages):
        if (reached := place_of(message, service)) is not None:
            place, calls, start = reached, not isinstance(message.content, str), index + 1
    rest, results = messages[start:], list[FunctionExecutionResult]()
    if calls and rest and isinstance(answered := rest[0], FunctionExecutionResultMessage):
        rest, results = rest[1:], answered.content
    return Pending(place, results, [post for message in rest if (post := _post_of(message)) is not None])


def outputs_of(results: Sequence[FunctionExecutionResult]) -> list[dict[str, str]]:
    """Results as a run takes them that waits for them."""
    return [
        {"tool_call_id": each.call_id, "output": ends_of(each.content, LONGEST // len(results), _LEFT_OUT)}
        for each in results
    ]


def post_of_results(results: Sequence[FunctionExecutionResult]) -> Post:
    """Results as a message, for a run that no longer takes them."""
    lines = ["The results of your calls:", *(f"{each.name}: {each.content}" for each in results)]
    return "user", ends_of("\n".join(lines), LONGEST, _LEFT_OUT)


def count_posted(posts: Sequence[Post], found: Sequence[ThreadMessage]) -> int:
    """How many of the first posts are among the messages of a thread that no run has written."""
    posted = [(each.role, each.text) for each in found if not each.run_id]
    pairs = zip(posts, posted, strict=False)
    return next((count for count, (post, there) in enumerate(pairs) if post != there), min(len(posts), len(posted)))


def _post_of(message: LLMMessage) -> Post | None:
    """A message as it is posted; None for instructions, which are those of the assistant there."""
    match message:
        case SystemMessage():
            return None
        case UserMessage():
            pieces = [message.content] if isinstance(message.content, str) else message.content
            text = "\n".join(piece if isinstance(piece, str) else "<image>" for piece in pieces)
            return "user", text if message.source == "user" else f"{message.source} said:\n{text}"
        case AssistantMessage():
            return "assistant", message.content if isinstance(message.content, str) else message.thought or "…"
        case FunctionExecutionResultMessage():
            return post_of_results(message.content)
