"""The Docker engine: found by ``DOCKER_HOST`` or at its default socket, and used without blocking the event loop.

The ``docker`` SDK is synchronous and has no types: each call runs in a worker thread, and `EngineClient` states the few
calls that are used. Requests are the engine API's own JSON, so that what is asked for can be read in its reference.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import socket
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import ModuleType
from typing import IO, Final, ParamSpec, Protocol, TypeVar, cast

from typing_extensions import TypedDict

from symposia.core import uninterrupted
from symposia.core.exceptions import MissingExtraError, SandboxError, SandboxUnavailableError

ANY_VERSION: Final = "1.41"  # a client of a stated version sends no request until it is used
PROBE_SECONDS: Final = 5.0
NOT_ANSWERING: Final = (
    "No Docker engine answers ({detail}). Install Docker (Debian, Ubuntu: apt install docker.io) and start it "
    "(systemctl start docker), or point DOCKER_HOST at one that runs."
)
NOT_ALLOWED: Final = (
    "The Docker engine's socket {path} may not be used by this user. Add the user to the group docker "
    "(sudo usermod -aG docker $USER, then log in again)."
)
NOT_AN_ADDRESS: Final = (
    "DOCKER_HOST is {host!r}, which is no address of a Docker engine ({detail}). Set it to one, such as "
    "unix:///var/run/docker.sock, or unset it."
)
NOT_ATTACHABLE: Final = (
    "The Docker engine at {address} is reached through TLS or SSH, which the sandbox's attach stream cannot pass. "
    "Use an engine on this machine or one at a tcp:// address."
)

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

    def version(self) -> Json: ...
    def info(self) -> Json: ...
    def close(self) -> None: ...
    def create_container_from_config(self, config: Json, name: str | None = None) -> Json: ...
    def attach_socket(self, container: str, params: Json) -> IO[bytes]: ...
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


async def connection_of(stream: IO[bytes]) -> socket.socket:
    """Take over the connection under a stream of the SDK, as a socket for the event loop."""

    def take_over() -> socket.socket:
        # A duplicate, as the SDK closes its own with the response that holds it. Reading through the SDK was rejected:
        # it blocks, so that each sandbox would keep a thread.
        connection = socket.socket(fileno=socket.dup(stream.fileno()))
        connection.setblocking(False)
        response = getattr(stream, "_response", None)  # the SDK keeps it there so that it is not closed too early
        if response is not None:
            response.close()
        stream.close()
        return connection

    return await asyncio.to_thread(take_over)


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


async def connect_engine() -> EngineClient:
    """Connect to the engine.

    Raises:
        MissingExtraError: The ``docker`` SDK is not installed.
        SandboxUnavailableError: No engine answers, or it cannot be used; the text says what to do.
    """
    connecting = asyncio.ensure_future(asyncio.to_thread(_connect))
    try:
        return await uninterrupted(connecting)
    except asyncio.CancelledError:  # the thread goes on all the same, and its client would stay open
        if connecting.exception() is None:
            connecting.result().close()
        raise


def _connect() -> EngineClient:
    try:
        docker = importlib.import_module("docker")
    except ImportError:
        raise MissingExtraError("The Docker sandbox", "docker") from None
    try:
        _try_address(docker)
        client = cast("EngineClient", docker.from_env().api)
        client.version()
    except (docker.errors.DockerException, OSError, ValueError) as error:  # ValueError: an answer that is no JSON
        raise SandboxUnavailableError(NOT_ANSWERING.format(detail=error)) from error
    return client


def _try_address(docker: ModuleType) -> None:
    """Check the address and the socket before the SDK does, whose errors hide the reason in their text.

    Raises:
        SandboxUnavailableError: No engine answers, or it cannot be used from here.
    """
    host = os.environ.get("DOCKER_HOST", "")
    if host.startswith("ssh://") or os.environ.get("DOCKER_TLS_VERIFY"):
        raise SandboxUnavailableError(NOT_ATTACHABLE.format(address=host or "its default address"))
    try:
        unconnected = docker.from_env(version=ANY_VERSION).api
    except docker.errors.TLSParameterError:
        raise
    except (docker.errors.DockerException, ValueError) as error:  # ValueError: of the standard library's URL parser
        raise SandboxUnavailableError(NOT_AN_ADDRESS.format(host=host, detail=error)) from error
    address = str(unconnected.base_url)
    path = getattr(unconnected.adapters.get("http+docker://"), "socket_path", None)
    unconnected.close()
    if address.startswith(("https://", "http+docker://ssh")):
        raise SandboxUnavailableError(NOT_ATTACHABLE.format(address=address))
    if path is None:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(PROBE_SECONDS)
        try:
            probe.connect(path)
        except PermissionError as error:
            raise SandboxUnavailableError(NOT_ALLOWED.format(path=path)) from error
        except OSError as error:
            detail = f"{path}: {error.strerror or error}"
            raise SandboxUnavailableError(NOT_ANSWERING.format(detail=detail)) from error
