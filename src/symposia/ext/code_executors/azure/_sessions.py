"""The REST interface of dynamic sessions: code and files of one session, with the credential's token.

The version of the interface is AutoGen's (``2024-02-02-preview``), so that a pool that serves AutoGen serves this too.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, cast, runtime_checkable
from urllib.parse import quote

from symposia._lazy import lazy_module
from symposia.core.exceptions import SandboxServiceError
from symposia.ext.code_executors._services import ServiceClient, mapping

if TYPE_CHECKING:
    import aiohttp
else:
    aiohttp = lazy_module("aiohttp")

API_VERSION: Final = "2024-02-02-preview"
SCOPE: Final = "https://dynamicsessions.io/.default"
RENEWAL_SECONDS: Final = 300
"""Before its end, a token is replaced: a block that starts with it may run for minutes."""
SUCCESS: Final = frozenset({"success", "succeeded"})


@runtime_checkable
class AccessToken(Protocol):
    """A token, as ``azure.core.credentials.AccessToken``."""

    @property
    def token(self) -> str:
        """The text that is sent."""
        ...

    @property
    def expires_on(self) -> int:
        """When it ends, in seconds since 1970."""
        ...


class TokenProvider(Protocol):
    """Gives tokens, as the credentials of ``azure.identity``. It is called in a worker thread."""

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        **kwargs: Any,  # Any: what a credential takes
    ) -> AccessToken:
        """Give a token for these scopes."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionRun:
    """What code did in a session.

    Attributes:
        succeeded: Whether it ended without an error.
        value: The value of its last line: a text, or a JSON value that describes an image.
    """

    succeeded: bool
    stdout: str
    stderr: str
    value: object


class SessionPool:
    """The requests to a pool of sessions.

    Args:
        endpoint: The pool's management endpoint.
        credential: Gives the tokens.
        feature: What needs it, for the error that an extra is missing.

    Raises:
        MissingExtraError: ``aiohttp`` is not installed.
    """

    def __init__(self, endpoint: str, credential: TokenProvider, *, feature: str) -> None:
        self._service = ServiceClient("The session pool", endpoint, feature=feature, extra="azure")
        self._credential = credential
        self._token: AccessToken | None = None
        self._renewing = asyncio.Lock()

    async def run(self, session: str, code: str, seconds: float) -> SessionRun:
        """Run code.

        Raises:
            SandboxServiceError: The service refuses, with its words, or cannot be reached.
            TimeoutError: It did not end in time. It may run on.
        """
        properties = {"codeInputType": "inline", "executionType": "synchronous", "code": code}
        answer = await self._service.request_json(
            "POST",
            "/code/execute",
            headers=await self._headers(),
            query=_query(session),
            body={"properties": properties},
            seconds=seconds,
        )
        ran = mapping(mapping(answer).get("properties"))
        if not isinstance(ran.get("status"), str):
            raise SandboxServiceError(f"The session pool at {self._service.url} answered without the code's status.")
        return SessionRun(
            succeeded=str(ran["status"]).lower() in SUCCESS,
            stdout=_text(ran.get("stdout")),
            stderr=_text(ran.get("stderr")),
            value=ran.get("result", ran.get("executionResult")),
        )

    async def list_files(self, session: str) -> list[str]:
        """The names of the files of a session.

        Raises:
            SandboxServiceError: The service refuses, with its words, or cannot be reached.
            TimeoutError: There was no answer in time.
        """
        answer = await self._service.request_json("GET", "/files", headers=await self._headers(), query=_query(session))
        found = mapping(answer).get("value")
        entries = cast("list[object]", found) if isinstance(found, list) else []
        return [name for entry in entries if (name := _text(mapping(mapping(entry).get("properties")).get("filename")))]

    async def put_file(self, session: str, name: str, data: bytes) -> None:
        """Put a file into a session.

        Raises:
            SandboxServiceError: The service refuses, with its words, or cannot be reached.
            TimeoutError: There was no answer in time.
        """
        await self._service.session()  # imports what the next line needs, in a worker thread
        form = aiohttp.FormData()
        form.add_field("file", data, filename=name, content_type="application/octet-stream")
        await self._service.request(
            "POST", "/files/upload", headers=await self._headers(), query=_query(session), form=form
        )

    async def get_file(self, session: str, name: str) -> bytes:
        """Read a file of a session.

        Raises:
            SandboxServiceError: The service refuses, with its words, or cannot be reached.
            TimeoutError: There was no answer in time.
        """
        path = f"/files/content/{quote(name, safe='')}"
        return await self._service.request("GET", path, headers=await self._headers(), query=_query(session))

    async def close(self) -> None:
        """Close the connections. A later request opens them again."""
        await self._service.close()

    async def _headers(self) -> Mapping[str, str]:
        async with self._renewing:
            if self._token is None or self._token.expires_on - RENEWAL_SECONDS < time.time():
                self._token = await asyncio.to_thread(self._credential.get_token, SCOPE)
            return {"Authorization": f"Bearer {self._token.token}"}


def _query(session: str) -> Mapping[str, str]:
    return {"api-version": API_VERSION, "identifier": session}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
