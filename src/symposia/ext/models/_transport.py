"""How requests get to a vendor and bytes come back. The vendors' SDKs keep authentication, retries and connections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from symposia.ext.models._bounded_bodies import BodyError
from symposia.ext.models._wire_format import Body

KEPT_START: Final = 4096
"""Bytes of a stream that are kept to show them in an error."""


@dataclass(kw_only=True, slots=True)
class Response:
    """A response, as far as it was received.

    Attributes:
        status: The HTTP status; None where the vendor is not reached by HTTP.
        content_type: The header of that name.
        body: The body; of a stream, its first bytes.
        events: The number of a stream's events so far.
        headers: The headers, by lower-case name.
        problem: Why the body was not read to its end; None if it was, or is still being read.
    """

    body: bytes
    status: int | None = None
    content_type: str = ""
    events: int = 0
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    problem: BodyError | None = None

    @property
    def label(self) -> str:
        """Status and content type, for an error's text."""
        status = "no status" if self.status is None else f"status {self.status}"
        return f"{status}, {self.content_type}" if self.content_type else status


class EventStream(Protocol):
    """A response that is streamed as events."""

    @property
    def response(self) -> Response:
        """The metadata of the response so far."""
        ...

    async def read(self) -> Sequence[bytes]:
        """The data of the events that arrived, at least one; empty at the end."""
        ...

    async def finish(self) -> None:
        """Read what little is left after the answer's end, so that the connection can be used again."""
        ...

    async def close(self) -> None:
        """End the request, whatever is still to come."""
        ...


class Transport(Protocol):
    """Sends requests to a vendor."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What its methods raise when a request fails."""
        ...

    async def send(self, body: Body, /) -> Response:
        """Send a request, and wait for the whole response."""
        ...

    async def open(self, body: Body, /) -> EventStream:
        """Send a request whose response is streamed."""
        ...

    async def close(self) -> None:
        """Give connections back. Closing twice is harmless."""
        ...
