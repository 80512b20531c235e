"""The proxy of the host: requests that are read strictly, addresses, and servers that break the protocol."""

import asyncio
import ipaddress
import socket
import threading
from collections.abc import AsyncIterator, Mapping

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ext.code_executors.sandbox.test_connection import ENDED, ScriptedServer, connect
from tests.support.web_server import serving

from symposia.core.code_executor import NetworkPolicy, NetworkRule, SandboxPolicy
from symposia.core.exceptions import SandboxDiedError
from symposia.ext import _addresses
from symposia.ext._addresses import is_own, is_public
from symposia.ext._hosts import UnknownNameError
from symposia.ext.code_executors._sandbox._inside._frames import Frame
from symposia.ext.code_executors._sandbox._inside._relay import WINDOW
from symposia.ext.code_executors._sandbox._proxy._body import ChunkedBody, body_of
from symposia.ext.code_executors._sandbox._proxy._destinations import (
    RESOLVED_AT_ONCE,
    DestinationError,
    Destinations,
)
from symposia.ext.code_executors._sandbox._proxy._request import (
    MOST_HEAD_BYTES,
    ProxyRequest,
    RequestError,
    head_length,
    parse_head,
)

NETWORK = SandboxPolicy(
    network=NetworkPolicy(allow=["example.org"], connections=2, connections_a_block=3, block_bytes=100)
)
STRICT = "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n"


@pytest.fixture(autouse=True)
async def _in_time() -> AsyncIterator[None]:
    async with asyncio.timeout(20):
        yield


def test_a_tunnel_names_a_host_and_a_port() -> None:
    assert parse_head(STRICT.encode()) == ProxyRequest("a.example", 443)
    assert parse_head(b"CONNECT [::1]:80 HTTP/1.0\r\n\r\n") == ProxyRequest("::1", 80)


def test_a_plain_request_is_written_anew() -> None:
    head = (
        b"GET http://A.example:8080/p?q=http://b/#f HTTP/1.1\r\nHost: evil.example\r\nAccept:  x \r\n"
        b"Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nProxy-Authorization: secret\r\n"
        b"Upgrade: h2c\r\nProxy-Connection: keep-alive\r\n\r\n"
    )
    request = parse_head(head)
    assert (request.host, request.port, request.body_bytes) == ("a.example", 8080, 0)
    assert request.head == (
        b"GET /p?q=http://b/ HTTP/1.1\r\nHost: a.example:8080\r\naccept: x\r\nConnection: close\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ("", 0),
        ("Content-Length: 7\r\n", 7),
        ("Content-Length: 7\r\ncontent-length: 7\r\n", 7),
        ("Transfer-Encoding: chunked\r\n", None),
    ],
)
def test_the_length_of_a_body_is_read(fields: str, body: int | None) -> None:
    assert parse_head(f"POST http://a.example HTTP/1.1\r\n{fields}\r\n".encode()).body_bytes == body


