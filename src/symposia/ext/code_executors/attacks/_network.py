"""Attempts to reach more than the one host that a sandbox with a network may reach.

The host that is allowed is a name of loopback, so that nothing outside this machine is needed: a name on the list that
leads to a private address is itself an attack. A listener of the host tells whether something got through.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from symposia.core.code_executor import NetworkPolicy, NetworkRule, SandboxPolicy
from symposia.ext.code_executors.attacks._target import Attack, AttackTarget, Attempt

_POLICY: Final = SandboxPolicy(network=NetworkPolicy(allow=["localhost:*"], idle_timeout=2.0))
_OPEN: Final = SandboxPolicy(
    network=NetworkPolicy(
        allow=[NetworkRule(host="localhost", ports=(), private=True)], connections=8, connections_a_block=64
    )
)
"""The host's loopback is allowed here, for attacks on the connection itself."""
_PROXY: Final = """
import os, re, socket, sys, threading, time
PROXY = ("127.0.0.1", int(os.environ["HTTPS_PROXY"].rpartition(":")[2]))

def ask(request):
    try:
        with socket.create_connection(PROXY, 10) as connection:
            connection.sendall(request)
            return connection.recv(4096).split(b"\\r\\n")[0]
    except OSError:
        return b""

def tunnel(destination): return ask(b"CONNECT " + destination + b" HTTP/1.1\\r\\n\\r\\n")
def reached(answer): return b" 200 " in answer or b" 50" in answer  # answered, or tried
"""
_OTHER_HOSTS: Final = """
for host in (b"example.org:443", b"localhost.example.org:443", b"example.org:443#@localhost:1", b"1.1.1.1:443",
             b"localhost@example.org:443", b"xn--localhost:1", b"example.org.:443"):
    if reached(tunnel(host)): print(host)
for url in (b"http://example.org/", b"http://localhost@example.org/", b"http://example.org\\\\@localhost/",
            b"http://example.org#localhost", b"//example.org/", b"https://example.org/"):
    if reached(ask(b"GET " + url + b" HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")): print(url)
"""
_PRIVATE: Final = """
for host in ("127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "0.0.0.0", "[::]",
             "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "10.0.0.1", "172.17.0.1", "192.168.0.1", "100.64.0.1",
             "[fe80::1]", "[fd00::1]", "169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "168.63.129.16",
             "224.0.0.1", "localhost", "LOCALHOST.", "localhost.localdomain", "ip6-localhost"):
    for port in (80, PORT):
        if reached(tunnel(f"{host}:{port}".encode())): print(host, port)
        if reached(ask(f"GET http://{host}:{port}/ HTTP/1.1\\r\\n\\r\\n".encode())): print("http", host, port)
"""
_DIRECT: Final = """
for family, kind in ((2, 1), (2, 2), (2, 3), (10, 1), (10, 2), (10, 3), (16, 3), (17, 3), (40, 1)):
    for address in (("127.0.0.1", PORT), ("10.0.0.1", 80), ("172.17.0.1", 80), ("8.8.8.8", 53), ("::1", PORT), (2, 1)):
        try:
            with socket.socket(family, kind) as direct:
                direct.settimeout(1)
                direct.connect(address); direct.send(b"x"); print(family, kind, address)
        except (OSError, TypeError): pass
"""
_SMUGGLE: Final = """
POST = b"POST http://localhost:PORT/ HTTP/1.1\\r\\n"
INNER = b"GET http://example.org/smuggled HTTP/1.1\\r\\nHost: example.org\\r\\n\\r\\n"
for name, request in {
    "target": b"CONNECT localhost:PORT\\r\\nHost: example.org:443 HTTP/1.1\\r\\n\\r\\n",
    "newline": b"CONNECT localhost:PORT HTTP/1.1\\nX: y\\r\\n\\r\\n",
    "return": b"GET http://localhost:PORT/\\rGET /smuggled HTTP/1.1\\r\\n\\r\\n",
    "fold": b"GET http://localhost:PORT/ HTTP/1.1\\r\\nA: b\\r\\n GET /smuggled HTTP/1.1\\r\\n\\r\\n",
    "lengths": POST + b"Content-Length: 3\\r\\nContent-Length: 99\\r\\n\\r\\n" + INNER,
    "both": POST + b"Content-Length: 3\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n" + INNER,
    "space": POST + b"Content-Length : 99\\r\\n\\r\\n" + INNER,
}.items():
    if reached(ask(request.replace(b"PORT", b"%d" % PORT))): print("taken:", name)
ask(POST.replace(b"PORT", b"%d" % PORT) + b"Transfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n" + INNER)
ask(b"GET http://localhost:%d/first HTTP/1.1\\r\\n\\r\\n" % PORT + INNER)
"""
_PLAIN_REQUESTS: Final = 2  # those of the attack that are well-formed themselves
_GIANTS: Final = """
for fields in (b"A: " + b"b" * 10_000_000 + b"\\r\\n", b"A: b\\r\\n" * 5000):
    if reached(ask(b"CONNECT localhost:%d HTTP/1.1\\r\\n" % PORT + fields + b"\\r\\n")): print("taken")
"""
_FLOOD: Final = """
made = []
def flood():
    for _ in range(30):
        try: made.append(socket.create_connection(PROXY, 0.1)); made[-1].send(b"CONNECT ")
        except OSError: pass
threads = [threading.Thread(target=flood) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
os._exit(0)
"""
_STAND_IN: Final = """
import signal
for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGPIPE):
    try: os.kill(1, number)
    except OSError: pass
    try: os.kill(-1, number) if number == signal.SIGTERM else None
    except OSError: pass
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for reuse in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
    for address in ("127.0.0.1", "0.0.0.0", ""):
        fake = socket.socket()
        try:
            fake.setsockopt(socket.SOL_SOCKET, reuse, 1)
            fake.bind((address, PROXY[1])); fake.listen(); print("stands in")
        except OSError: pass
"""
_OWN_SOCKETS: Final = """
import resource
kept = []
def pair():
    listener = socket.socket(); listener.listen()
    one = socket.create_connection(listener.getsockname(), 1); other = listener.accept()[0]
    one.setblocking(False)
    kept.extend((listener, one, other))
    try:
        while True: one.send(bytes(1 << 20))
    except BlockingIOError: pass
try:
    while True:
        pair()
        if len(kept) > 240 and os.fork() == 0: kept.clear()
except OSError: pass
time.sleep(3)
def total():
    with open("/proc/self/net/tcp") as file:
        return sum(sum(int(part, 16) for part in line.split()[4].split(":")) for line in file.readlines()[1:])
print(f"held {total() >> 20} MiB in the kernel" if total() > 200 << 20 else "", end="")
"""


