"""Answers of Ollama's chat: the wire, a whole answer as a `CreateResult`, and the assembly of a stream.

A streamed answer is a line of JSON for each piece, of the same fields as a whole one; the last has ``"done": true``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Required

from pydantic import with_config
from typing_extensions import TypedDict

from symposia.core import FunctionCall
from symposia.core.exceptions import PartialAnswer
from symposia.core.models import CreateResult, FinishReasons, RequestUsage
from symposia.ext.models._answers import OPEN, TokenCount, create_result, json_parser, partial_answer
from symposia.ext.models._tool_calls import new_call_id, read_call
from symposia.ext.models._wire_format import JsonObject


@with_config(OPEN)
class FunctionWire(TypedDict, total=False):
    name: Required[str]
    arguments: JsonObject | None


@with_config(OPEN)
class CallWire(TypedDict, total=False):
    """A tool call. Servers before version 0.12 give it no id."""

    id: str | None
    function: Required[FunctionWire]


@with_config(OPEN)
class MessageWire(TypedDict, total=False):
    content: str | None
    thinking: str | None
    tool_calls: list[CallWire] | None


@with_config(OPEN)
class ChatWire(TypedDict, total=False):
    """A whole answer, or a piece of one."""

    message: Required[MessageWire]
    done: Required[bool]
    done_reason: str | None
    prompt_eval_count: TokenCount | None
    eval_count: TokenCount | None


VENDOR: Final = "ollama"
FINISH_REASONS: Final[dict[str | None, FinishReasons]] = {"stop": "stop", "length": "length"}

_chat: Final = json_parser(ChatWire)


def parse_chat(data: bytes) -> ChatWire:
    """The body of a response, checked to be a whole answer.

    Raises:
        ValueError: It is not, or it reports an error.
    """
    answer = _chat(data)
    if not answer["done"]:
        raise ValueError("the answer has 'done': false")
    return answer


def read_chat(answer: ChatWire) -> CreateResult:
    """The result of an answer.

    Raises:
        ValueError: A call has no name.
    """
    message = answer["message"]
    calls = read_called_functions(message.get("tool_calls") or ())
    text, thinking = message.get("content") or "", message.get("thinking") or ""
    return create_result(
        text,
        thinking,
        calls,
        FINISH_REASONS.get(answer.get("done_reason"), "unknown"),
        read_usage(answer),
        vendor_blocks={VENDOR: [{"content": text, "thinking": thinking}]} if calls and thinking else None,
    )


def read_called_functions(calls: Iterable[CallWire]) -> list[FunctionCall]:
    """The tool calls; one without an id gets one, since its result is found by it.

    Raises:
        ValueError: One has no name.
    """
    return [
        read_call(call.get("id") or new_call_id(), call["function"]["name"], call["function"].get("arguments") or {})
        for call in calls
    ]


def read_usage(answer: ChatWire) -> RequestUsage:
    """The tokens of a request. A prompt that the server had evaluated before has been left out by some versions."""
    return RequestUsage(
        prompt_tokens=answer.get("prompt_eval_count") or 0, completion_tokens=answer.get("eval_count") or 0
    )


class ChatAssembly:
    """A streamed answer that is being put together; see `StreamAssembly`."""

    def __init__(self) -> None:
        self.complete = False
        self._texts: list[str] = []
        self._thinking: list[str] = []
        self._calls: list[CallWire] = []
        self._end: ChatWire | None = None

    def feed(self, event: bytes) -> str:
        """Take the next line, and return the text that it adds to the answer.

        Raises:
            ValueError: It is not a piece of an answer, or it reports an error.
        """
        piece = _chat(event)
        message = piece["message"]
        self._calls += message.get("tool_calls") or ()
        if thinking := message.get("thinking"):
            self._thinking.append(thinking)
        if text := message.get("content"):
            self._texts.append(text)
        if piece["done"]:
            self.complete = True
            self._end = piece
        return text or ""

    def whole(self) -> ChatWire:
        """The answer as it would have come without streaming.

        Raises:
            ValueError: Its end has not come.
        """
        if self._end is None:
            raise ValueError('no "done": true came')
        message = MessageWire(
            content="".join(self._texts), thinking="".join(self._thinking), tool_calls=list(self._calls)
        )
        return {**self._end, "message": message}

    @property
    def usage(self) -> RequestUsage:
        """See `StreamAssembly.usage`."""
        return RequestUsage(0, 0) if self._end is None else read_usage(self._end)

    def partial(self) -> PartialAnswer:
        """See `StreamAssembly.partial`."""
        calls = read_called_functions(call for call in self._calls if call["function"]["name"])
        return partial_answer("".join(self._texts), "".join(self._thinking), calls, self.usage)
