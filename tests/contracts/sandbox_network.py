"""What every sandbox does with a network policy: reaches the hosts on the list, and nothing else."""

import asyncio
import json
import time
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from tests.contracts.sandbox_contract import MIB, MakeSandbox, SandboxTests
from tests.support.web_server import CERTIFICATE, Web, serving, web_server

from symposia.core.code_executor import (
    ConnectionAttempt,
    NetworkPolicy,
    NetworkRule,
    Sandbox,
    SandboxPolicy,
    SandboxResult,
)

RAW = """
import os, socket, sys
proxy = ("127.0.0.1", int(os.environ["HTTPS_PROXY"].rpartition(":")[2]))

def connect(host, port):
    connection = socket.create_connection(proxy)
    connection.sendall(f"CONNECT {host}:{port} HTTP/1.1\\r\\nHost: {host}:{port}\\r\\n\\r\\n".encode())
    head = b""
    while not head.endswith(b"\\r\\n\\r\\n"):
        piece = connection.recv(1)
        if not piece: break
        head += piece
    return connection, head.split(b"\\r\\n")[0].decode()
"""
"""Defines `connect`, which gives a tunnel and the first line of the proxy's answer."""
WITHOUT_EXCEPTIONS = "import os\nos.environ.pop('no_proxy', None), os.environ.pop('NO_PROXY', None)\n"
"""The tests' servers are on loopback, which programs reach without a proxy by default."""


def policy(*allow: str | NetworkRule, **limits: float) -> SandboxPolicy:
    network: dict[str, object] = {"allow": allow, **limits}
    return SandboxPolicy(network=NetworkPolicy(**network))  # pyright: ignore[reportArgumentType] - numbers of any kind


def ok(result: SandboxResult) -> str:
    assert (result.status, result.stderr) == ("ok", "")
    return result.stdout


