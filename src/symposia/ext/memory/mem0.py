"""A memory by the library ``mem0``: a language model extracts facts from what is added."""

from __future__ import annotations

import copy
import inspect
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any, Final, Self, TypeVar, cast
from uuid import uuid4

from pydantic import BaseModel, Field

from symposia.core import CancellationToken, Component
from symposia.core.argument_checks import check_instance
from symposia.core.exceptions import ComponentError, InvalidArgumentError, MemoryStoreError, MissingExtraError
from symposia.core.memory import MemoryContent, MemoryMimeType, MemoryQueryResult
from symposia.ext.memory._search import SearchMemory, call_in_thread, client_start, query_limit, query_text, text_of

__all__ = ["Mem0Memory", "Mem0MemoryConfig"]

T = TypeVar("T")

_MASK: Final = "**********"
_SECRET_WORDS: Final = ("api_key", "password", "secret", "token")


class Mem0MemoryConfig(BaseModel):
    """The configuration of a `Mem0Memory`, with AutoGen's names.

    Attributes:
        user_id: Whose memories they are.
        limit: How many a query finds at most.
        is_cloud: Whether they are kept by mem0's service, in place of this program.
        api_key: The key of the service, which is not saved; by default ``MEM0_API_KEY`` of the environment.
        config: Without the service: the configuration of mem0. Keys and passwords in it are not saved.
    """

    user_id: str | None = None
    limit: int = 10
    is_cloud: bool = True
    api_key: str | None = Field(default=None, exclude=True, repr=False)
    config: dict[str, Any] | None = None


class Mem0Memory(SearchMemory, Component[Mem0MemoryConfig]):
    """Keeps what mem0 makes of the texts that are added: the words of a fact may be others than those of the text.

    Images and bytes are added as the texts in their metadata. The library's telemetry is off unless the environment
    says ``MEM0_TELEMETRY=True``.

    Args:
        user_id: Whose memories they are; by default those of a new user.
        limit: How many a query finds at most.
        is_cloud: Whether they are kept by mem0's service.
        api_key: The key of the service; by default ``MEM0_API_KEY`` of the environment.
        config: Without the service: the configuration of mem0, with its model, embedder and store.

    Raises:
        InvalidArgumentError: `is_cloud` is False, and there is no `config`; or the limit is below 1.
        MemoryStoreError: With any use: mem0, its model or its store failed.
        MissingExtraError: With the first use: ``mem0ai`` is not installed.
    """

    component_config_schema = Mem0MemoryConfig

    def __init__(
        self,
        user_id: str | None = None,
        limit: int = 10,
        is_cloud: bool = True,
        api_key: str | None = None,
        config: dict[str, Any] | None = None,
    ) -> None:
        if not is_cloud and config is None:
            raise InvalidArgumentError(
                "A Mem0Memory without mem0's service needs its configuration: give config={'llm': …, 'embedder': …, "
                "'vector_store': …}, as mem0's Memory.from_config takes it."
            )
        self._user_id = user_id or uuid4().hex
        self._limit = query_limit(type(self).__name__, limit, limit)
        self._is_cloud = is_cloud
        self._api_key = api_key
        self._config = config
        self._lock = threading.Lock()
        self._client: Any = None  # Any: the library is optional

    @property
    def name(self) -> str:
        """Whose memories they are."""
        return self._user_id

    @property
    def user_id(self) -> str:
        """Whose memories they are."""
        return self._user_id

    @property
    def limit(self) -> int:
        """How many a query finds at most."""
        return self._limit

    @property
    def is_cloud(self) -> bool:
        """Whether they are kept by mem0's service."""
        return self._is_cloud

    @property
    def config(self) -> dict[str, Any] | None:
        """The configuration of mem0."""
        return self._config

    async def add(self, content: MemoryContent, cancellation_token: CancellationToken | None = None) -> None:
        """Let mem0 remember the facts in a text. Its model may find none, and then nothing is kept."""
        check_instance("content", type(self).__name__, content, MemoryContent, "MemoryContent(content='…', …)")
        message = {"role": "user", "content": text_of(content)}
        metadata = (content.metadata or {}) | {"mime_type": content.serialize_mime_type(content.mime_type)}
        await self._call(
            lambda client: client.add([message], user_id=self._user_id, metadata=metadata), cancellation_token
        )

    async def query(
        self,
        query: str | MemoryContent = "",
        cancellation_token: CancellationToken | None = None,
        *,
        limit: int | None = None,
        **kwargs: Any,
    ) -> MemoryQueryResult:
        """Find the facts that fit a query, the best first.

        Args:
            query: Text, or a content like those looked for.
            cancellation_token: Cancelling it ends the search.
            limit: In place of the memory's own.
            kwargs: Other arguments of mem0's search.
        """
        most = query_limit(type(self).__name__, limit, self._limit)

        def search(client: Any) -> Sequence[Mapping[str, Any]]:  # Any: see `_client`
            answer = client.search(query_text(query), **_scope(client, self._user_id, most), **kwargs)
            return cast("Mapping[str, Any]", answer)["results"] if isinstance(answer, Mapping) else answer

        found = await self._call(search, cancellation_token)
        return MemoryQueryResult(results=[_content(each) for each in found][:most])

    async def forget(self, ids: Sequence[str]) -> None:
        """Remove the facts with these ids."""

        def remove(client: Any) -> None:  # Any: see `_client`
            for id_ in ids:
                client.delete(id_)

        await self._call(remove)

    async def clear(self) -> None:
        """Forget everything of this user."""
        await self._call(lambda client: client.delete_all(user_id=self._user_id))

    async def close(self) -> None:
        """Close the client, after the calls that are under way. It is made again by the next call."""
        await call_in_thread(self._close_now)

    def _close_now(self) -> None:
        with self._lock:  # after the call that is under way
            client: Any = self._client  # Any: see there
            self._client = None
            # The memory of this machine has a `close`. The client of the service has none, but an HTTP client.
            closable = client if hasattr(client, "close") else getattr(client, "client", None)
            if closable is not None:
                closable.close()

    async def _call(self, function: Callable[[Any], T], token: CancellationToken | None = None) -> T:
        return await call_in_thread(partial(self._call_now, function), token)

    def _call_now(self, function: Callable[[Any], T]) -> T:  # Any: see `_client`
        # One call at a time: the library's history is one connection to SQLite, and its facts are read and then
        # written, so that what two calls extract at the same time would be lost.
        with self._lock:
            try:
                with client_start:
                    if self._client is None:
                        self._client = self._make_client()
                return function(self._client)
            except MissingExtraError:
                raise
            except Exception as error:
                raise MemoryStoreError(
                    f"mem0 failed for the user {self._user_id!r}: {type(error).__name__}: {error}. Check its "
                    "configuration, and that its model, embedder and store can be reached."
                ) from error

    def _make_client(self) -> Any:  # Any: see `_client`
        try:
            mem0 = import_module("mem0")  # apart from `all`, so that type checkers do not find it
            telemetry: Any = import_module("mem0.memory.telemetry")
        except ImportError as error:
            raise MissingExtraError("Mem0Memory", "mem0") from error
        if os.environ.get("MEM0_TELEMETRY", "False").lower() not in {"true", "1", "yes"}:
            # Rejected: its own switch. It is read when the library is imported, which the program may have done before,
            # and each call still makes a client of the telemetry, with a thread that stays.
            telemetry.AnonymousTelemetry = _NoTelemetry
            former, telemetry.client_telemetry = telemetry.client_telemetry, _NoTelemetry()
            former.close()
        if self._is_cloud:
            return mem0.MemoryClient(api_key=self._api_key)
        return mem0.Memory.from_config(copy.deepcopy(self._config))  # which it changes

    def _to_config(self) -> Mem0MemoryConfig:
        return Mem0MemoryConfig(
            user_id=self._user_id,
            limit=self._limit,
            is_cloud=self._is_cloud,
            config=cast("dict[str, Any] | None", _masked(self._config)),
        )

    @classmethod
    def _from_config(cls, config: Mem0MemoryConfig) -> Self:
        if _MASK in repr(config.config):
            raise ComponentError(f"The keys of a Mem0Memory are not saved: write them in place of {_MASK!r}.")
        return cls(config.user_id, config.limit, config.is_cloud, config.api_key, config.config)


