"""The executor on a Jupyter server: its client against a real server, and the server in a container."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.code_executor_contract import OutputListener, make_folder, python, shell
from tests.contracts.kernel_executor_contract import WAIT, KernelExecutorContract, run
from tests.support.docker_engine import Engine
from tests.support.jupyter_server import jupyter_server
from tests.support.sandboxes import require

from symposia.core import CancellationToken
from symposia.core.code_executor import CodeBlock, SandboxPolicy
from symposia.core.exceptions import (
    ArgumentTypeError,
    InvalidArgumentError,
    SandboxServiceError,
    SandboxUnavailableError,
)
from symposia.ext.code_executors.docker import DockerBackend
from symposia.ext.code_executors.docker_jupyter import (
    DockerJupyterCodeExecutor,
    DockerJupyterCodeResult,
    DockerJupyterServer,
    JupyterClient,
    JupyterConnectable,
    JupyterConnectionInfo,
)

LONG = 4 * WAIT
"""For the first container on a machine, which makes the image."""
KILLED_PROGRAM = """
import asyncio, os, sys
from symposia.ext.code_executors.docker_jupyter import DockerJupyterServer

async def main():
    async with DockerJupyterServer(container_name=sys.argv[1]):
        os.kill(os.getpid(), 9)

asyncio.run(main())
"""
LOOK_AROUND = """
import os, pathlib, socket
status = dict(line.split(":", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
print(os.getuid(), int(status["CapEff"], 16), status["NoNewPrivs"].strip())
print(os.listdir("/sys/class/net"))
try:
    socket.create_connection(("192.0.2.1", 80), timeout=1)
except OSError as error:
    print("no network")
try:
    pathlib.Path("/file").write_text("")
except OSError:
    print("read-only")
print(os.getcwd())
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterConnectionInfo]:
    """One for all tests, each of which leaves it without a kernel: it takes seconds to start."""
    with jupyter_server(tmp_path_factory.mktemp("server")) as info:
        yield info


class TestDockerJupyterCodeExecutorOnAServer(KernelExecutorContract):
    info: JupyterConnectionInfo

    @pytest.fixture(autouse=True)
    async def _server(self, server: JupyterConnectionInfo) -> AsyncIterator[None]:
        self.info = server
        yield
        async with asyncio.timeout(WAIT), JupyterClient(server) as client:
            assert await client.list_kernels() == []

    def make(
        self,
        output_dir: Path | None,
        *,
        timeout: float = 30,
        policy: SandboxPolicy | None = None,
        on_output: OutputListener | None = None,
        audit_log: Path | None = None,
    ) -> DockerJupyterCodeExecutor:
        return DockerJupyterCodeExecutor(
            self.info, timeout=timeout, output_dir=output_dir, policy=policy, on_output=on_output, audit_log=audit_log
        )

    async def test_stopping_leaves_no_kernel_behind(self, output_dir: Path) -> None:
        async with asyncio.timeout(WAIT), JupyterClient(self.info) as client:
            async with self.make(output_dir) as executor:
                await run(executor, python("x = 1"))
                assert len(await client.list_kernels()) == 1
                await executor.restart()
                assert len(await client.list_kernels()) == 1
            assert await client.list_kernels() == []

    async def test_a_kernel_that_the_server_lacks_is_named_with_those_that_it_has(self) -> None:
        executor = DockerJupyterCodeExecutor(self.info, kernel_name="fortran")
        with pytest.raises(SandboxUnavailableError, match=r"no kernel named 'fortran'. It has: .*python3"):
            await executor.start()

    async def test_a_wrong_token_is_told_in_the_servers_words(self) -> None:
        wrong = JupyterConnectionInfo(self.info.host, use_https=False, port=self.info.port, token="wrong")
        with pytest.raises(SandboxServiceError, match=r"refuses with status 403: Forbidden.*Check the credential"):
            await DockerJupyterCodeExecutor(wrong).start()

    async def test_the_client_starts_runs_restarts_and_ends_kernels(self) -> None:
        async with asyncio.timeout(WAIT), JupyterClient(self.info) as client:
            assert "python3" in (await client.list_kernel_specs())["kernelspecs"]
            kernel = await client.start_kernel("python3")
            async with await client.get_kernel_client(kernel) as connection:
                assert await connection.wait_for_ready(30)
                done = await connection.execute("print(1)\n2")
                assert (done.is_ok, done.output, done.data_items) == (True, "1\n\n2", [])
                failed = await connection.execute("1 / 0")
                assert (failed.is_ok, failed.output.splitlines()[-1]) == (False, "ZeroDivisionError: division by zero")
                shown = await connection.execute("from IPython.display import HTML\nHTML('<b>x</b>')")
                assert [(item.mime_type, item.data) for item in shown.data_items] == [("text/html", "<b>x</b>")]
                late = await connection.execute("print('so far', flush=True); import time; time.sleep(600)", 1)
                assert (late.is_ok, late.output) == (False, "so far\n\nTimeout")
            await client.restart_kernel(kernel)
            assert [each["id"] for each in await client.list_kernels()] == [kernel]
            await client.delete_kernel(kernel)
            with pytest.raises(SandboxServiceError, match="refuses with status 404: Kernel does not exist"):
                await client.delete_kernel(kernel)


async def test_a_server_that_is_not_there_is_named() -> None:
    nowhere = JupyterConnectionInfo("127.0.0.1", use_https=False, port=1)
    with pytest.raises(SandboxServiceError, match=r"http://127\.0\.0\.1:1 cannot be reached"):
        await DockerJupyterCodeExecutor(nowhere).start()


@pytest.mark.parametrize("given", ["http://localhost:8888", None, 8888], ids=repr)
def test_what_is_no_server_is_refused_at_once(given: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="give a DockerJupyterServer or a JupyterConnectionInfo"):
        DockerJupyterCodeExecutor(given)


def test_a_result_is_made_as_autogen_makes_it(tmp_path: Path) -> None:
    result = DockerJupyterCodeResult(0, "text", [tmp_path])
    assert (result.exit_code, result.output, result.output_files) == (0, "text", [tmp_path])


def test_a_token_is_not_shown() -> None:
    assert "secret" not in repr(JupyterConnectionInfo("host", use_https=False, token="secret"))


def test_a_container_that_would_stay_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="auto_remove=False is not possible"):
        DockerJupyterServer(auto_remove=False)
    with pytest.raises(InvalidArgumentError, match="stop_container=False is not possible"):
        DockerJupyterServer(stop_container=False)


