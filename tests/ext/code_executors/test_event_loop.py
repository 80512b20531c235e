"""No call of a backend, a sandbox or an executor keeps the event loop from running for more than 5 ms.

What is measured is the processor time of the loop's thread between two ticks, the best of several runs: on a busy
machine, the time of the clock would be that of other processes. Waiting without using a processor, as for a file, is
what every test of the project forbids (`tests/conftest.py`).
"""

import asyncio
import gc
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.contracts.sandbox_network import RAW
from tests.support.sandboxes import require_in_loop
from tests.support.web_server import serving

from symposia.core import CancellationToken
from symposia.core.code_executor import CodeBlock, NetworkPolicy, SandboxBackend, SandboxPolicy
from symposia.ext.code_executors import SandboxCodeExecutor, SandboxPool
from symposia.ext.code_executors._sandbox import base_python
from symposia.ext.code_executors.bubblewrap import BubblewrapBackend
from symposia.ext.code_executors.docker import DockerBackend
from symposia.ext.code_executors.namespaces import NamespaceBackend

LIMIT = 0.005
RUNS = 30
TICK = 0.0005
WAIT = 90.0
MIB = 1024 * 1024
MAKE_FILES = f"""
import os
open("large", "wb").write(os.urandom({8 * MIB - 100_000}))
for number in range(20):
    open(f"small{{number}}", "w").write("text")
print("line\\n" * 100_000)
"""
USE_TUNNELS = """
import threading
def use():
    tunnel = connect("127.0.0.1", {port})[0]
    for _ in range(16):
        tunnel.sendall(bytes(65536)); tunnel.recv(65536)
    for _ in range(200):
        tunnel.send(b"x"); tunnel.recv(1)
threads = [threading.Thread(target=use) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
for _ in range(4): connect("example.org", 80)
print("done")
"""
SEND_CHUNKS = """
def use():
    connection = socket.create_connection(proxy)
    connection.sendall(b"POST http://127.0.0.1:{port}/ HTTP/1.1\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n")
    connection.sendall(b"1\\r\\nx\\r\\n" * 40_000 + b"0\\r\\n\\r\\n")
    connection.recv(1)
import threading
threads = [threading.Thread(target=use) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("done")
"""
Call = Callable[[], Awaitable[object]]


async def longest_step(call: Call) -> float:
    """Seconds of processor time that the loop's thread used between two ticks while a call ran, at most."""
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            before = time.thread_time()
            await asyncio.sleep(TICK)
            longest = max(longest, time.thread_time() - before)

    ticking = asyncio.ensure_future(tick())
    await asyncio.sleep(0)
    await call()
    await asyncio.sleep(2 * TICK)  # so that the last step is measured too
    ticking.cancel()
    return longest


class NeverBlocks:
    """For each kind of sandbox."""

    def backend(self) -> SandboxBackend:
        raise NotImplementedError

    @pytest.fixture
    async def checked_backend(self) -> SandboxBackend:
        backend = self.backend()
        await require_in_loop(backend)
        return backend

    async def test_starting_and_ending_a_sandbox(self, checked_backend: SandboxBackend) -> None:
        async def start_and_end() -> None:
            sandbox = await checked_backend.create(SandboxPolicy())
            await sandbox.close()

        await hold(start_and_end)

    async def test_taking_a_sandbox_from_a_pool(self, checked_backend: SandboxBackend) -> None:
        async with SandboxPool(checked_backend) as pool:

            async def take() -> None:
                sandbox = await pool.create(SandboxPolicy())
                await sandbox.close()

            await hold(take)

    async def test_blocks_with_large_results(self, checked_backend: SandboxBackend) -> None:
        sandbox = await checked_backend.create(SandboxPolicy())
        try:
            data = os.urandom(8 * MIB)

            async def run() -> None:
                result = await sandbox.run(MAKE_FILES, "python")
                assert len(result.artifacts) == 21
                await sandbox.put("file", data)
                await sandbox.get("file")
                await sandbox.reset()

            await hold(run)
        finally:
            await sandbox.close()

    async def test_an_executor_with_files(self, checked_backend: SandboxBackend, tmp_path: Path) -> None:
        for number in range(20):
            (tmp_path / f"data{number}").write_bytes(bytes(100_000))
        async with SandboxCodeExecutor(checked_backend, work_dir=tmp_path) as executor:

            async def execute() -> None:
                result = await executor.execute_code_blocks([CodeBlock(MAKE_FILES, "python")], CancellationToken())
                assert result.exit_code == 0

            await hold(execute)
            await hold(executor.restart)

    async def test_connections_through_the_proxy(self, checked_backend: SandboxBackend) -> None:
        async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while await reader.read(16 * 1024):
                writer.write(bytes(16 * 1024))
                await writer.drain()

        async with serving(pour) as port:
            policy = SandboxPolicy(network=NetworkPolicy(allow=[f"127.0.0.1:{port}"]))
            sandbox = await checked_backend.create(policy)
            try:

                async def fetch() -> None:
                    result = await sandbox.run(f"{RAW}{USE_TUNNELS.format(port=port)}", "python")
                    assert (result.stdout, len(result.connections)) == ("done\n", 12)

                await hold(fetch)
            finally:
                await sandbox.close()

    async def test_chunks_of_one_byte_through_the_proxy(self, checked_backend: SandboxBackend) -> None:
        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            end = b""
            while piece := await reader.read(16 * 1024):
                end = (end + piece)[-10:]
                if end.endswith(b"\r\n0\r\n\r\n"):
                    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")

        async with serving(take) as port:
            policy = SandboxPolicy(network=NetworkPolicy(allow=[f"127.0.0.1:{port}"]))
            sandbox = await checked_backend.create(policy)
            try:

                async def send() -> None:
                    result = await sandbox.run(f"{RAW}{SEND_CHUNKS.format(port=port)}", "python")
                    assert (result.stdout, len(result.connections)) == ("done\n", 4)

                await hold(send)
            finally:
                await sandbox.close()


async def hold(call: Call) -> None:
    """Check a call. The first one is not measured: it imports modules.

    Nor is the collection of what other tests have left in memory, which takes a full collection more than the limit.
    """
    async with asyncio.timeout(WAIT):
        await call()
        gc.collect()
        gc.freeze()
        try:
            best = await shortest_of_the_longest_steps(call)
        finally:
            gc.unfreeze()
    if best > LIMIT:
        pytest.fail(f"It blocked the event loop for {best * 1000:.1f} ms in the best of {RUNS} runs.")


async def shortest_of_the_longest_steps(call: Call) -> float:
    """The longest step of the best run, in seconds, of as many runs as one within the limit takes."""
    best = float("inf")
    for _ in range(RUNS):
        best = min(best, await longest_step(call))
        if best <= LIMIT:
            break
    return best


class TestNamespaces(NeverBlocks):
    def backend(self) -> SandboxBackend:
        return NamespaceBackend(base_python())


class TestBubblewrap(NeverBlocks):
    def backend(self) -> SandboxBackend:
        return BubblewrapBackend(base_python())


class TestDocker(NeverBlocks):
    def backend(self) -> SandboxBackend:
        return DockerBackend()
