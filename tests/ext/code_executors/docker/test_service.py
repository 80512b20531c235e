"""A program that serves connections in a container, where it cannot start: nothing of it stays."""

import asyncio
import gc
import os
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.support.docker_engine import IMAGE, Engine
from tests.support.sandboxes import require

from symposia.core.code_executor import SandboxPolicy
from symposia.core.exceptions import SandboxError
from symposia.ext.code_executors.docker import ContainerService, DockerBackend, ServiceProgram

WAIT = 60.0


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    require(DockerBackend())
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        yield listener


@pytest.mark.parametrize(
    "program",
    [
        ServiceProgram(image=IMAGE, command=["sleep", "60"], port=1, python="no-such-program"),
        ServiceProgram(image=IMAGE, command=["python3", "-c", "raise SystemExit(3)"], port=1),
    ],
    ids=["the container", "the program"],
)
async def test_no_container_and_no_connection_stays_where_it_does_not_start(
    program: ServiceProgram, listener: socket.socket
) -> None:
    engine = Engine()
    name = f"symposia-test-service-{os.getpid()}"
    with pytest.raises(SandboxError):
        async with asyncio.timeout(WAIT):
            await ContainerService.start(replace(program, container_name=name), SandboxPolicy(), listener)
    gc.collect()  # a connection that was left open is a warning, which fails the test
    await asyncio.to_thread(engine.wait_until_gone, name)
    engine.close()