class NetworkContract(SandboxTests):
    """The hosts of the policy, by HTTP and TLS; limits; ends."""

    @pytest.fixture
    async def web(self) -> AsyncIterator[Web]:
        async with web_server() as web:
            yield web

    async def test_a_host_on_the_list_is_reached_by_http(self, make: MakeSandbox, web: Web) -> None:
        sandbox = await make(policy=policy(f"127.0.0.1:{web.port}"))
        fetch = f"import urllib.request as u; print(u.urlopen('http://127.0.0.1:{web.port}/a?b=c#d').read().decode())"
        result = await sandbox.run(WITHOUT_EXCEPTIONS + fetch, "python")
        head = ok(result).splitlines()
        assert head[:2] == ["GET /a?b=c HTTP/1.1", f"Host: 127.0.0.1:{web.port}"]
        [attempt] = result.connections
        assert (attempt.host, attempt.port, attempt.address) == ("127.0.0.1", web.port, "127.0.0.1")
        assert (attempt.outcome, attempt.reason, result.notes) == ("connected", "", ())
        assert attempt.bytes_sent == len(web.heads[0])
        assert attempt.bytes_received > attempt.bytes_sent

    async def test_a_body_is_sent_and_nothing_behind_it(self, make: MakeSandbox, web: Web) -> None:
        sandbox = await make(policy=policy(f"127.0.0.1:{web.port}"))
        post = f"""{RAW}
connection = socket.create_connection(proxy)
head = "POST http://127.0.0.1:{web.port}/ HTTP/1.1\\r\\nHost: other.example\\r\\nContent-Length: 5\\r\\n\\r\\n"
connection.sendall((head + "hello" + head.replace("POST", "PUT") + "again").encode())
print(connection.makefile().read())
"""
        answered = ok(await sandbox.run(post, "python"))
        assert answered.startswith("HTTP/1.1 200 OK")
        assert "other.example" not in answered
        assert (len(web.heads), web.bodies) == (1, [b"hello"])

    async def test_a_body_in_chunks_is_sent_and_nothing_behind_it(self, make: MakeSandbox) -> None:
        received = bytearray()

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while piece := await reader.read(65536):
                received.extend(piece)
                if b"0\r\n\r\n" in piece:
                    writer.write(b"HTTP/1.1 200 OK\r\n")

        async with serving(take) as port:
            sandbox = await make(policy=policy(f"127.0.0.1:{port}"))
            post = f"""{RAW}
connection = socket.create_connection(proxy)
head = "POST http://127.0.0.1:{port}/ HTTP/1.1\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n"
connection.sendall((head + "5\\r\\nhello\\r\\n0\\r\\n\\r\\n" + head.replace("/ ", "/smuggled ")).encode())
print(connection.recv(17).decode())
"""
            assert ok(await sandbox.run(post, "python")).startswith("HTTP/1.1 200 OK")
        assert bytes(received).partition(b"\r\n\r\n")[2] == b"5\r\nhello\r\n0\r\n\r\n"

    async def test_a_host_on_the_list_is_reached_by_tls(self, make: MakeSandbox) -> None:
        async with web_server(tls=True) as web:
            rule = NetworkRule(host="localhost", ports=(web.port,), private=True)
            sandbox = await make(policy=policy(rule))
            await sandbox.put("ca.pem", CERTIFICATE.encode())
            fetch = f"""{WITHOUT_EXCEPTIONS}
import ssl, urllib.request
context = ssl.create_default_context(cafile="ca.pem")
print(urllib.request.urlopen("https://localhost:{web.port}/secret", context=context).read().decode())
"""
            result = await sandbox.run(fetch, "python")
        assert ok(result).startswith("GET /secret HTTP/1.1")
        [attempt] = result.connections
        assert (attempt.host, attempt.outcome) == ("localhost", "connected")
        assert attempt.address in ("127.0.0.1", "::1")

    async def test_another_host_is_refused_with_a_note(self, make: MakeSandbox, web: Web) -> None:
        sandbox = await make(policy=policy(f"127.0.0.1:{web.port}"))
        for _ in range(2):
            result = await sandbox.run(f"{RAW}print(connect('example.org', 443)[1])", "python")
            assert ok(result) == "HTTP/1.1 403 Forbidden by the network policy of the sandbox\n"
            assert result.notes == ("network: example.org:443 refused: not on the allow-list",)
            [attempt] = result.connections
            assert (attempt.outcome, attempt.address, attempt.bytes_sent) == ("refused", "", 0)

    async def test_a_name_that_leads_to_a_private_address_is_refused(self, make: MakeSandbox, web: Web) -> None:
        sandbox = await make(policy=policy("localhost:*"))
        result = await sandbox.run(f"{RAW}print(connect('LocalHost.', {web.port})[1])", "python")
        assert ok(result).startswith("HTTP/1.1 403")
        [note] = result.notes
        assert note.startswith(f"network: localhost:{web.port} refused: it leads to ")
        assert not web.heads

    async def test_a_port_that_is_not_on_the_list_is_refused(self, make: MakeSandbox, web: Web) -> None:
        sandbox = await make(policy=policy("127.0.0.1"))
        assert ok(await sandbox.run(f"{RAW}print(connect('127.0.0.1', {web.port})[1])", "python")).startswith(
            "HTTP/1.1 403"
        )

    async def test_a_host_that_does_not_answer_is_a_failure(self, make: MakeSandbox) -> None:
        async with serving(lambda _reader, _writer: asyncio.sleep(0)) as port:
            pass  # nothing listens there any more
        sandbox = await make(policy=policy(f"127.0.0.1:{port}"))
        result = await sandbox.run(f"{RAW}print(connect('127.0.0.1', {port})[1])", "python")
        assert ok(result) == "HTTP/1.1 502 Cannot connect\n"
        assert [attempt.outcome for attempt in result.connections] == ["failed"]

    async def test_shell_blocks_have_the_network_too(self, make: MakeSandbox, web: Web) -> None:
        sandbox = await make(policy=policy(f"127.0.0.1:{web.port}"))
        fetch = f"import urllib.request as u; print(u.urlopen('http://127.0.0.1:{web.port}/').status)"
        assert ok(await sandbox.run(f'no_proxy= NO_PROXY= python3 -c "{fetch}"', "sh")) == "200\n"

    async def test_there_is_no_network_without_a_policy(self, sandbox: Sandbox) -> None:
        probe = """
import os, socket
print([name for name in os.environ if "proxy" in name.lower()])
try: socket.create_connection(("127.0.0.1", 3128))
except OSError as error: print("refused")
"""
        result = await sandbox.run(probe, "python")
        assert (ok(result), result.connections) == ("[]\nrefused\n", ())

    async def test_nothing_but_tcp_to_the_proxy_is_possible(self, make: MakeSandbox, web: Web) -> None:
        sandbox = await make(policy=policy(f"127.0.0.1:{web.port}"))
        probe = f"""
import socket
for family, kind in ((2, 2), (2, 3), (10, 1), (10, 2), (17, 3)):
    try: socket.socket(family, kind); print("made", family, kind)
    except OSError: pass
for host, port in (("127.0.0.1", {web.port}), ("192.0.2.1", 80), ("8.8.8.8", 53)):
    try: socket.create_connection((host, port), 2); print("reached", host)
    except OSError: pass
try: socket.getaddrinfo("example.org", 80); print("resolved")
except OSError: pass
"""
        assert ok(await sandbox.run(probe, "python")) == ""
        assert not web.heads

    async def test_fifty_connections_at_once(self, make: MakeSandbox) -> None:
        all_there, met = asyncio.Event(), 0

        async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal met
            met += 1
            if met == 50:
                all_there.set()
            await all_there.wait()
            writer.write(await reader.readexactly(2) * 2)
            await writer.drain()

        async with serving(meet) as port:
            sandbox = await make(policy=policy(f"127.0.0.1:{port}"))
            code = f"""{RAW}
tunnels = [connect("127.0.0.1", {port})[0] for _ in range(50)]
for number, tunnel in enumerate(tunnels): tunnel.sendall(b"%02d" % number)
print([int(tunnel.makefile().read()) for tunnel in tunnels] == [number * 101 for number in range(50)])
"""
            result = await sandbox.run(code, "python")
        assert ok(result) == "True\n"
        assert len(result.connections) == 50

    async def test_more_connections_than_at_once_wait_for_their_turn(self, make: MakeSandbox, web: Web) -> None:
        sandbox = await make(policy=policy(f"127.0.0.1:{web.port}", connections=2))
        code = f"""{WITHOUT_EXCEPTIONS}
import urllib.request
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(8) as threads:
    print(sum(threads.map(lambda _: urllib.request.urlopen("http://127.0.0.1:{web.port}/").status, range(8))))
"""
        assert ok(await sandbox.run(code, "python")) == "1600\n"

    async def test_further_connections_than_a_block_may_make_are_closed(self, make: MakeSandbox, web: Web) -> None:
        sandbox = await make(policy=policy(f"127.0.0.1:{web.port}", connections_a_block=3))
        code = f"""{RAW}
for _ in range(5):
    try: print(connect("127.0.0.1", {web.port})[1][:12])
    except OSError: print("closed")
"""
        for _ in range(2):  # counted for each block
            result = await sandbox.run(code, "python")
            lines = ok(result).splitlines()
            assert lines[:3] == ["HTTP/1.1 200"] * 3
            assert not any(line.startswith("HTTP") for line in lines[3:])
            assert len(result.connections) == 3

    async def test_bytes_are_limited_for_each_block(self, make: MakeSandbox) -> None:
        async def pour(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                writer.write(bytes(MIB // 4))
                await writer.drain()

        async with serving(pour) as port:
            sandbox = await make(policy=policy(f"127.0.0.1:{port}", block_bytes=3 * MIB))
            code = f"{RAW}print(len(connect('127.0.0.1', {port})[0].makefile('rb').read()))"
            for _ in range(2):
                result = await sandbox.run(code, "python")
                assert result.status == "ok" or "reset" in result.stderr.lower()
                [attempt] = result.connections
                assert attempt.reason == "the block has used up its 3 MiB"
                assert 2 * MIB < attempt.bytes_received <= 3 * MIB

    async def test_a_connection_that_carries_nothing_is_closed(self, make: MakeSandbox) -> None:
        async def wait(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            await reader.read()

        async with serving(wait) as port:
            sandbox = await make(policy=policy(f"127.0.0.1:{port}", idle_timeout=0.3))
            result = await sandbox.run(f"{RAW}print(connect('127.0.0.1', {port})[0].recv(1))", "python")
        assert "nothing was sent for 0.3 s" in result.connections[0].reason

    async def test_large_transfers_arrive_whole_in_both_directions(self, make: MakeSandbox) -> None:
        size = 8 * MIB
        received = bytearray()

        async def swap(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            async def send() -> None:
                for number in range(size // 4096):
                    writer.write(number.to_bytes(4, "big") * 1024)
                    await writer.drain()

            sending = asyncio.create_task(send())
            while piece := await reader.read(65536):
                received.extend(piece)
            await sending  # only now the end: what is on its way when a block ends is dropped

        async with serving(swap) as port:
            sandbox = await make(policy=policy(f"127.0.0.1:{port}"))
            code = f"""{RAW}
import hashlib, threading
tunnel = connect("127.0.0.1", {port})[0]
def send():
    for number in range({size // 4096}): tunnel.sendall(number.to_bytes(4, "little") * 1024)
    tunnel.shutdown(socket.SHUT_WR)
sender = threading.Thread(target=send); sender.start()
data = tunnel.makefile("rb").read(); sender.join()
print(data == b"".join(number.to_bytes(4, "big") * 1024 for number in range({size // 4096})))
"""
            result = await sandbox.run(code, "python")
        assert ok(result) == "True\n"
        assert received == b"".join(number.to_bytes(4, "little") * 1024 for number in range(size // 4096))
        [attempt] = result.connections
        assert (attempt.bytes_sent, attempt.bytes_received) == (size, size)

    async def test_a_slow_reader_keeps_little_on_the_host(self, make: MakeSandbox) -> None:
        poured, sleeping = 0, asyncio.Event()

        async def pour(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal poured
            piece = bytes(65536)
            while True:
                writer.write(piece)
                await writer.drain()
                poured += len(piece)

        async with serving(pour) as port:
            sandbox = await make(policy=policy(f"127.0.0.1:{port}"))
            code = f"""{RAW}
import time
tunnels = [connect("127.0.0.1", {port})[0] for _ in range(8)]
print("asleep", flush=True)
time.sleep(60)
"""

            def printed(_stream: str, text: str) -> None:
                if "asleep" in text:
                    sleeping.set()

            tracemalloc.start()
            block = asyncio.create_task(sandbox.run(code, "python", on_output=printed))
            try:
                await sleeping.wait()
                before = -1
                while poured > before:  # until everything between the two is full
                    before = poured
                    await asyncio.sleep(0.3)
                kept = tracemalloc.get_traced_memory()[0]
            finally:
                tracemalloc.stop()
                block.cancel()
                await asyncio.wait([block])
        # Eight connections: a window in each stream's way, the buffers of two asyncio streams, and what the test keeps.
        assert kept < 8 * MIB
        fetch = "print('still here')"
        assert ok(await sandbox.run(fetch, "python")) == "still here\n"

    async def test_a_slow_server_holds_up_the_block_and_not_the_host(self, make: MakeSandbox) -> None:
        async def ignore(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            await asyncio.Event().wait()

        async with serving(ignore) as port:
            sandbox = await make(policy=policy(f"127.0.0.1:{port}"))
            code = f"""{RAW}
tunnel = connect("127.0.0.1", {port})[0]
tunnel.settimeout(1)
sent = 0
try:
    while sent < 512 << 20: sent += tunnel.send(bytes(65536))
except TimeoutError: pass
print(sent >> 20)
"""
            result = await sandbox.run(code, "python")
        assert int(ok(result)) < 64  # the kernel's buffers on both machines' ends, and a window

    async def test_connections_end_with_their_block(self, make: MakeSandbox) -> None:
        ended, began = asyncio.Event(), asyncio.Event()

        async def wait(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            began.set()
            try:
                await reader.read()
            finally:
                ended.set()

        async with serving(wait) as port:
            sandbox = await make(policy=policy(f"127.0.0.1:{port}"))
            leave = f"{RAW}import signal\ntunnel = connect('127.0.0.1', {port})[0]\nif os.fork() == 0: signal.pause()\n"
            result = await sandbox.run(f"{leave}print('over')", "python")
            assert ok(result) == "over\n"
            await ended.wait()
            assert [attempt.outcome for attempt in result.connections] == ["connected"]
            began.clear()
            ended.clear()
            block = asyncio.create_task(sandbox.run(f"{leave}import time; time.sleep(60)", "python"))
            await began.wait()
            block.cancel()
            with pytest.raises(asyncio.CancelledError):
                await block
            await ended.wait()
            began.clear()
            ended.clear()
            result = await sandbox.run(f"{leave}import time; time.sleep(60)", "python", timeout=1)
            assert result.status == "timeout"
            await ended.wait()
            assert ok(await sandbox.run("print('next')", "python")) == "next\n"

    async def test_variables_live_on_and_connections_do_not(self, make: MakeSandbox, web: Web) -> None:
        sandbox = await make(policy=replace(policy(f"127.0.0.1:{web.port}"), stateful=True))
        for block in range(2):
            code = f"{RAW if block == 0 else ''}tunnel, answer = connect('127.0.0.1', {web.port}); print(answer)"
            result = await sandbox.run(code, "python")
            assert ok(result) == "HTTP/1.1 200 Connection established\n"
            assert [attempt.outcome for attempt in result.connections] == ["connected"]
            closed = await sandbox.run("print(tunnel.recv(1))", "python")
            assert (ok(closed), closed.notes) == ("b''\n", ())

    async def test_where_variables_live_on_connections_still_end_with_their_block(
        self, make: MakeSandbox, web: Web
    ) -> None:
        allowed = policy(f"127.0.0.1:{web.port}")
        sandbox = await make(policy=replace(allowed, stateful=True))
        request = "tunnel.sendall(b'GET / HTTP/1.1\\r\\n\\r\\n'); print(tunnel.recv(15))"
        code = f"{RAW}tunnel = connect('127.0.0.1', {web.port})[0]\nkept = tunnel"
        assert ok(await sandbox.run(f"{code}\nprint(len(proxy))", "python")) == "2\n"
        assert ok(await sandbox.run("print(kept.recv(1) == b'' or kept.recv(1))", "python")) == "True\n"
        again = await sandbox.run(f"tunnel = connect('127.0.0.1', {web.port})[0]\n{request}", "python")
        assert ok(again) == "b'HTTP/1.1 200 OK'\n"
        assert len(again.connections) == 1

    async def test_attempts_are_observed_also_of_a_cancelled_block(self, make: MakeSandbox) -> None:
        seen: list[ConnectionAttempt] = []
        began = asyncio.Event()

        async def wait(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            began.set()
            await reader.read()

        async with serving(wait) as port:
            sandbox = await make(policy=policy(f"127.0.0.1:{port}"))
            sandbox.observe_connections(seen.append)
            code = (
                f"{RAW}import time; connect('example.org', 80)\ntunnel = connect('127.0.0.1', {port})\ntime.sleep(60)"
            )
            block = asyncio.create_task(sandbox.run(code, "python"))
            await began.wait()
            block.cancel()
            with pytest.raises(asyncio.CancelledError):
                await block
        assert [(attempt.host, attempt.outcome) for attempt in seen] == [
            ("example.org", "refused"),
            ("127.0.0.1", "connected"),
        ]

    async def test_a_sandbox_that_dies_closes_its_connections(self, make: MakeSandbox) -> None:
        began, ended = asyncio.Event(), asyncio.Event()

        async def wait(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            began.set()
            try:
                await reader.read()
            finally:
                ended.set()

        async with serving(wait) as port:
            sandbox = await make(policy=policy(f"127.0.0.1:{port}"))
            code = f"{RAW}tunnel = connect('127.0.0.1', {port})[0]\nimport time; time.sleep(60)"
            block = asyncio.create_task(sandbox.run(code, "python"))
            await began.wait()
            await sandbox.close()
            with pytest.raises(Exception, match="ended"):
                await block
            await ended.wait()

    async def test_a_block_costs_no_more_where_it_makes_no_connection(self, make: MakeSandbox) -> None:
        async with AsyncExitStack():
            times: dict[str, float] = {}
            for name, chosen in (("without", SandboxPolicy()), ("with", policy("example.org"))):
                sandbox = await make(policy=chosen)
                await sandbox.run("print(1)", "python")
                began = time.perf_counter()
                for _ in range(20):
                    await sandbox.run("print(1)", "python")
                times[name] = time.perf_counter() - began
        assert times["with"] < 2 * times["without"] + 0.5, json.dumps(times)