class _Listener:
    """A service of the host on loopback.

    Attributes:
        port: Where it listens.
        received: What it was sent.
        most: Connections at the same time.
    """

    def __init__(self) -> None:
        self.port = 0
        self.received = b""
        self.most = 0
        self._open = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        self.most = max(self.most, self._open)
        try:
            while piece := await reader.read(65536):
                self.received += piece
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        except OSError:
            pass  # the proxy has closed it
        finally:
            self._open -= 1
            writer.close()


@asynccontextmanager
async def _listening() -> AsyncGenerator[_Listener, None]:
    listener = _Listener()
    server = await asyncio.start_server(listener.serve, "localhost", 0, family=2)
    async with server:
        listener.port = int(server.sockets[0].getsockname()[1])
        yield listener


def _program(listener: _Listener, code: str) -> str:
    return f"{_PROXY}\nPORT = {listener.port}\n{code}"


async def _run(target: AttackTarget, listener: _Listener, code: str) -> str:
    result = await target.run(_program(listener, code))
    return result.output.strip() or await target.next_block()


def _reaches_nothing(code: str) -> Attempt:
    async def attempt(target: AttackTarget) -> str:
        async with _listening() as listener:
            said = await _run(target, listener, code)
            return said or ("the host's listener was connected to" if listener.received or listener.most else "")

    return attempt


