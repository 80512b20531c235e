"""The Docker engine, used without blocking the event loop.

The ``docker`` SDK is synchronous and has no types: each call runs in a worker thread, and `EngineClient` states the few
calls that are used. Requests are the engine API's own JSON, so that what is asked for can be read in its reference.
"""

from __future__ import annotations

import asyncio
import importlib
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import IO, Final, ParamSpec, Protocol, TypeVar, cast

from typing_extensions import TypedDict

from symposia.core import uninterrupted
from symposia.core.exceptions import SandboxError

P = ParamSpec("P")
T = TypeVar("T")
Json = Mapping[str, object]
"""Requests to the engine and its answers, in its API's JSON. Each reader takes the fields that it needs."""


class LabelledEntry(TypedDict):
    """The used fields of a container or a network in the engine's lists."""

    Id: str
    Labels: dict[str, str]


class ContainerEntry(LabelledEntry):
    """The used fields of a container: `Created` is in seconds since the epoch."""

    Created: float


class ImageEntry(TypedDict):
    """The used fields of an image: its names, and `Created` in seconds since the epoch."""

    RepoTags: list[str] | None
    Created: float


class ContainerStats(TypedDict, total=False):
    """The used fields of what a container uses."""

    memory_stats: Mapping[str, object]


class EngineClient(Protocol):
    """The used methods of ``docker.APIClient``."""

    base_url: str
    trust_env: bool
    verify: bool | str | None
    cert: tuple[str, str] | None
    adapters: Mapping[str, object]

    @property
    def api_version(self) -> str: ...
    def version(self, api_version: bool = True) -> Json: ...
    def info(self) -> Json: ...
    def close(self) -> None: ...
    def create_container_from_config(self, config: Json, name: str | None = None) -> Json: ...
    def exec_create(self, container: str, cmd: Sequence[str], *, stdin: bool) -> Json: ...
    def put_archive(self, container: str, path: str, data: IO[bytes]) -> bool: ...
    def start(self, container: str) -> None: ...
    def wait(self, container: str, *, condition: str | None = None) -> Json: ...
    def logs(self, container: str) -> bytes: ...
    def remove_container(self, container: str, *, v: bool = False, force: bool = False) -> None: ...
    def containers(self, *, all: bool, filters: Json) -> list[ContainerEntry]: ...  # noqa: A002 - the SDK's name
    def stats(self, container: str, *, stream: bool, one_shot: bool) -> ContainerStats: ...
    def networks(self, *, filters: Json) -> list[LabelledEntry]: ...
    def remove_network(self, net_id: str) -> None: ...
    def inspect_container(self, container: str) -> Json: ...
    def images(self, name: str) -> list[ImageEntry]: ...
    def remove_image(self, image: str) -> object: ...
    def inspect_image(self, image: str) -> Json: ...
    def pull(self, repository: str, tag: str, *, stream: bool, decode: bool) -> Iterable[Json]: ...
    def build(
        self,
        *,
        fileobj: IO[bytes],
        custom_context: bool,
        tag: str,
        rm: bool,
        forcerm: bool,
        network_mode: str,
        decode: bool,
    ) -> Iterable[Json]: ...


class EngineNotFoundError(SandboxError):
    """The engine has no such image or container."""


class EngineConflictError(SandboxError):
    """The engine has something of this name already, or is removing it."""


ERRORS_BY_STATUS: Final[Mapping[int | None, type[SandboxError]]] = {404: EngineNotFoundError, 409: EngineConflictError}


async def ask(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Make one call of the engine's client in a worker thread.

    A call that has begun is waited for even when the caller is cancelled, so that the caller knows what it has to undo.

    Raises:
        EngineNotFoundError: The object of the call does not exist.
        EngineConflictError: There is a conflict: a name is taken, or a removal is under way.
        SandboxError: The engine refused or did not answer.
    """
    return await uninterrupted(asyncio.ensure_future(asyncio.to_thread(_translated, call, *args, **kwargs)))


def ignore(_progress: Json) -> None:
    """A listener to a long task that does nothing."""


async def follow(begin: Callable[[], Iterable[Json]], listener: Callable[[Json], None] = ignore) -> None:
    """Run a long task of the engine to its end.

    Cancelling takes effect when the engine next reports progress.

    Args:
        begin: Starts the task and returns its progress; called in a worker thread.
        listener: Called on the event loop with each piece of the progress.

    Raises:
        SandboxError: The engine refused, or the work failed.
    """
    given_up = threading.Event()
    tell = partial(asyncio.get_running_loop().call_soon_threadsafe, listener)
    running = asyncio.ensure_future(asyncio.to_thread(_translated, _follow, begin, tell, given_up))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        given_up.set()
        await uninterrupted(running)
        raise


async def engine_machine(client: EngineClient) -> str:
    """The architecture of the engine's machine, as Docker names it: ``amd64``, ``arm64``."""
    return str((await ask(client.version))["Arch"])


async def maps_users(client: EngineClient) -> bool:
    """Whether user ids in a container are others than on its machine, as the engine is rootless or maps them."""
    options = cast("Sequence[str]", (await ask(client.info)).get("SecurityOptions") or ())
    return any(option.startswith(("name=userns", "name=rootless")) for option in options)


async def engine_runtimes(client: EngineClient) -> frozenset[str]:
    """The names of the runtimes that the engine can run containers with."""
    return frozenset(cast("Mapping[str, object]", (await ask(client.info)).get("Runtimes") or {}))


def _follow(begin: Callable[[], Iterable[Json]], tell: Callable[[Json], object], given_up: threading.Event) -> None:
    """Consume the progress. The engine reports a failure in it, and not by a status."""
    for progress in begin():
        if "error" in progress:
            raise SandboxError(str(progress["error"]))
        tell(progress)
        if given_up.is_set():
            return


def _translated(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    docker = importlib.import_module("docker")
    try:
        return call(*args, **kwargs)
    except (docker.errors.DockerException, OSError) as error:
        kind = ERRORS_BY_STATUS.get(getattr(error, "status_code", None), SandboxError)
        raise kind(f"The Docker engine answered: {error}") from error