class _NoTelemetry:
    """In place of the library's telemetry, with its methods."""

    def __init__(self, vector_store: object = None) -> None:
        """Make nothing."""

    def capture_event(self, *_: object, **__: object) -> None:
        """Send nothing."""

    def close(self) -> None:
        """Nothing to close."""


def _scope(client: Any, user_id: str, limit: int) -> dict[str, Any]:  # Any: see `Mem0Memory`
    """Whose facts are searched for, and how many, as the installed version of the library wants it said."""
    parameters = inspect.signature(client.search).parameters
    if "limit" in parameters:  # before version 1.0
        return {"user_id": user_id, "limit": limit}
    if "top_k" in parameters or "options" in parameters:
        return {"filters": {"user_id": user_id}, "top_k": limit}
    return {"user_id": user_id, "top_k": limit}  # the service's client before version 1.0


def _content(found: Mapping[str, Any]) -> MemoryContent:
    metadata = dict(found.get("metadata") or {})
    mime_type = str(metadata.pop("mime_type", MemoryMimeType.TEXT.value))
    metadata |= {name: found[name] for name in ("id", "score") if name in found}
    return MemoryContent(content=str(found["memory"]), mime_type=mime_type, metadata=metadata)


def _masked(value: object) -> object:
    """A configuration without its keys and passwords."""
    if isinstance(value, Mapping):
        items = cast("Mapping[str, object]", value).items()
        return {name: _MASK if item and _is_secret(name) else _masked(item) for name, item in items}
    return [_masked(item) for item in cast("list[object]", value)] if isinstance(value, list) else value


def _is_secret(name: str) -> bool:
    return any(name.lower().endswith(word) for word in _SECRET_WORDS)
