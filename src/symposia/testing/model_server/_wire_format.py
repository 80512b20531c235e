"""The server's end of a vendor's wire format: requests are read, checked and answered as the vendor's servers do.

Each format is a module of this package with the names of `WireFormat`. `_server.py` lists them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol

from symposia.testing.model_server._answers import Reply
from symposia.testing.model_server._conversation import Conversation

Fields = Mapping[str, Any]  # JSON, from any client
"""The fields of a request's body, and those that its path names: the groups of `WireFormat.PATH`, such as a model."""

MISREADINGS: Final = (LookupError, TypeError, ValueError, AttributeError, RecursionError)
"""What reading and writing JSON of another shape raise."""


class WireFormat(Protocol):
    """The names of a format's module.

    `NAME` is the format's name in rules and records, such as ``"openai"``. `PATH` matches the whole path of its
    requests; its named groups are fields of the request. `STREAM_TYPE` is the content type of a streamed answer.

    The functions may raise any of `MISREADINGS` for a request that is not of the format. It is answered with status
    400.
    """

    @property
    def NAME(self) -> str: ...  # noqa: N802 - a constant of the module
    @property
    def PATH(self) -> re.Pattern[str]: ...  # noqa: N802 - likewise
    @property
    def STREAM_TYPE(self) -> str: ...  # noqa: N802 - likewise

    def conversation(self, fields: Fields, /) -> Conversation:
        """What a request says, in no vendor's terms."""
        ...

    def complaint(self, fields: Fields, headers: Mapping[str, str], /) -> str | None:
        """Why the vendor would refuse this request, if it would."""
        ...

    def whole(self, reply: Reply, fields: Fields, /) -> object:
        """The body of the answer to a request that does not stream, as JSON."""
        ...

    def events(self, reply: Reply, fields: Fields, /) -> Iterator[bytes]:
        """The pieces of the answer to a request that streams."""
        ...

    def error(self, status: int, message: str, /) -> object:
        """The body of an error, as JSON."""
        ...