async def _smuggles_a_request(target: AttackTarget) -> str:
    async with _listening() as listener:
        said = await _run(target, listener, _SMUGGLE)
        if b"smuggled" in listener.received or listener.received.count(b"HTTP/1.1") != _PLAIN_REQUESTS:
            return f"the server was sent {listener.received[:200]!r}"
        return said


async def _sends_giant_heads(target: AttackTarget) -> str:
    async with _listening() as listener:
        return await _run(target, listener, _GIANTS)


async def _floods_with_connections(target: AttackTarget) -> str:
    async with _listening() as listener:
        result = await target.run(_program(listener, _FLOOD))
        if len(result.connections) > 64:  # noqa: PLR2004 - that of the policy
            return f"{len(result.connections)} connections were tried"
        return await target.next_block()


async def _leaves_a_connection(target: AttackTarget) -> str:
    async with _listening() as listener:
        leave = f"""
connection = socket.create_connection(PROXY)
connection.send(b"CONNECT localhost:{listener.port} HTTP/1.1\\r\\n\\r\\n"); connection.recv(100)
if os.fork() == 0:
    os.setsid()
    while True: connection.send(b"from an earlier block"); time.sleep(0.05)
socket.create_connection(PROXY).send(b"CONN")
os._exit(0)
"""
        await target.run(_PROXY + leave)
        problem = await target.next_block()
        before = len(listener.received)
        problem = problem or await target.next_block()
        return problem or ("the connection outlives its block" if len(listener.received) > before else "")


async def _stands_in_for_the_proxy(target: AttackTarget) -> str:
    async with _listening() as listener:
        result = await target.run(_PROXY + _STAND_IN)
        works = await target.run(_program(listener, "print(tunnel(b'localhost:%d' % PORT))"))
        if works.output != "b'HTTP/1.1 200 Connection established'\n":
            return f"the proxy answers {works.output[:100]!r}"
        return "stands in" if "stands in" in result.output else ""


async def _fills_the_kernel(target: AttackTarget) -> str:
    result = await target.run(_PROXY + _OWN_SOCKETS)
    return result.output.strip() if result.status != "out_of_memory" else await target.next_block()


ATTACKS = (
    Attack(
        name="other-hosts",
        aim="reach another host than the allowed one",
        attempt=_reaches_nothing(_OTHER_HOSTS),
        policy=_POLICY,
    ),
    Attack(
        name="private-addresses",
        aim="reach this machine, its networks or a metadata service through an allowed network",
        attempt=_reaches_nothing(_PRIVATE),
        policy=_POLICY,
    ),
    Attack(
        name="direct-sockets",
        aim="reach a network without the proxy",
        attempt=_reaches_nothing(_DIRECT),
        policy=_POLICY,
    ),
    Attack(
        name="smuggled-requests",
        aim="smuggle a second request through the proxy",
        attempt=_smuggles_a_request,
        policy=_OPEN,
    ),
    Attack(name="giant-heads", aim="have the proxy keep giant requests", attempt=_sends_giant_heads, policy=_OPEN),
    Attack(
        name="connection-flood",
        aim="flood the proxy with connections, and leave them half open",
        attempt=_floods_with_connections,
        policy=_OPEN,
    ),
    Attack(
        name="left-connection",
        aim="leave a connection to the next block",
        attempt=_leaves_a_connection,
        policy=_OPEN,
    ),
    Attack(
        name="proxy-stand-in",
        aim="kill the sandbox's end of the proxy, or stand in for it",
        attempt=_stands_in_for_the_proxy,
        policy=_OPEN,
    ),
    Attack(
        name="tcp-buffers",
        aim="fill the kernel's memory by TCP connections to itself",
        attempt=_fills_the_kernel,
        policy=_OPEN,
    ),
)
