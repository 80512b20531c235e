"""An engine on another machine: sandboxes through TLS and SSH, data by copy, and what is said of failures."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.contracts.sandbox_contract import SandboxContract
from tests.support.docker_engine import IMAGE, Engine
from tests.support.remote_engine import EngineBehindSSH, EngineBehindTLS, RemoteEngine, make_certificates
from tests.support.sandboxes import require

from symposia.core import CancellationToken
from symposia.core.code_executor import CodeBlock, OutputStream, SandboxBackend, SandboxMount, SandboxPolicy
from symposia.core.exceptions import InvalidArgumentError, SandboxDiedError, SandboxUnavailableError
from symposia.ext.code_executors.docker import ContainerService, DockerBackend, ServiceProgram, _backend, _data
from symposia.ext.code_executors.docker_jupyter import DockerJupyterCodeExecutor, DockerJupyterServer

WAIT = 60.0
LONG = 240.0
"""For the first container of Jupyter on a machine, which makes the image."""
MEBIBYTE = 1024 * 1024
KILLED_PROGRAM = """
import asyncio, os
from symposia.core.code_executor import SandboxPolicy
from symposia.ext.code_executors.docker import DockerBackend

async def main():
    sandbox = await DockerBackend(container_name={name!r}).create(SandboxPolicy())
    assert (await sandbox.run("print(1)", "python")).status == "ok"
    os.kill(os.getpid(), 9)

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require(DockerBackend())
    return make_certificates(tmp_path_factory.mktemp("tls") / "certificates")


