"""The pure half of a vendor's client: a request as JSON, and answers read from JSON. No I/O happens here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

from pydantic import BaseModel

from symposia.core import CancellationToken
from symposia.core.exceptions import PartialAnswer
from symposia.core.models import CreateResult, LLMMessage, RequestUsage
from symposia.core.tools import Tool, ToolSchema

W = TypeVar("W")
W_co = TypeVar("W_co", covariant=True)

Body: TypeAlias = dict[str, object]
"""A request as JSON, with the SDK's own options (``extra_headers``, ``timeout``, …) beside the vendor's fields."""
JsonObject: TypeAlias = dict[str, Any]  # Any: JSON of a model, a vendor or a tool's schema

ToolChoice: TypeAlias = Tool | Literal["auto", "required", "none"]
JsonOutput: TypeAlias = bool | type[BaseModel] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatRequest:
    """The arguments of `ChatCompletionClient.create`, with their defaults."""

    messages: Sequence[LLMMessage]
    tools: Sequence[Tool | ToolSchema] = ()
    tool_choice: ToolChoice = "auto"
    json_output: JsonOutput = None
    extra_create_args: Mapping[str, object] = field(default_factory=dict[str, object])
    cancellation_token: CancellationToken | None = None

    def form(self, usual: JsonOutput) -> JsonOutput:
        """The form of the answer: the client's usual one, where the call asks for none."""
        return usual if self.json_output is None else self.json_output


class StreamAssembly(Protocol[W_co]):
    """A streamed answer that is being put together."""

    @property
    def complete(self) -> bool:
        """Whether the vendor marked the end of the stream, so that reading can stop."""
        ...

    @property
    def usage(self) -> RequestUsage:
        """The tokens that the vendor has counted so far; zero for those that it has not."""
        ...

    def feed(self, event: bytes, /) -> str:
        """Take the data of the next event, and return the text that it adds to the answer.

        Raises:
            ValueError: It is not an event of this format, or it reports an error.
        """
        ...

    def whole(self) -> W_co:
        """The answer as the vendor would have sent it without streaming.

        Raises:
            ValueError: The vendor's end marker has not come. The end of the bytes is not one: connections are cut, and
                proxies end streams that their upstream left unfinished.
        """
        ...

    def partial(self) -> PartialAnswer:
        """The part of the answer that has arrived."""
        ...


class WireFormat(Protocol[W]):
    """How a vendor writes requests and answers. `W` is the type of an answer as JSON, after it was checked."""

    def write(self, request: ChatRequest, /, *, stream: bool) -> Body:
        """A request as JSON.

        A format may ask for a stream where a whole answer was wanted, by ``"stream": True``; the client collects it.

        Raises:
            ValueError: The vendor cannot be asked this.
        """
        ...

    def parse(self, data: bytes, /) -> W:
        """The body of a response that was not streamed, checked to be an answer.

        Raises:
            ValueError: It is not an answer of this format, or it reports an error.
        """
        ...

    def read(self, whole: W, /) -> CreateResult:
        """The result of an answer.

        Raises:
            ValueError: The answer contradicts itself.
        """
        ...

    def assembly(self) -> StreamAssembly[W]:
        """An empty assembly, for one streamed answer."""
        ...


def without_none(arguments: Mapping[str, object]) -> Body:
    """The arguments that were given: programs pass None for those that they do not give."""
    return {name: value for name, value in arguments.items() if value is not None}
