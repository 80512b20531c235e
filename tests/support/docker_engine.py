"""The Docker engine as a test looks at it, past the code under test."""

import asyncio
import io
import sys
import time
from pathlib import Path
from typing import Any

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
