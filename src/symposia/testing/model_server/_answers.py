"""What the server is told to answer, in no vendor's terms."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from symposia.core.exceptions import ArgumentTypeError
from symposia.testing.model_server._signal import Signal

Stop = Literal["stop", "length", "tool_calls", "content_filter"]
Damage = Literal["malformed_json", "wrong_content_type", "empty_body"]


@dataclass(frozen=True, kw_only=True)
class ToolCall:
    """A call of a tool that the model asks for; `extra` is what a vendor compatible with OpenAI adds to it."""

    id: str
    name: str
    arguments: str = "{}"
    extra: Mapping[str, object] = field(default_factory=dict[str, object])

    @property
    def parsed_arguments(self) -> object:
        """The arguments as JSON, for the formats that do not have them as a text.

        Raises:
            ValueError: They are no JSON.
        """
        try:
            return json.loads(self.arguments)
        except ValueError as error:
            raise ValueError(
                f"the arguments of its call of {self.name!r} are no JSON ({error}), as this format needs them"
            ) from None


@dataclass(frozen=True, kw_only=True)
class Thinking:
    """A block of thinking. OpenAI's format has only its text; Anthropic's signs it, or redacts it to `data`."""

    text: str = ""
    signature: str = "signed-by-the-vendor"
    data: str | None = None


@dataclass(kw_only=True)
class Hold:
    """Stops an answer until the test releases it.

    Attributes:
        after: How many events of a stream are sent before it stops; 0 stops before the headers.
        reached: Set by the server once it has stopped.
        release: Set by the test to let it go on.
    """

    after: int = 0
    reached: Signal = field(default_factory=Signal)
    release: Signal = field(default_factory=Signal)

    async def wait(self) -> None:
        self.reached.set()
        await self.release.wait()


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer of the model.

    Attributes:
        text: What the model says. Structured data is its JSON as text.
        refusal: Why the model refuses, in its own words.
        usage: Tokens of the prompt and of the completion; zeros for a server that does not count, and
            in OpenAI's format sends none. Fixed figures by default, so that a test can state the sum.
        estimate_usage: Whether a quarter of the characters is counted instead, as `estimated_tokens` does.
        cached_tokens: Tokens of the prompt that a cache saved; Anthropic counts them apart.
        reasoning_tokens: Those of the completion with which the model reasoned.
        stop: Why the model stopped; by default what follows from the content.
        delay: Seconds before the first byte.
        piece_delay: Seconds before each further piece of a stream.
        hold: Where the server waits for the test.
        cut_after: Pieces of a stream after which the connection is dropped. An answer that is not streamed is cut in
            the middle.
        damage: What is wrong with the answer, for tests of what a client makes of it.
        extra: Fields that a compatible vendor adds to the message of an OpenAI answer.

    Raises:
        ArgumentTypeError: `text` is no text, or a call or a thought is of another class.
    """

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    thinking: tuple[Thinking, ...] = ()
    refusal: str = ""
    usage: tuple[int, int] = (11, 7)
    estimate_usage: bool = False
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    stop: Stop | None = None
    delay: float = 0
    piece_delay: float = 0
    hold: Hold | None = None
    cut_after: int | None = None
    damage: Damage | None = None
    extra: Mapping[str, object] = field(default_factory=dict[str, object])

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers need not check types
            raise ArgumentTypeError(f"text of a Reply is {self.text!r}: give a text. Structured data is its JSON.")
        _check_each("tool_calls", self.tool_calls, ToolCall)
        _check_each("thinking", self.thinking, Thinking)

    @property
    def stop_reason(self) -> Stop:
        return self.stop or ("tool_calls" if self.tool_calls else "stop")

    @property
    def estimated_tokens(self) -> int:
        """The tokens of this answer, by its characters."""
        parts = [self.text, self.refusal, *(block.text for block in self.thinking)]
        calls = [f"{call.name}{call.arguments}" for call in self.tool_calls]
        return estimated_tokens("".join([*parts, *calls]))


def _check_each(name: str, given: Sequence[object], kind: type[object]) -> None:
    if wrong := [each for each in given if not isinstance(each, kind)]:
        raise ArgumentTypeError(f"{name} of a Reply has {wrong[0]!r}: give {kind.__name__} objects.")


@dataclass(frozen=True, kw_only=True)
class Failure:
    """An error that the vendor answers instead. `retry_after` is in seconds."""

    status: int
    message: str = "scripted failure"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    retry_after: float | None = None
    delay: float = 0

    @property
    def all_headers(self) -> Mapping[str, str]:
        return self.headers if self.retry_after is None else {"retry-after": f"{self.retry_after:g}", **self.headers}


@dataclass(frozen=True, kw_only=True)
class Raw:
    """A response byte by byte, for answers that no vendor should send.

    Attributes:
        cut: Whether the connection is dropped after the body.
    """

    body: bytes
    status: int = 200
    content_type: str | None = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    cut: bool = False
    delay: float = 0


@dataclass(frozen=True, kw_only=True)
class Reset:
    """The connection is reset instead of an answer, and further ones are refused for `refuse_for` seconds."""

    refuse_for: float = 0
    delay: float = 0


Answer = Reply | Failure | Raw | Reset


def check_answers(answers: Sequence[object]) -> None:
    """Refuse what is no answer. Found only while a request is served, it would look like a lost connection.

    Raises:
        ArgumentTypeError: One of them is a text, or anything else.
    """
    for answer in answers:
        if not isinstance(answer, Answer):
            raise ArgumentTypeError(
                f"An answer has to be a Reply, Failure, Raw or Reset, such as Reply(text='Yes.'), not {answer!r}."
            )


LOGIN_PAGE: Final = Raw(
    body=b"<!doctype html><html><head><title>Sign in</title></head><body><form>Password</form></body></html>",
    content_type="text/html; charset=utf-8",
)
"""What a proxy or a captive portal answers in the place of the vendor."""
IMAGES_REFUSED: Final = Failure(status=400, message="This model does not support image input.")

CHARACTERS_A_TOKEN: Final = 4
"""About what English text has in the vocabularies of today's models."""


def estimated_tokens(text: str) -> int:
    """The tokens of a text, by its characters: at least 1 for any text."""
    return -(-len(text) // CHARACTERS_A_TOKEN)


def words(text: str) -> list[str]:
    """The pieces in which a text is streamed: they join to the text again."""
    return re.findall(r"\s*\S+|\s+$", text)


def halves(text: str) -> list[str]:
    """The pieces in which arguments are streamed: cut in the middle, wherever that is."""
    middle = len(text) // 2
    return [part for part in (text[:middle], text[middle:]) if part]


def event(data: object, name: str | None = None) -> bytes:
    """One server-sent event."""
    head = f"event: {name}\n" if name else ""
    body = data if isinstance(data, str) else json.dumps(data)
    return f"{head}data: {body}\n\n".encode()
