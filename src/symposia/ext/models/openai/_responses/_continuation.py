"""Requests that refer to an earlier response, so that only what is new is sent.

OpenAI keeps a stored response together with all that led to it. A request that begins with the very items of such a
conversation names the response in place of them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final, cast

from symposia.ext.models._reported_errors import reported_words
from symposia.ext.models._transport import EventStream, Response, Transport
from symposia.ext.models._wire_format import Body
from symposia.ext.models.openai._responses._answer import ResponseWire, parse_response
from symposia.ext.models.openai._responses._request import InputItem, item_digest
from symposia.ext.models.openai._responses._stream import ENDS, ResponseAssembly

REMEMBERED: Final = 10_000
"""Responses that are remembered, the latest: about 200 bytes each."""

_OF_THE_MODEL: Final = "assistant"
_UNKNOWN: Final = "previous_response_not_found"


class ContinuingTransport:
    """Sends a conversation that goes on from a response as the response's id and what is new.

    The beginning of a conversation is recognised by a hash of its items. So one that was changed, shortened or begun
    anew is sent whole, and so is one whose response the vendor no longer knows. Two rejected ways: to keep the id on
    the message alone, which would pass off a changed history as the old one; and to keep the latest response of the
    client, which agents that share a client would take from each other.

    Args:
        transport: Sends the requests.
    """

    def __init__(self, transport: Transport) -> None:
        self.errors = transport.errors
        self._transport = transport
        self._responses: OrderedDict[bytes, str] = OrderedDict()

    async def send(self, body: Body, /) -> Response:
        """See `Transport.send`."""
        if continued := self._continued(body):
            try:
                response = await self._transport.send(continued)
            except self.errors as error:
                if not _is_unknown_response(error):
                    raise
                response = await self._transport.send(body)
        else:
            response = await self._transport.send(body)
        self._remember(body, _parsed(response.body))
        return response

    async def open(self, body: Body, /) -> EventStream:
        """See `Transport.open`."""
        if continued := self._continued(body):
            try:
                stream = await self._transport.open(continued)
            except self.errors as error:
                if not _is_unknown_response(error):
                    raise
                stream = await self._transport.open(body)
        else:
            stream = await self._transport.open(body)
        return _RememberedStream(stream, self, body)

    async def close(self) -> None:
        """See `Transport.close`."""
        await self._transport.close()

    def remember_streamed(self, body: Body, events: Iterable[bytes]) -> None:
        """Remember the response that the last events of a stream hold."""
        assembly = ResponseAssembly()
        for event in events:
            assembly.feed(event)
        self._remember(body, assembly.whole())

    def _continued(self, body: Body) -> Body | None:
        """The request with the id of a response in place of the items up to it; None if it has to be sent whole."""
        items = _items(body)
        # What the model said last is where a response may end.
        end = next((place for place in range(len(items), 0, -1) if _is_of_the_model(items[place - 1])), 0)
        known = self._responses.get(_hash(item.digest for item in items[:end])) if 0 < end < len(items) else None
        if known is None or "previous_response_id" in body or "conversation" in body:
            return None
        return {**body, "previous_response_id": known, "input": items[end:]}

    def _remember(self, body: Body, response: ResponseWire | None) -> None:
        identity = response and response.get("id")
        if not (response and identity):
            return
        output = cast("Sequence[Mapping[str, object]]", response["output"])
        digests = [*(item.digest for item in _items(body)), *map(item_digest, output)]
        self._responses[_hash(digests)] = identity
        if len(self._responses) > REMEMBERED:
            self._responses.popitem(last=False)


class _RememberedStream:
    """A stream whose last events are looked at, once the answer is whole."""

    def __init__(self, stream: EventStream, transport: ContinuingTransport, body: Body) -> None:
        self._stream = stream
        self._transport = transport
        self._body = body
        self._items: list[bytes] = []

    @property
    def response(self) -> Response:
        return self._stream.response

    async def read(self) -> Sequence[bytes]:
        events = await self._stream.read()
        self._items += [event for event in events if b'"response.output_item.done"' in event or _may_be_end(event)]
        return events

    async def finish(self) -> None:
        self._transport.remember_streamed(self._body, self._items)
        await self._stream.finish()

    async def close(self) -> None:
        await self._stream.close()


def _may_be_end(event: bytes) -> bool:
    return any(kind.encode() in event for kind in ENDS)


def _parsed(body: bytes) -> ResponseWire | None:
    try:
        return parse_response(body)
    except ValueError:  # the client reports it
        return None


def _items(body: Body) -> Sequence[InputItem]:
    return cast("Sequence[InputItem]", body["input"])  # as `ResponsesFormat.write` has made them


def _is_of_the_model(item: InputItem) -> bool:
    return item.get("type") != "function_call_output" and item.get("role", _OF_THE_MODEL) == _OF_THE_MODEL


def _hash(digests: Iterable[bytes]) -> bytes:
    return sha256(b"".join(digests)).digest()


def _is_unknown_response(error: Exception) -> bool:
    body: object = getattr(error, "body", None)
    fields: Mapping[str, object] = cast("Mapping[str, object]", body) if isinstance(body, Mapping) else {}
    words = (reported_words(fields) or "").lower()
    return fields.get("code") == _UNKNOWN or ("previous response" in words and "not found" in words)
