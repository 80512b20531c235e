"""A program that serves connections, in a hardened container without a network.

The container has no network, so no port of it can be published. Each connection to a port of loopback here is carried
into the container by a small relay, which the engine runs there (`docker exec`), to the program's port on the
container's own loopback. Rejected: a published port on a bridge, which gives the code the network; an internal network,
whose addresses only a program on the engine's own machine can reach.

The first process of the container starts the program and ends when its stdin does, which is this process's attach
stream: so the container ends when its owner does, however that ends.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from symposia.core import uninterrupted
from symposia.core.code_executor import SandboxPolicy
from symposia.core.exceptions import SandboxError, SandboxUnavailableError
from symposia.ext.code_executors.docker._address import connect_engine, given_address, is_remote
from symposia.ext.code_executors.docker._container import container_config
from symposia.ext.code_executors.docker._engine import EngineClient, ask
from symposia.ext.code_executors.docker._reaper import owner_labels, remove, remove_left_over
from symposia.ext.code_executors.docker._streams import open_stream
from symposia.ext.code_executors.docker._transport import STDOUT, Attachment, FrameSplitter, start_attached

READY: Final = b"ready\n"
START_SECONDS: Final = 60.0
CHUNK: Final = 64 * 1024
NOT_SHARED: Final = (
    "{folder} of this machine cannot be shared with the Docker engine at {address}, which has files of its own. Leave "
    "out the shared folder (bind_dir), or use an engine on this machine."
)
SUPERVISOR: Final = """
import os, socket, subprocess, sys, threading, time
port, command = int(sys.argv[1]), sys.argv[2:]
program = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=2)

def end_with_owner():
    while os.read(0, 65536):
        pass
    os._exit(0)

def tell_when_ready():
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            os.write(1, b"ready\\n")
            return

for task in (end_with_owner, tell_when_ready):
    threading.Thread(target=task, daemon=True).start()
while True:  # the first process of a container is the parent of all orphans
    process, status = os.wait()
    if process == program.pid:
        os._exit(os.waitstatus_to_exitcode(status) & 255)
"""
RELAY: Final = """
import os, socket, sys, threading
connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))

def send():
    while data := os.read(0, 65536):
        connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)

def receive():  # acknowledged at once: a server that waits for it before its next small packet would wait 40 ms
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    return connection.recv(65536)

threading.Thread(target=send, daemon=True).start()
while data := receive():
    while data:
        data = data[os.write(1, data):]
os._exit(0)
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceProgram:
    """A program that serves connections in a container.

    Attributes:
        image: The image of the container, which the engine has. It needs a ``python3``.
        command: The program and its arguments.
        python: The interpreter for the small programs that start and reach it.
        port: Where the program listens.
        environment: Its variables beside those of the image.
        work_folder: Where it runs: a file system in memory, or `shared_folder`.
        shared_folder: A folder of the host in the place of `work_folder`, which the program may write to.
        container_name: None: made up by the engine.
    """

    image: str
    command: Sequence[str]
    port: int
    python: str = "python3"
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    work_folder: str = "/work"
    shared_folder: Path | None = None
    container_name: str | None = None