class TestDockerJupyterServer:
    @pytest.fixture(autouse=True)
    def _needs_docker(self) -> None:
        require(DockerBackend())

    @pytest.fixture
    def engine(self) -> Iterator[Engine]:
        engine = Engine()
        yield engine
        engine.close()

    @pytest.fixture
    def name(self) -> str:
        return f"symposia-test-jupyter-{os.getpid()}"

    async def test_f57_code_in_it_has_no_network_no_root_and_no_capabilities(self) -> None:
        async with (
            asyncio.timeout(LONG),
            DockerJupyterServer() as server,
            DockerJupyterCodeExecutor(server) as executor,
        ):
            result = await run(executor, python(LOOK_AROUND), python("import pandas; x = 1"), python("x"))
        assert result.output == "1000 0 1\n['lo']\nno network\nread-only\n/workspace\n\n\n1"

    async def test_the_executor_starts_it_and_its_address_is_known_before(self) -> None:
        server = DockerJupyterServer(token="mine")
        assert isinstance(server, JupyterConnectable)
        before = server.connection_info
        assert (before.host, before.token) == ("127.0.0.1", "mine")
        async with asyncio.timeout(LONG):
            try:
                async with DockerJupyterCodeExecutor(server) as executor:
                    assert (await run(executor, python("print('up')"))).output == "up\n"
                assert server.connection_info == before
                async with await server.get_client() as client:
                    assert await client.list_kernels() == []
            finally:
                await server.stop()

    async def test_it_is_hardened_labelled_and_removed(self, engine: Engine, name: str) -> None:
        async with asyncio.timeout(LONG):
            async with DockerJupyterServer(container_name=name, docker_env={"GREETING": "hello"}) as server:
                found = await asyncio.to_thread(engine.inspect, name)
                async with DockerJupyterCodeExecutor(server) as executor:
                    assert (await run(executor, shell("echo $GREETING"))).output == "hello\n"
            host = found["HostConfig"]
            assert (host["NetworkMode"], host["ReadonlyRootfs"], host["CapDrop"]) == ("none", True, ["ALL"])
            assert (host["Memory"], host["MemorySwap"], host["PidsLimit"]) == (2**30, 2**30, 258)
            assert "symposia.owner.process" in found["Config"]["Labels"]
            assert not await asyncio.to_thread(engine.is_there, name)

    async def test_f56_it_ends_soon_after_its_program_was_killed(self, engine: Engine, name: str) -> None:
        async with asyncio.timeout(LONG):
            process = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED_PROGRAM, name)
            assert await process.wait() != 0
            await asyncio.to_thread(engine.wait_until_gone, name)

    async def test_code_works_in_the_folder_that_is_bound(self, tmp_path: Path) -> None:
        folder = tmp_path / "bound"
        make_folder(folder, {"numbers.txt": b"1 4 9"})
        os.chown(folder, 1000, 1000)
        async with (
            asyncio.timeout(LONG),
            DockerJupyterServer(bind_dir=folder, work_dir="/data") as server,
            DockerJupyterCodeExecutor(server) as executor,
        ):
            result = await run(executor, python("print(open('numbers.txt').read())"), shell("pwd; echo made > file"))
        assert result.output == "1 4 9\n\n/data\n"
        assert (folder / "file").read_text() == "made\n"

    async def test_an_image_whose_command_is_no_server_is_told_with_what_it_said(self) -> None:
        server = DockerJupyterServer(custom_image_name="python:3.11-slim", policy=SandboxPolicy(time_limit=1))
        async with asyncio.timeout(LONG):
            with pytest.raises(SandboxUnavailableError, match="takes no connections at port 8888"):
                await server.start()
            await server.stop()

    async def test_a_cell_that_is_cancelled_is_interrupted_in_it(self) -> None:
        async with (
            asyncio.timeout(LONG),
            DockerJupyterServer() as server,
            DockerJupyterCodeExecutor(server) as executor,
        ):
            await run(executor, python("x = 1"))
            token = CancellationToken()
            endless = [CodeBlock("while True: print('.')", "python")]
            call = asyncio.ensure_future(
                executor.execute_with_output(endless, token, lambda _stream, _text: token.cancel())
            )
            with pytest.raises(asyncio.CancelledError):
                await call
            assert (await run(executor, python("x"))).output == "1"
