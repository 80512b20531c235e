"""Conversations as turns of user and model with a list of parts each: the formats of Anthropic, Bedrock and Google."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from operator import eq, itemgetter
from typing import ClassVar, Final, TypeAlias, cast

from typing_extensions import override

from symposia.core import FunctionCall, Image
from symposia.core.models import AssistantMessage, FunctionExecutionResult, SystemMessage, UserMessage
from symposia.ext.models._encoded_json import EncodedObject
from symposia.ext.models._message_writers import BaseMessageWriter
from symposia.ext.models._prompts import CONTINUE, EMPTY, START, quoted_system
from symposia.ext.models._tool_calls import arguments_object
from symposia.ext.models._wire_format import JsonObject

ReceivedCall: TypeAlias = tuple[str | None, str, object]
"""A tool call as the vendor sent it: its id, its name and its arguments as an object."""

USER: Final = "user"


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnWriter(BaseMessageWriter[EncodedObject]):
    """Writes a conversation as turns of two speakers, each with a list of parts.

    What the model is sent again as it came, such as signed thinking, is among the parts. A system message behind the
    first others is text of the user; the first ones have a place of their own in a request.

    Attributes:
        VENDOR: The key of the `VendorBlocks` of the vendor's answers.
        PARTS: The field of a turn with its parts.
        MODEL: The role of the model.
    """

    VENDOR: ClassVar[str]
    PARTS: ClassVar[str]
    MODEL: ClassVar[str] = "assistant"

    @abstractmethod
    def text_part(self, text: str, /) -> JsonObject:
        """A text, which is not blank."""

    @abstractmethod
    def image_part(self, image: Image, /) -> JsonObject:
        """An image."""

    @abstractmethod
    def call_parts(self, calls: Sequence[FunctionCall], /) -> list[JsonObject]:
        """The tool calls of one answer."""

    @abstractmethod
    def result_part(self, result: FunctionExecutionResult, /) -> JsonObject:
        """The result of a tool call."""

    @abstractmethod
    def content_of(self, parts: list[JsonObject], /) -> str | list[ReceivedCall]:
        """What parts of an answer say: the tool calls, or else the text."""

    def alternate(self, turns: Sequence[EncodedObject], *, prefill: bool = False) -> list[EncodedObject]:
        """The conversation as turns of user and model in alternation, beginning and ending as the APIs demand.

        They refuse a conversation that begins with the model, and most models one that ends with it. Agents hand over
        both: one that opens a debate, and one that is asked again after its own answer.

        Args:
            turns: The turns, as `write` gives them.
            prefill: Whether the model takes the beginning of its answer as the last turn.
        """
        joined = join_neighbours(turns, self.PARTS)
        if not joined or joined[0]["role"] == self.MODEL:
            joined.insert(0, self._turn(USER, [self.text_part(START)]))
        if joined[-1]["role"] == self.MODEL and not prefill:
            joined.append(self._turn(USER, [self.text_part(CONTINUE)]))
        return joined

    @override
    def system(self, message: SystemMessage, /) -> EncodedObject:
        return self._turn(USER, [self.text_part(quoted_system(message))])

    @override
    def user(self, message: UserMessage, /) -> EncodedObject:
        content = [message.content] if isinstance(message.content, str) else message.content or [""]
        return self._turn(USER, [self._text(one) if isinstance(one, str) else self._image(one) for one in content])

    @override
    def assistant(self, message: AssistantMessage, /) -> EncodedObject:
        return self._turn(self.MODEL, self.received_parts(message) or self._own_parts(message))

    @override
    def results(self, results: Sequence[FunctionExecutionResult], /) -> EncodedObject:
        return self._turn(USER, [*map(self.result_part, results)] or [self._text("")])

    def received_parts(self, message: AssistantMessage) -> list[JsonObject]:
        """An answer as the vendor sent it, since signed parts must be returned as they were; empty if it did not.

        A program may change a message, or make one of an answer by another vendor, or keep the text alone. The parts no
        longer stand for such a message, and signed thinking beside other content is refused.
        """
        received = cast("list[JsonObject]", (message.vendor_blocks or {}).get(self.VENDOR, []))
        return received if received and self.content_of(received) == _received(message.content) else []

    def _own_parts(self, message: AssistantMessage) -> list[JsonObject]:
        if isinstance(message.content, str):
            return [self._text(message.content)]
        thought = [self.text_part(message.thought)] if message.thought and message.thought.strip() else []
        return [*thought, *self.call_parts(message.content)] or [self._text("")]

    def _text(self, text: str) -> JsonObject:
        return self.text_part(text if text.strip() else EMPTY)

    def _image(self, image: Image) -> JsonObject:
        self.check_vision()
        return self.image_part(image)

    def _turn(self, role: str, parts: Iterable[Mapping[str, object]]) -> EncodedObject:
        """A turn of which each part is encoded once: turns are joined in ever new ways."""
        encoded = [part if isinstance(part, EncodedObject) else EncodedObject(part) for part in parts]
        return EncodedObject({"role": role, self.PARTS: encoded})


def _received(content: str | list[FunctionCall]) -> str | list[ReceivedCall]:
    if isinstance(content, str):
        return content
    return [(call.id, call.name, arguments_object(call.arguments)) for call in content]


def join_neighbours(turns: Sequence[EncodedObject], name: str) -> list[EncodedObject]:
    """The turns with neighbours of one role made one, so that all results follow their calls in one turn.

    Args:
        turns: The turns.
        name: The field of the parts.
    """
    roles = [turn["role"] for turn in turns]
    if not any(map(eq, roles, roles[1:])):  # mostly, and in a tenth of the time
        return list(turns)
    joined: list[EncodedObject] = []
    for _, group in groupby(turns, key=itemgetter("role")):
        first, *others = group
        if others:
            parts = (cast("list[EncodedObject]", turn[name]) for turn in (first, *others))
            first = EncodedObject({"role": first["role"], name: list(chain.from_iterable(parts))})
        joined.append(first)
    return joined