class ContainerService:
    """A running `ServiceProgram`, reached through a port of loopback. `start` makes one.

    Attributes:
        port: The port of 127.0.0.1 that leads to the program.
    """

    def __init__(self, client: EngineClient, container: str, attachment: Attachment, program: ServiceProgram) -> None:
        self.port = 0
        self._client = client
        self._container = container
        self._attachment = attachment
        self._program = program
        self._listener: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._draining: asyncio.Task[bytes] | None = None
        self._closed = False

    @classmethod
    async def start(cls, program: ServiceProgram, policy: SandboxPolicy, listener: socket.socket) -> ContainerService:
        """Start a container, and wait until its program takes connections.

        Args:
            program: What runs in it.
            policy: Its limits.
            listener: A bound socket, whose connections go to the program.

        Raises:
            SandboxUnavailableError: The engine cannot be used, or the program does not start.
        """
        client = await connect_engine()
        labels = await asyncio.to_thread(owner_labels)
        try:
            _check_sharing(program, client)
            await remove_left_over(client)
            config = await asyncio.to_thread(_config, program, policy, labels)
            attachment, container = await start_attached(client, config, labels, program.container_name)
        except BaseException:
            await uninterrupted(asyncio.to_thread(client.close))
            raise
        service = cls(client, container, attachment, program)
        try:
            await service._wait_until_ready()
            service._listener = await asyncio.start_server(service._connected, sock=listener)
            service.port = int(listener.getsockname()[1])
        except BaseException:
            await uninterrupted(service.close())
            raise
        return service

    @property
    def is_alive(self) -> bool:
        """Whether the container runs."""
        return not self._closed and self._draining is not None and not self._draining.done()

    async def close(self) -> None:
        """Remove the container, and everything in it. Closing twice is harmless."""
        if self._closed:
            return
        self._closed = True
        if self._listener is not None:
            self._listener.close()
        for each in (*self._connections, *([self._draining] if self._draining else [])):
            each.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        self._attachment.writer.close()
        try:
            await remove(self._client, self._container)
        finally:
            await asyncio.to_thread(self._client.close)

    async def _wait_until_ready(self) -> None:
        try:
            async with asyncio.timeout(START_SECONDS):
                said = await self._attachment.reader.readline()
        except (TimeoutError, ValueError):
            said = b""
        if said != READY:
            raise SandboxUnavailableError(
                f"{self._program.command[0]} in a container of {self._program.image} takes no connections at port "
                f"{self._program.port}. It said: {self._attachment.protocol.stderr.strip() or 'nothing'}"
            )
        # Read on, though nothing more is expected: the end of the stream is the end of the container.
        self._draining = asyncio.create_task(_drain(self._attachment.reader))

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Not a coroutine function, of which asyncio would make the task: `close` could not know one that has not begun,
        # and a task that is cancelled before it has begun closes nothing.
        if self._closed:
            writer.close()
            return
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)

        def forget(task: asyncio.Task[None]) -> None:
            self._connections.discard(task)
            writer.close()

        task.add_done_callback(forget)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, SandboxError):  # the engine carries no connection into a container that has ended
            await self._relay(reader, writer)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opening = asyncio.ensure_future(self._open_relay())
        try:
            inner_reader, inner_writer = await asyncio.shield(opening)
        except asyncio.CancelledError:
            # Its threads cannot be interrupted, and what they return would stay open.
            with suppress(OSError, SandboxError):
                _, inner_writer = await uninterrupted(opening)
                inner_writer.close()
            raise
        outward = asyncio.ensure_future(_copy_out(inner_reader, writer))
        inward = asyncio.ensure_future(_copy_in(reader, inner_writer))
        try:
            await asyncio.wait([outward, inward], return_when=asyncio.FIRST_COMPLETED)
        finally:
            outward.cancel()
            inward.cancel()
            await asyncio.gather(outward, inward, return_exceptions=True)
            inner_writer.close()

    async def _open_relay(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        command = [self._program.python, "-c", RELAY, str(self._program.port)]
        made = await ask(self._client.exec_create, self._container, command, stdin=True)
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        settings = {"Tty": False, "Detach": False}
        transport = await open_stream(self._client, f"/exec/{made['Id']}/start", protocol, body=settings)
        return reader, asyncio.StreamWriter(transport, protocol, reader, asyncio.get_running_loop())


async def _copy_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()


async def _copy_out(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    splitter = FrameSplitter()
    while data := await reader.read(CHUNK):
        for stream, part in splitter.feed(data):
            if stream == STDOUT:
                writer.write(part)
        await writer.drain()


async def _drain(reader: asyncio.StreamReader) -> bytes:
    while data := await reader.read(CHUNK):
        del data
    return b""


def _check_sharing(program: ServiceProgram, client: EngineClient) -> None:
    if program.shared_folder is not None and is_remote(client):
        raise SandboxUnavailableError(NOT_SHARED.format(folder=program.shared_folder, address=given_address(client)))


def _config(program: ServiceProgram, policy: SandboxPolicy, labels: Mapping[str, str]) -> dict[str, object]:
    """The request for the container. It is that of a sandbox, but for the variables and the folder."""
    command = [program.python, "-c", SUPERVISOR, str(program.port), *program.command]
    config = container_config(image=program.image, command=command, policy=policy, mounts=(), labels=labels)
    host = config["HostConfig"]
    work = host["Tmpfs"].pop(config["WorkingDir"])
    user = config["User"]
    mounts: list[Mapping[str, object]] = []
    if program.shared_folder is None:
        host["Tmpfs"][program.work_folder] = work
    else:
        source = program.shared_folder.absolute()
        owner = source.stat()
        if owner.st_uid:  # a program of root in the container could write whatever root of the host can read
            user = f"{owner.st_uid}:{owner.st_gid}"
        mounts.append({"Type": "bind", "Source": str(source), "Target": program.work_folder, "ReadOnly": False})
    home = {"HOME": "/tmp"}  # noqa: S108 - of the container, whose root cannot be written
    return {
        **config,
        "User": user,
        "WorkingDir": program.work_folder,
        "Env": [f"{name}={value}" for name, value in {**home, **program.environment}.items()],
        "HostConfig": {**host, "Mounts": mounts},
    }
