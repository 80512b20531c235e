"""The way to a vendor through LiteLLM, which runs in this process."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final, Protocol, TypeVar, cast

from pydantic_core import from_json

from symposia.ext._litellm import load, run
from symposia.ext.models._bounded_bodies import MOST_OF_STREAM, OversizedBodyError
from symposia.ext.models._encoded_json import encode_json
from symposia.ext.models._reported_errors import reported_words
from symposia.ext.models._response_listeners import is_retried_outside
from symposia.ext.models._transport import KEPT_START, EventStream, Response
from symposia.ext.models._wire_format import Body, without_none

T = TypeVar("T")

_PREFIX: Final = re.compile(r"^(?:litellm\.)?(?:\w+: )*(?:litellm\.\w+: )?(?:\w+: )*(?:\w+Exception - )?")
_SUFFIX: Final = re.compile(r"\. Handle with `litellm\..*$", re.DOTALL)


class _Dumpable(Protocol):
    """A pydantic model of LiteLLM's."""

    def model_dump_json(self, *, exclude_none: bool, warnings: bool) -> str: ...


class _ChunkStream(Protocol):
    """LiteLLM's stream of chunks. It ends a stream that broke off with a ``finish_reason`` that no vendor sent."""

    received_finish_reason: str | None

    def __anext__(self) -> Coroutine[Any, Any, _Dumpable]: ...
    def aclose(self) -> Coroutine[Any, Any, None]: ...


class LiteLLMTransport:
    """Sends requests by ``litellm.acompletion``; see `Transport`.

    LiteLLM gives answers as objects in OpenAI's form, of which the JSON is taken. It is imported at the first request,
    in a thread. It changes the messages that it is given, so it is given copies.

    Args:
        options: What goes with every request and is none of the vendor's arguments: key, address, headers.
    """

    errors: tuple[type[Exception], ...]

    def __init__(self, options: Body) -> None:
        self._options = options
        self.errors = (LiteLLMError, OSError)

    async def send(self, body: Body, /) -> Response:
        """See `Transport.send`."""
        answer: Any = await self._ask(body)
        return _response(answer, _as_json(answer))

    async def open(self, body: Body, /) -> EventStream:
        """See `Transport.open`."""
        return _LiteLLMEventStream(await self._ask(body))

    async def _ask(self, body: Body) -> Any:  # Any: an object of LiteLLM's
        litellm = sys.modules.get("litellm") or await asyncio.to_thread(load)
        return await _run(litellm.acompletion(**self._request(body)))

    def _request(self, body: Body) -> Body:
        copied = cast("Body", from_json(encode_json({"messages": body["messages"], "tools": body.get("tools")})))
        headers = {**_mapping(self._options.get("extra_headers")), **_mapping(body.get("extra_headers"))}
        request = {**self._options, **body, **copied, "extra_headers": headers or None}
        if is_retried_outside():
            request |= {"max_retries": 0, "num_retries": 0}
        return without_none(request)

    async def close(self) -> None:
        """See `Transport.close`. LiteLLM shares its connections between all clients, and keeps them."""


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value or {})


def _as_json(answer: _Dumpable) -> bytes:
    return answer.model_dump_json(exclude_none=True, warnings=False).encode()


def _response(answer: object, body: bytes) -> Response:
    headers: Mapping[str, str] = getattr(answer, "_response_headers", None) or {}
    return Response(body=body, status=200, content_type="application/json", headers=dict(headers))


class _LiteLLMEventStream:
    """The chunks of a streamed answer as JSON, with OpenAI's end marker after them."""

    def __init__(self, stream: _ChunkStream) -> None:
        self.response = _response(stream, b"")
        self._stream = stream
        self._size = 0
        self._ended = False

    async def read(self) -> Sequence[bytes]:
        if self._ended:
            return ()
        try:
            chunk = await _run(self._stream.__anext__())
        except StopAsyncIteration:
            self._ended = True
            return (b"[DONE]",)
        self.response.events += 1
        event = _as_json(chunk)
        self._size += len(event)
        if self._size > MOST_OF_STREAM:
            raise OversizedBodyError(MOST_OF_STREAM)
        if self._stream.received_finish_reason is None:
            event = _unfinished(event)
        self.response.body = (self.response.body + event)[:KEPT_START]
        return (event,)

    async def finish(self) -> None:
        """Nothing is left: the end was read."""

    async def close(self) -> None:
        await run(self._stream.aclose())


async def _run(work: Coroutine[Any, Any, T]) -> T:  # Any: what a coroutine is sent and yields
    """Await LiteLLM's coroutine, and turn its errors into ours."""
    openai = import_module("openai")  # which LiteLLM has imported
    try:
        return await run(work)
    except openai.OpenAIError as error:  # the base class of all of its errors
        raise _as_error(error) from error


def _unfinished(event: bytes) -> bytes:
    """A chunk without a ``finish_reason``: the vendor has sent none so far."""
    chunk: dict[str, Any] = from_json(event)
    for choice in chunk.get("choices", ()):
        choice.pop("finish_reason", None)
    return encode_json(chunk)


@dataclass(frozen=True)
class _Refusal:
    """The response behind an error of LiteLLM, of which it keeps the status, the headers and the vendor's words."""

    status_code: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    is_stream_consumed: bool = True

    @property
    def content(self) -> bytes:
        return self.text.encode()


class LiteLLMError(Exception):
    """A request failed. The text holds the vendor's words, as far as LiteLLM keeps them.

    Attributes:
        response: The response; None if no response came.
    """

    def __init__(self, words: str, response: _Refusal | None = None) -> None:
        super().__init__(words)
        self.response = response


class LiteLLMTimeout(LiteLLMError):  # noqa: N818 - it is told by its name, as those of other HTTP clients are
    """A request took too long."""


def _as_error(error: Any) -> LiteLLMError:  # Any: one of LiteLLM's
    """The error with what is known of the response.

    LiteLLM gives most failures the status 500, those without any response too. The headers alone tell them apart.
    """
    words = _SUFFIX.sub("", _PREFIX.sub("", str(error.message)))
    status: object = getattr(error, "status_code", None)
    headers: Mapping[str, str] | None = getattr(error, "litellm_response_headers", None)
    is_answered = headers is not None or (isinstance(status, int) and 400 <= status < 500)  # noqa: PLR2004 - HTTP's range
    if "Timeout" in type(error).__name__:
        return LiteLLMTimeout(words)
    if not is_answered or not isinstance(status, int):
        return LiteLLMError(words)
    try:
        said = reported_words(from_json(words)) or words
    except ValueError:
        said = words
    return LiteLLMError(said, _Refusal(status, said, dict(headers or {})))