@pytest.mark.parametrize(
    "head",
    [
        "CONNECT a.example HTTP/1.1\r\n\r\n",
        "CONNECT a.example:0 HTTP/1.1\r\n\r\n",
        "CONNECT a.example:65536 HTTP/1.1\r\n\r\n",
        "CONNECT a.example:443:80 HTTP/1.1\r\n\r\n",
        "CONNECT user@a.example:443 HTTP/1.1\r\n\r\n",
        "CONNECT a.example:443/ HTTP/1.1\r\n\r\n",
        "CONNECT a.example%00.b:443 HTTP/1.1\r\n\r\n",
        "CONNECT 127.1:443 HTTP/1.1\r\n\r\n",
        "CONNECT 0x7f000001:443 HTTP/1.1\r\n\r\n",
        "CONNECT [::1%25lo]:443 HTTP/1.1\r\n\r\n",
        "CONNECT a.example:443 HTTP/2\r\n\r\n",
        "CONNECT a.example:443\r\n\r\n",
        "CONNECT  a.example:443 HTTP/1.1\r\n\r\n",
        "CONNECT a.example:443 HTTP/1.1 \r\n\r\n",
        "CONNECT a.example:443 HTTP/1.1\nHost: b\r\n\r\n",
        "CONNECT a.example:443 HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
        "CONNECT a.example:443 HTTP/1.1\r\nHost : a\r\n\r\n",
        "CONNECT a.example:443 HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
        "CONNECT a.example:443 HTTP/1.1\r\nA: \0\r\n\r\n",
        "CONNECT a.example:443 HTTP/1.1\r\nContent-Length: 5\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
        "GET https://a.example/ HTTP/1.1\r\n\r\n",
        "GET ftp://a.example/ HTTP/1.1\r\n\r\n",
        "GET http://user:pass@a.example/ HTTP/1.1\r\n\r\n",
        "GET http://a.example\\@b.example/ HTTP/1.1\r\n\r\n",
        "GET http:///path HTTP/1.1\r\n\r\n",
        "G@T http://a.example/ HTTP/1.1\r\n\r\n",
        "POST http://a.example/ HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST http://a.example/ HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "POST http://a.example/ HTTP/1.1\r\nContent-Length: +5\r\n\r\n",
        "POST http://a.example/ HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "POST http://a.example/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST http://a.example/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET http://a.example/ HTTP/1.1\r\n" + "A: b\r\n" * 201 + "\r\n",
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(head: str) -> None:
    with pytest.raises(RequestError) as error:
        parse_head(head.encode())
    assert "example" not in str(error.value)  # nothing of the request comes back in the text


@settings(deadline=None)
@given(chunks=st.lists(st.binary(min_size=1, max_size=40)), size=st.integers(1, 50))
def test_a_body_in_chunks_ends_where_it_says_whatever_the_pieces(chunks: list[bytes], size: int) -> None:
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    sent = body + b"GET http://b.example/ HTTP/1.1\r\n\r\n"
    take = body_of(parse_head(b"POST http://a.example HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"))
    assert b"".join(take(sent[start : start + size]) for start in range(0, len(sent), size)) == body


@pytest.mark.parametrize(
    "body",
    [
        b"5;a=b\r\nhello\r\n0\r\n\r\n",
        b"5\nhello\r\n0\r\n\r\n",
        b"5\r\nhello\n0\r\n\r\n",
        b"5\r\nhello again\r\n0\r\n\r\n",
        b"0\r\nA: b\r\n\r\n",
        b"0\r\n\n",
        b"-1\r\n",
        b"+5\r\nhello\r\n",
        b" 5\r\nhello\r\n",
        b"0x5\r\nhello\r\n",
        b"5_0\r\n",
        b"\r\n",
        b"0" * 100,
    ],
)
@pytest.mark.parametrize("size", [1, 100])
def test_chunks_that_can_be_read_in_two_ways_are_not_sent_on(body: bytes, size: int) -> None:
    take, sent = ChunkedBody().take, bytearray()

    def send() -> None:
        for start in range(0, len(body), size):
            sent.extend(take(body[start : start + size]))

    with pytest.raises(RequestError, match="chunks"):
        send()
    assert body.startswith(sent)
    assert sent in (b"", b"5\r\nhello", b"0\r\n")  # no line but a right one


def test_a_head_is_read_up_to_its_limit() -> None:
    assert head_length(b"") == head_length(STRICT[:-1].encode()) == 0
    assert head_length(STRICT.encode() + b"rest\r\n\r\n") == len(STRICT)
    with pytest.raises(RequestError, match="longer than"):
        head_length(b"a" * MOST_HEAD_BYTES)


@settings(deadline=None, max_examples=500)
@given(
    head=st.one_of(
        st.binary(max_size=200),
        st.from_regex(rb"(CONNECT|GET) [ -~]{0,40} HTTP/1.[01]\r\n([ -~\r\n\0]{0,30}\r\n){0,3}", fullmatch=True),
        st.from_regex(
            rb"POST http://[a-z.:0-9@\\/\[\]]{0,30} HTTP/1.1\r\n([A-Za-z-]+ ?: ?[ -~]{0,20}\r\n){0,3}", fullmatch=True
        ),
    )
)
def test_whatever_is_taken_is_one_request_for_one_host(head: bytes) -> None:
    try:
        request = parse_head(head + b"\r\n")
    except RequestError:
        return
    assert 0 < request.port < 65536
    if request.is_tunnel:
        return
    server = h11.Connection(h11.SERVER)  # what a server makes of it
    server.receive_data(request.head)
    event = server.next_event()
    assert isinstance(event, h11.Request)
    fields = dict(event.headers)
    host = f"[{request.host}]" if ":" in request.host else request.host
    assert fields[b"host"].decode() == (host if request.port == 80 else f"{host}:{request.port}")
    assert (b"connection", b"close") in event.headers
    assert event.target.startswith(b"/")


PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "151.101.0.223",
    "2606:4700::1111",
    "2001:4860:4860::8888",
    "64:ff9b::8.8.8.8",
    "::ffff:8.8.8.8",
]
NOT_PUBLIC = [
    *("127.0.0.1", "127.255.0.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "100.100.100.200"),
    *("169.254.169.254", "168.63.129.16", "192.0.0.192", "192.0.2.1", "198.18.0.1", "192.88.99.1", "224.0.0.1"),
    *(
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "fe80::1",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
    ),
    *("ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::169.254.169.254"),
    *(
        "64:ff9b:1::8.8.8.8",
        "2002:7f00:1::1",
        "2002:808:808::1",
        "2001::1",
        "2001:db8::1",
        "3fff::1",
        "100::1",
        "4000::1",
    ),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_of_the_machine_or_its_networks_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_inside_another_is_judged_as_itself(address: ipaddress.IPv4Address) -> None:
    for outer in (f"::ffff:{address}", f"64:ff9b::{address}"):
        assert is_public(ipaddress.ip_address(outer)) == is_public(address)
    if is_public(address):
        assert address.is_global


def test_the_machines_own_addresses_are_known() -> None:
    assert is_own(ipaddress.ip_address("127.0.0.1"))
    assert not is_own(ipaddress.ip_address("192.0.2.1"))


def answers(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Let names lead to these addresses, and record which are asked for."""
    asked: list[str] = []

    def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


async def test_one_private_address_among_public_ones_refuses_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "8.8.8.8", "10.0.0.1")
    with pytest.raises(DestinationError, match=r"it leads to 10\.0\.0\.1, which is not a public address"):
        await Destinations().addresses_of("a.example", 443, NetworkRule(host="a.example"))
    assert await Destinations().addresses_of("a.example", 443, NetworkRule(host="a.example", private=True)) == [
        "8.8.8.8",
        "10.0.0.1",
    ]


async def test_a_public_address_of_this_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "8.8.8.8")
    monkeypatch.setattr(_addresses, "is_own", bool)  # any address
    with pytest.raises(DestinationError, match="which is an address of this machine"):
        await Destinations().addresses_of("a.example", 443, NetworkRule(host="a.example"))


async def test_a_name_is_resolved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answers(monkeypatch, "8.8.8.8")
    assert await Destinations().addresses_of("a.example", 443, NetworkRule(host="*.example")) == ["8.8.8.8"]
    assert asked == ["a.example"]


async def test_an_address_that_a_rule_names_is_allowed_and_a_name_for_it_is_not() -> None:
    rule = NetworkRule(host="127.0.0.1", ports=())
    assert await Destinations().addresses_of("127.0.0.1", 1, rule) == ["127.0.0.1"]
    with pytest.raises(DestinationError, match="not a public address"):
        await Destinations().addresses_of("localhost", 1, NetworkRule(host="localhost"))
    with pytest.raises(DestinationError, match=r"^it is not a public address"):
        await Destinations().addresses_of("::ffff:7f00:1", 1, rule)


async def test_a_name_that_leads_nowhere_says_so() -> None:
    with pytest.raises(UnknownNameError, match="there is no address for this name"):
        await Destinations().addresses_of("nothing.invalid", 443, NetworkRule(host="nothing.invalid"))


def never(_address: object) -> bool:
    return False


class SlowNames:
    """Names that are resolved when the test says so, but for one.

    Attributes:
        asked: Those that are being resolved, or were.
        may_answer: Set by the test.
        open: How many are being resolved.
        most: The most at the same time.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.may_answer = threading.Event()
        self.open = self.most = 0
        self._lock = threading.Lock()

    def resolve(self, host: str, port: int, **_: object) -> list[tuple[object, object, object, str, tuple[str, int]]]:
        with self._lock:
            self.asked.append(host)
            self.open += 1
            self.most = max(self.most, self.open)
        if host != "quick.example":
            self.may_answer.wait(20)
        with self._lock:
            self.open -= 1
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", port))]


async def test_names_of_one_sandbox_take_few_threads_also_when_the_blocks_that_asked_are_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names, rule = SlowNames(), NetworkRule(host="*.example")
    monkeypatch.setattr(socket, "getaddrinfo", names.resolve)
    monkeypatch.setattr(_addresses, "is_own", never)
    greedy, other = Destinations(), Destinations()
    try:
        for attempt in range(3):
            asking = [
                asyncio.ensure_future(greedy.addresses_of(f"{attempt}-{number}.example", 443, rule))
                for number in range(40)
            ]
            assert await other.addresses_of("quick.example", 443, rule) == ["8.8.8.8"]
            for each in asking:
                each.cancel()
            await asyncio.wait(asking)
        names.asked = [name for name in names.asked if name != "quick.example"]
        assert len(names.asked) <= RESOLVED_AT_ONCE
        waiting = asyncio.ensure_future(greedy.addresses_of("last.example", 443, rule))
        names.may_answer.set()
        assert await waiting == ["8.8.8.8"]
    finally:
        names.may_answer.set()
    assert names.most <= RESOLVED_AT_ONCE + 1


def says(*frames: tuple[str, Mapping[str, object], bytes]) -> ScriptedServer:
    async def answer(server: ScriptedServer, request: Frame) -> None:
        if request.header["kind"] == "run":
            for kind, header, data in frames:
                server.say(kind, header, data)
            server.say("ended", ENDED)

    return ScriptedServer(answer)


def made(number: int) -> tuple[str, Mapping[str, object], bytes]:
    return ("connect", {"connection": number}, b"")


def sent(number: int, data: bytes) -> tuple[str, Mapping[str, object], bytes]:
    return ("data", {"connection": number}, data)


@pytest.mark.parametrize(
    "frames",
    [
        [made(1), made(1)],
        [made(2), made(1)],
        [made(1), made(2), made(3)],
        [sent(1, b"x")],
        [made(1), sent(1, b"")],
        [made(1), sent(1, bytes(WINDOW + 1))],
        [made(1), *[sent(1, bytes(WINDOW // 2))] * 3],
        [made(1), ("end", {"connection": 1}, b""), ("end", {"connection": 1}, b"")],
        [made(1), ("end", {"connection": 1}, b""), sent(1, b"x")],
        [made(1), ("window", {"connection": 1, "bytes": 1}, b"")],
        [made(1), ("window", {"connection": 1, "bytes": 0}, b"")],
        [made(1), ("window", {"connection": 1, "bytes": -5}, b"")],
        [("close", {"connection": 1}, b"")],
        [("connect", {"connection": 0}, b"")],
        [("connect", {"connection": "1"}, b"")],
        [("connect", {"connection": 1, "more": 1}, b"")],
        [frame for number in range(1, 5) for frame in (made(number), ("close", {"connection": number}, b""))],
        [made(1), ("close", {"connection": 1}, b""), *[sent(1, bytes(WINDOW))] * 8],
    ],
)
async def test_a_server_that_breaks_the_rules_of_connections_is_killed(
    frames: list[tuple[str, Mapping[str, object], bytes]],
) -> None:
    server = says(*frames)
    sandbox = await connect(server, NETWORK)
    with pytest.raises(SandboxDiedError, match=r"connection|protocol"):
        await sandbox.run("", "python")
    assert server.killed


async def test_a_server_without_a_network_makes_no_connections() -> None:
    server = says(made(1))
    sandbox = await connect(server, SandboxPolicy())
    with pytest.raises(SandboxDiedError, match="without a network"):
        await sandbox.run("", "python")


async def test_frames_of_a_connection_that_is_gone_are_taken_once_it_has_been() -> None:
    close = ("close", {"connection": 1}, b"")
    server = says(made(1), close, sent(1, b"late"), ("window", {"connection": 1, "bytes": 5}, b""), close)
    sandbox = await connect(server, NETWORK)
    result = await sandbox.run("", "python")
    assert [attempt.outcome for attempt in result.connections] == ["failed"]


@settings(deadline=None, max_examples=150)
@given(
    frames=st.lists(
        st.tuples(
            st.sampled_from(["connect", "data", "window", "end", "close"]),
            st.fixed_dictionaries({"connection": st.integers(0, 4)}, optional={"bytes": st.integers(-1, 2 * WINDOW)}),
            st.sampled_from([b"", b"x", STRICT.encode(), bytes(WINDOW)]),
        ),
        max_size=12,
    )
)
async def test_whatever_a_server_says_of_connections_is_taken_or_ends_the_sandbox(
    frames: list[tuple[str, Mapping[str, object], bytes]],
) -> None:
    server = says(*frames)
    sandbox = await connect(server, NETWORK)
    try:
        result = await sandbox.run("", "python")
    except SandboxDiedError:
        assert server.killed
    else:
        assert len(result.connections) == sum(kind == "connect" for kind, _, _ in frames)
    await sandbox.close()
    assert [task for task in asyncio.all_tasks() if "SandboxNetwork" in repr(task)] == []


async def test_what_is_refused_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def answer(server: ScriptedServer, request: Frame) -> None:
        if request.header["kind"] == "run":
            server.say("connect", {"connection": 1})
            server.say("data", {"connection": 1}, b"CONNECT other.example:443 HTTP/1.1\r\n\r\n")
        elif request.header["kind"] == "end":
            server.say("close", {"connection": 1})
            server.say("ended", ENDED)

    caplog.set_level("INFO")
    sandbox = await connect(ScriptedServer(answer), NETWORK)
    result = await sandbox.run("", "python")
    assert result.notes == ("network: other.example:443 refused: not on the allow-list",)
    assert "Code in a sandbox: other.example:443 refused not on the allow-list" in caplog.messages


async def test_an_observer_that_fails_is_told_and_ends_nothing_else() -> None:
    def fail(_attempt: object) -> None:
        raise LookupError("the listener's own")

    sandbox = await connect(says(made(1), ("close", {"connection": 1}, b"")), NETWORK)
    sandbox.observe_connections(fail)
    with pytest.raises(LookupError, match="the listener's own"):
        await sandbox.run("", "python")


async def test_an_observer_that_fails_does_not_take_the_place_of_a_cancellation() -> None:
    async def answer(server: ScriptedServer, request: Frame) -> None:
        if request.header["kind"] == "run":
            server.say("connect", {"connection": 1})
            server.say("output", {"stream": "stdout"}, b"connected")
        elif request.header["kind"] == "cancel":
            server.say("ended", {**ENDED, "status": "cancelled"})

    def fail(_attempt: object) -> None:
        raise LookupError("the listener's own")

    connected = asyncio.Event()
    sandbox = await connect(ScriptedServer(answer), NETWORK)
    sandbox.observe_connections(fail)
    block = asyncio.create_task(sandbox.run("", "python", on_output=lambda _stream, _text: connected.set()))
    await connected.wait()
    block.cancel()
    with pytest.raises(asyncio.CancelledError) as cancelled:
        await block
    assert any("the listener's own" in note for note in cancelled.value.__notes__)


async def test_bytes_arrive_in_order_whatever_the_pieces() -> None:
    """A server and a host that take turns with small windows: the whole of a request and of its answer."""
    received = bytearray()
    done = asyncio.Event()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(1000):
            writer.write(piece)
            await writer.drain()

    async with serving(echo) as port:
        text = bytes(range(256)) * 40
        head = f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n".encode()

        async def answer(server: ScriptedServer, request: Frame) -> None:
            if request.header["kind"] == "run":
                server.say("connect", {"connection": 1})
                whole = head + text
                for start in range(0, len(whole), 777):
                    server.say("data", {"connection": 1}, whole[start : start + 777])
                server.say("end", {"connection": 1})
            elif request.header["kind"] == "data":
                received.extend(request.data)
                server.say("window", {"connection": 1, "bytes": len(request.data)})
            elif request.header["kind"] == "end":
                server.say("close", {"connection": 1})
                server.say("ended", ENDED)
                done.set()

        policy = SandboxPolicy(network=NetworkPolicy(allow=[f"127.0.0.1:{port}"]))
        sandbox = await connect(ScriptedServer(answer), policy)
        result = await sandbox.run("", "python")
        await done.wait()
    assert received == b"HTTP/1.1 200 Connection established\r\n\r\n" + text
    [attempt] = result.connections
    assert (attempt.bytes_sent, attempt.bytes_received) == (len(text), len(text))
