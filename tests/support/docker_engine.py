"""The Docker engine as a test looks at it, past the code under test."""

import asyncio
import io
import sys
import time
from pathlib import Path
from typing import Any, Self

import docker
from docker.errors import NotFound

from symposia.ext.code_executors.docker._reaper import HOST_LABEL, PROCESS_LABEL, SANDBOX_LABEL, owner_labels

IMAGE = "python:3.11-slim"
GONE_SECONDS = 30.0
"""The engine removes a container in a tenth of a second, on a busy machine in some seconds."""


class Engine:
    """Blocking calls: use them in a worker thread."""

    def __init__(self) -> None:
        self._client: Any = docker.from_env()  # the SDK has no types

    def inspect(self, name: str) -> dict[str, Any]:
        return self._client.api.inspect_container(name)

    def is_there(self, name: str) -> bool:
        try:
            self.inspect(name)
        except NotFound:
            return False
        return True

    def wait_until_gone(self, name: str) -> None:
        """Wait for the removal of a container. Asks repeatedly: the engine's own wait fails if it is gone already.

        Raises:
            TimeoutError: It is still there after `GONE_SECONDS`. A test's timeout cannot end this thread.
        """
        deadline = time.monotonic() + GONE_SECONDS
        while self.is_there(name):
            if time.monotonic() > deadline:
                raise TimeoutError(f"The container {name} is still there after {GONE_SECONDS:g} s.")
            time.sleep(0.01)

    def remove(self, name: str) -> None:
        self._client.api.remove_container(name, force=True)

    def create_left_over(self) -> str:
        """Create what a program leaves that died between creating a container and starting it."""
        ended_long_ago = f"{2**22 + 1} 1"
        return self._create({**owner_labels(), PROCESS_LABEL: ended_long_ago})

    def create_of_a_live_program(self) -> str:
        return self._create(owner_labels())

    def create_of_another_machine(self) -> str:
        return self._create({SANDBOX_LABEL: "1", HOST_LABEL: "elsewhere", PROCESS_LABEL: "1 1"})

    def wait_until_volume_is_gone(self, name: str) -> None:
        """Wait until the engine has removed the volume of a container.

        Raises:
            TimeoutError: It is still there after `GONE_SECONDS`.
        """
        deadline = time.monotonic() + GONE_SECONDS
        while self._client.volumes.list(filters={"name": name}):
            if time.monotonic() > deadline:
                raise TimeoutError(f"The volume {name} is still there after {GONE_SECONDS:g} s.")
            time.sleep(0.01)

    def build(self, recipe: str, tag: str) -> None:
        self._client.images.build(fileobj=io.BytesIO(recipe.encode()), tag=tag, rm=True, network_mode="none")

    def remove_image(self, tag: str) -> None:
        self._client.images.remove(tag, force=True)

    def containers_of_this_process(self) -> list[str]:
        owner = f"{PROCESS_LABEL}={owner_labels()[PROCESS_LABEL]}"
        return [entry["Id"] for entry in self._client.api.containers(all=True, filters={"label": owner})]

    def close(self) -> None:
        self._client.close()

    async def run_program(self, program: Path) -> None:
        """Run a Python program to its end, whatever that is."""
        process = await asyncio.create_subprocess_exec(sys.executable, str(program), stderr=asyncio.subprocess.DEVNULL)
        await process.wait()
        assert process.returncode != 0

    def _create(self, labels: dict[str, str]) -> str:
        return str(self._client.api.create_container(IMAGE, "true", labels=labels)["Id"])


ENGINE_SOCKET = "/var/run/docker.sock"
CHUNK = 64 * 1024


class EngineThatGoesAway:
    """The engine behind a socket of the test's own, which goes dead when the test says so.

    It still takes connections then, and closes them: where connecting fails, the SDK leaves its socket open.

    Args:
        path: Of the socket, for ``DOCKER_HOST``.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._gone = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._relays: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        return f"unix://{self._path}"

    def go_away(self) -> None:
        self._gone = True
        for writer in self._writers:
            writer.transport.abort()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._connected, self._path)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.go_away()
        await asyncio.gather(*self._relays)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._gone:
            writer.transport.abort()
            return
        engine_reader, engine_writer = await asyncio.open_unix_connection(ENGINE_SOCKET)
        self._writers |= {writer, engine_writer}
        relays = [
            asyncio.ensure_future(_copy(reader, engine_writer)),
            asyncio.ensure_future(_copy(engine_reader, writer)),
        ]
        self._relays.update(relays)
        await asyncio.wait(relays)
        for each in (writer, engine_writer):
            each.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:  # one of the two has gone
        return
