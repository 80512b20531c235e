"""What is said when there is no engine, none that may be used, or one that fails."""

import asyncio
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from symposia.core.code_executor import SandboxPolicy
from symposia.core.exceptions import MissingExtraError, SandboxUnavailableError
from symposia.ext.code_executors.docker import DockerBackend, DockerCommandLineCodeExecutor

WAIT = 10.0


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


@pytest.mark.parametrize(
    "settings",
    [{"DOCKER_HOST": "ssh://somewhere"}, {"DOCKER_HOST": "tcp://somewhere:2376", "DOCKER_TLS_VERIFY": "1"}],
)
async def test_an_engine_behind_ssh_or_tls_is_told_not_to_fit(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert f"at {settings['DOCKER_HOST']} is reached through TLS or SSH" in await reason()


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
