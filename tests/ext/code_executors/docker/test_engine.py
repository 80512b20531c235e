"""What is said when there is no engine, none that may be used, or one that fails."""

import asyncio
import gc
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.docker_engine import EngineThatGoesAway
from tests.support.sandboxes import require

from symposia.core import CancellationToken
from symposia.core.code_executor import CodeBlock, SandboxPolicy
from symposia.core.exceptions import MissingExtraError, SandboxUnavailableError
from symposia.ext.code_executors.docker import DockerBackend, DockerCommandLineCodeExecutor
from symposia.ext.code_executors.docker._service import ContainerService, ServiceProgram

WAIT = 10.0
WAIT_FOR_ENGINE = 60.0


class SocketOfAnotherGroup(socket.socket):
    def connect(self, address: object, /) -> None:
        raise PermissionError(13, "Permission denied")


@pytest.fixture
def silent_socket(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        yield path


async def reason() -> str:
    async with asyncio.timeout(WAIT):
        found = await DockerBackend().unavailable_reason()
    assert found is not None
    return found


async def test_without_an_engine_it_says_what_to_install_and_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    said = await reason()
    assert "No Docker engine answers" in said
    assert "apt install docker.io" in said
    assert "systemctl start docker" in said


async def test_creating_a_sandbox_without_an_engine_raises_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    async with asyncio.timeout(WAIT):
        with pytest.raises(SandboxUnavailableError, match="No Docker engine answers"):
            await DockerBackend().create(SandboxPolicy())


@pytest.mark.parametrize("address", ["engine", "tcp://", "tcp://127.0.0.1:99999", "http://[", " "])
async def test_a_variable_that_is_no_address_is_named(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", address)
    assert f"DOCKER_HOST is {address!r}, which is no address" in await reason()


async def test_a_server_that_is_no_engine_is_not_answering(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        assert "No Docker engine answers" in await reason()


async def test_empty_variables_are_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    unset = await DockerBackend().unavailable_reason()
    for name in ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.setenv(name, "")
    assert await DockerBackend().unavailable_reason() == unset


async def test_an_engine_that_refuses_connections_is_not_answering(
    monkeypatch: pytest.MonkeyPatch, silent_socket: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{silent_socket}")
    assert "No Docker engine answers" in await reason()


async def test_a_socket_that_may_not_be_used_names_the_group(
    monkeypatch: pytest.MonkeyPatch, silent_socket: Path
) -> None:
    monkeypatch.setattr(socket, "socket", SocketOfAnotherGroup)  # root may use every socket, so one has to be played
    monkeypatch.setenv("DOCKER_HOST", f"unix://{silent_socket}")
    said = await reason()
    assert f"{silent_socket} may not be used by this user" in said
    assert "usermod -aG docker" in said


async def test_without_the_sdk_it_says_which_extra_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "docker", None)
    assert "pip install 'symposia[docker]'" in await reason()
    async with asyncio.timeout(WAIT):
        with pytest.raises(MissingExtraError, match="The Docker sandbox needs"):
            await DockerBackend().create(SandboxPolicy())


def test_without_the_sdk_an_executor_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "docker", None)
    with pytest.raises(
        MissingExtraError, match=r"DockerCommandLineCodeExecutor needs .* pip install 'symposia\[docker\]'"
    ):
        DockerCommandLineCodeExecutor()


async def test_an_engine_that_goes_away_in_the_middle_is_told_and_earlier_results_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread(require, DockerBackend())
    begun = asyncio.Event()
    blocks = [
        CodeBlock("open('kept.txt', 'w').write('kept'); print('first')", "python"),
        CodeBlock("import time; print('second', end=''); time.sleep(60)", "python"),
    ]
    async with asyncio.timeout(WAIT_FOR_ENGINE), EngineThatGoesAway(tmp_path / "socket") as engine:
        monkeypatch.setenv("DOCKER_HOST", engine.address)
        executor = DockerCommandLineCodeExecutor(
            work_dir=tmp_path / "work", on_output=lambda _, text: begun.set() if "second" in text else None
        )
        async with executor:
            running = asyncio.ensure_future(executor.execute_code_blocks(blocks, CancellationToken()))
            await begun.wait()
            engine.go_away()
            result = await running
            assert [block.status for block in result.blocks] == ["ok", "crashed"]
            assert result.output.startswith("first\nsecond\nThe sandbox ended: its server is gone.")
            assert (tmp_path / "work" / "kept.txt").read_text() == "kept"
            with pytest.raises(SandboxUnavailableError, match="No Docker engine answers"):
                await executor.execute_code_blocks(blocks, CancellationToken())


async def test_a_service_whose_start_is_cancelled_leaves_no_connection_open() -> None:
    await asyncio.to_thread(require, DockerBackend())
    program = ServiceProgram(image="python:3.11-slim", command=["no-such-program"], port=1)
    async with asyncio.timeout(WAIT_FOR_ENGINE):
        for passes in range(0, 40, 4):
            with socket.create_server(("127.0.0.1", 0)) as listener:
                starting = asyncio.ensure_future(ContainerService.start(program, SandboxPolicy(), listener))
                for _ in range(passes):
                    await asyncio.sleep(0.01)
                starting.cancel()
                with pytest.raises((asyncio.CancelledError, SandboxUnavailableError)):
                    await starting
        gc.collect()  # an open connection would be a warning, and so an error