@pytest.fixture
async def tls(certificates: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[EngineBehindTLS]:
    async with EngineBehindTLS(certificates) as engine:
        engine.choose(monkeypatch)
        yield engine


@pytest.fixture
def ssh(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineBehindSSH]:
    require(DockerBackend())
    with EngineBehindSSH(tmp_path_factory.mktemp("ssh")) as engine:
        engine.choose(monkeypatch)
        yield engine


@pytest.fixture(params=["tls", "ssh"])
def engine(request: pytest.FixtureRequest) -> RemoteEngine:
    return request.getfixturevalue(request.param)


@pytest.fixture
def local() -> Iterator[Engine]:
    local = Engine()
    yield local
    local.close()


async def reason() -> str:
    async with asyncio.timeout(WAIT):
        found = await DockerBackend().unavailable_reason()
    assert found is not None
    return found


class TestDockerThroughTLS(SandboxContract):
    @pytest.fixture(autouse=True)
    def _remote(self, tls: EngineBehindTLS) -> None:
        del tls

    def backend(self) -> SandboxBackend:
        return DockerBackend()


async def test_a_sandbox_has_its_streams_through_tls(tls: EngineBehindTLS) -> None:
    async with asyncio.timeout(WAIT):
        sandbox = await DockerBackend().create(SandboxPolicy())
        try:
            assert (await sandbox.run("print('through TLS')", "python")).stdout == "through TLS\n"
            assert tls.streams == 1
        finally:
            await sandbox.close()


async def test_a_mebibyte_goes_each_way_at_once(engine: RemoteEngine) -> None:
    data = bytes(range(256)) * (MEBIBYTE // 256)
    async with asyncio.timeout(WAIT):
        sandbox = await DockerBackend().create(SandboxPolicy())
        try:
            await sandbox.put("in.bin", data)
            copying = "open('out.bin', 'wb').write(open('in.bin', 'rb').read()[::-1]); print('x' * 2**20)"
            result = await sandbox.run(copying, "python")
            assert result.status == "ok"
            assert await sandbox.get("out.bin") == data[::-1]
        finally:
            await sandbox.close()


async def test_a_connection_that_is_cut_ends_the_sandbox(engine: RemoteEngine) -> None:
    begun = asyncio.Event()

    def listen(_stream: OutputStream, _text: str) -> None:
        begun.set()

    async with asyncio.timeout(WAIT):
        sandbox = await DockerBackend().create(SandboxPolicy())
        try:
            block = "import time; print('begun', flush=True); time.sleep(60)"
            running = asyncio.ensure_future(sandbox.run(block, "python", on_output=listen))
            await begun.wait()
            engine.cut()
            with pytest.raises(SandboxDiedError, match="its server is gone"):
                await running
            with pytest.raises(SandboxDiedError):
                await sandbox.run("print(1)", "python")
        finally:
            await sandbox.close()


async def test_mounted_data_is_copied_with_its_folders_and_links(engine: RemoteEngine, tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "table.csv").write_text("a,b")
    (folder / "link").symlink_to("deep/table.csv")
    (folder / "outside").symlink_to("/etc/passwd")
    (tmp_path / "one.txt").write_text("one")
    mounts = [
        SandboxMount(source=folder, target="/data/tables"),
        SandboxMount(source=tmp_path / "one.txt", target="/data/more/than/one.txt"),
    ]
    look = (
        "import os; print(open('/data/tables/link').read(), open('/data/more/than/one.txt').read());"
        "print(os.readlink('/data/tables/outside'))"
    )
    change = "rm -rf /data/tables; touch /data/new /data/tables/new; echo x > /data/more/than/one.txt; ls /data"
    async with asyncio.timeout(WAIT):
        sandbox = await DockerBackend().create(SandboxPolicy(), mounts=mounts)
        try:
            assert (await sandbox.run(look, "python")).stdout == "a,b one\n/etc/passwd\n"
            assert (await sandbox.run(change, "sh")).stdout == "more\ntables\n"
            assert (await sandbox.run(look, "python")).stdout == "a,b one\n/etc/passwd\n"
        finally:
            await sandbox.close()
    assert (folder / "deep" / "table.csv").read_text() == "a,b"


async def test_a_file_that_cannot_be_copied_to_its_place_is_told_where_it_can_be(
    tls: EngineBehindTLS, tmp_path: Path
) -> None:
    (tmp_path / "one.txt").touch()
    async with asyncio.timeout(WAIT):
        with pytest.raises(
            InvalidArgumentError, match=r"only a folder can be copied there\. Give the file a place below"
        ):
            await DockerBackend().create(
                SandboxPolicy(), mounts=[SandboxMount(source=tmp_path / "one.txt", target="/srv/one.txt")]
            )


async def test_more_data_than_is_copied_is_refused(
    tls: EngineBehindTLS, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_data, "MOST_COPIED_BYTES", MEBIBYTE)
    (tmp_path / "big").write_bytes(b"x" * (MEBIBYTE + 1))
    async with asyncio.timeout(WAIT):
        with pytest.raises(InvalidArgumentError, match=r"more than 1 MiB.* Mount a part of it"):
            await DockerBackend().create(
                SandboxPolicy(), mounts=[SandboxMount(source=tmp_path / "big", target="/data/big")]
            )


async def test_a_program_in_a_container_copies_data_to_the_engine_outside(
    local: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "not-on-the-engines-machine"  # as a path of the container is none of the engine's
    bind = {"Type": "bind", "Source": str(elsewhere), "Target": "/data/table.csv", "ReadOnly": True}

    def unusable(*_given: object) -> list[_data.Mount]:
        return [bind]

    monkeypatch.setattr(_backend, "private_mounts", unusable)
    monkeypatch.setattr(_backend, "is_in_container", lambda: True)
    (tmp_path / "table.csv").write_text("a,b")
    name = f"symposia-test-copied-{os.getpid()}"
    mount = SandboxMount(source=tmp_path / "table.csv", target="/data/table.csv")
    async with asyncio.timeout(WAIT):
        sandbox = await DockerBackend(container_name=name).create(SandboxPolicy(), mounts=[mount])
        try:
            assert (await sandbox.run("print(open('/data/table.csv').read())", "python")).stdout == "a,b\n"
            [volume] = (await asyncio.to_thread(local.inspect, name))["Mounts"]
            assert volume["Type"] == "volume"
        finally:
            await sandbox.close()
        await asyncio.to_thread(local.wait_until_volume_is_gone, volume["Name"])


async def test_a_cell_of_jupyter_runs(engine: RemoteEngine) -> None:
    async with asyncio.timeout(LONG), DockerJupyterServer() as server, DockerJupyterCodeExecutor(server) as executor:
        block = CodeBlock("print('x' * 2**18)", "python")
        result = await executor.execute_code_blocks([block], CancellationToken())
        assert result.exit_code == 0
        assert result.output.strip() == "x" * 2**18


async def test_a_folder_that_cannot_be_shared_is_told(engine: RemoteEngine, tmp_path: Path) -> None:
    program = ServiceProgram(image=IMAGE, command=["sleep", "60"], port=1, shared_folder=tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with asyncio.timeout(WAIT):
            with pytest.raises(
                SandboxUnavailableError, match=f"cannot be shared with the Docker engine at {engine.address}"
            ):
                await ContainerService.start(program, SandboxPolicy(), listener)


async def test_an_engine_of_another_authority_is_not_trusted(
    certificates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await asyncio.to_thread(make_certificates, tmp_path / "other")
    async with EngineBehindTLS(certificates) as engine:
        engine.choose(monkeypatch, other)
        said = await reason()
        assert said.startswith(
            f"The Docker engine at {engine.address} and this machine do not agree on TLS (self-signed"
        )
        assert f"In {other}, ca.pem has to be the authority" in said


async def test_a_client_that_the_engine_does_not_accept_is_told(
    certificates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await asyncio.to_thread(make_certificates, tmp_path / "other")
    shutil.copy(certificates / "ca.pem", other / "ca.pem")
    async with EngineBehindTLS(certificates) as engine:
        engine.choose(monkeypatch, other)
        said = await reason()
        assert "do not agree on TLS" in said
        assert "of a client that the engine accepts" in said


async def test_an_engine_of_another_name_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificates = await asyncio.to_thread(make_certificates, tmp_path / "named", names="DNS:build.example.com")
    async with EngineBehindTLS(certificates) as engine:
        engine.choose(monkeypatch)
        assert "do not agree on TLS (IP address mismatch" in await reason()


async def test_missing_certificates_are_told_with_their_folder(
    tls: EngineBehindTLS, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls.choose(monkeypatch, tmp_path)
    said = await reason()
    assert f"{tmp_path} has no usable certificates" in said
    assert "set DOCKER_CERT_PATH to their folder" in said


async def test_tls_without_an_address_is_told(certificates: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(certificates))
    assert "DOCKER_TLS_VERIFY is set, and DOCKER_HOST is not" in await reason()


async def test_an_address_where_nothing_listens_is_told(certificates: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"tcp://127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setenv("DOCKER_HOST", address)
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(certificates))
    assert f"No Docker engine answers at {address} (Connection refused). Start it there" in await reason()


async def test_no_container_stays_when_its_owner_is_killed(local: Engine, engine: RemoteEngine, tmp_path: Path) -> None:
    name = f"symposia-test-remote-{os.getpid()}"
    program = tmp_path / "killed.py"
    program.write_text(KILLED_PROGRAM.format(name=name))
    async with asyncio.timeout(WAIT):
        await local.run_program(program)
        await asyncio.to_thread(local.wait_until_gone, name)


async def test_no_process_of_ssh_stays_behind_a_sandbox(ssh: EngineBehindSSH) -> None:
    async with asyncio.timeout(WAIT):
        sandbox = await DockerBackend().create(SandboxPolicy())
        assert await asyncio.to_thread(ssh.connections)
        await sandbox.close()
        assert await asyncio.to_thread(ssh.connections) == []


async def test_an_ssh_server_that_does_not_know_the_key_is_told(ssh: EngineBehindSSH) -> None:
    ssh.refuse_key()
    said = await reason()
    assert said.startswith(f"No Docker engine answers at {ssh.address} (")
    assert "Permission denied (publickey)" in said
    assert "Make this command show the engine's version without a question" in said
    assert said.endswith("127.0.0.1 docker version")


async def test_an_ssh_server_of_an_unknown_host_key_is_not_trusted(ssh: EngineBehindSSH) -> None:
    ssh.forget_host()
    assert "Host key verification failed" in await reason()


async def test_a_machine_without_the_docker_command_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with EngineBehindSSH(tmp_path, path="/nowhere") as engine:
        engine.choose(monkeypatch)
        said = await reason()
        assert "docker" in said.partition("(")[2].partition(")")[0]
        assert "not found" in said


async def test_without_the_command_ssh_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "ssh://build.example.com")
    monkeypatch.setenv("PATH", "")
    assert "reached by the command ssh, which is not there. Install it" in await reason()


@pytest.mark.parametrize("address", ["ssh://", "ssh://user:password@host", "ssh://host/path", "ssh://host:port"])
async def test_an_address_that_ssh_does_not_take_is_named(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", address)
    assert f"DOCKER_HOST is {address!r}, which is no address" in await reason()
