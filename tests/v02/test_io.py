"""Streams: the default of a context and of the process, the terminal, and WebSockets."""

import asyncio
import getpass
import io
import threading
from collections.abc import Iterator

import pytest
from typing_extensions import override
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from symposia.v02.io import InputStream, IOConsole, IOStream, IOWebsockets, OutputStream


class Recorder(IOStream):
    def __init__(self, *answers: str) -> None:
        self.printed = ""
        self.answers = list(answers)

    @override
    def print(self, *objects: object, sep: str = " ", end: str = "\n", flush: bool = False) -> None:
        self.printed += sep.join(map(str, objects)) + end

    @override
    def input(self, prompt: str = "", *, password: bool = False) -> str:
        return self.answers.pop(0)


@pytest.fixture
def process_stream() -> Iterator[IOStream]:
    before = IOStream.get_global_default()
    yield before
    IOStream.set_global_default(before)


def test_the_terminal_is_the_default() -> None:
    assert isinstance(IOStream.get_default(), IOConsole)
    assert IOStream.get_default() is IOStream.get_global_default()


def test_a_context_has_its_stream_while_the_block_runs() -> None:
    mine, inner = Recorder(), Recorder()
    with IOStream.set_default(mine):
        with IOStream.set_default(inner):
            assert IOStream.get_default() is inner
        assert IOStream.get_default() is mine
        with IOStream.set_default(None):
            assert isinstance(IOStream.get_default(), IOConsole)
    assert isinstance(IOStream.get_default(), IOConsole)


async def test_tasks_inherit_the_stream_of_their_context_and_new_threads_have_that_of_the_process() -> None:
    async def default() -> IOStream:
        return IOStream.get_default()

    mine = Recorder()
    in_thread: list[IOStream] = []
    with IOStream.set_default(mine):
        assert await asyncio.create_task(default()) is mine
        thread = threading.Thread(target=lambda: in_thread.append(IOStream.get_default()))
        thread.start()
        thread.join()
    assert in_thread == [IOStream.get_global_default()]


def test_the_stream_of_the_process_can_be_replaced(process_stream: IOStream) -> None:
    mine = Recorder()
    IOStream.set_global_default(mine)
    assert IOStream.get_default() is mine is not process_stream


def test_a_class_with_both_methods_is_a_stream() -> None:
    assert isinstance(Recorder(), IOStream)
    assert isinstance(Recorder(), InputStream)
    assert isinstance(Recorder(), OutputStream)
    assert not isinstance(object(), IOStream)


def test_the_terminal_prints_and_asks_as_python_does(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("builtins.input", "answer to {}".format)
    IOConsole().print("a", 1, sep="-", end="!\n", flush=True)
    assert capsys.readouterr().out == "a-1!\n"
    assert IOConsole().input("name? ") == "answer to name? "


def test_characters_that_the_terminal_does_not_take_are_printed_as_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    """In AutoGen 0.2, half a surrogate pair in a message ends the chat, as an emoji does on a terminal without it."""
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding="latin-1", write_through=True))
    IOConsole().print("é\ud800", "\U0001f600", sep="-")
    assert written.getvalue() == b"\xe9\\ud800-\\U0001f600\n"


def test_a_password_is_not_shown_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getpass", "secret for {}".format)
    assert IOConsole().input("key? ", password=True) == "secret for key? "
    assert IOConsole().input(password=True) == "secret for Password: "


def test_each_connection_is_the_default_stream_of_its_function() -> None:
    answers: list[str] = []

    def on_connect(stream: IOWebsockets) -> None:
        assert IOStream.get_default() is stream
        stream.print("hello\ud800", 1, sep="-")
        answers.extend([stream.input("name? "), stream.input()])
        stream.print(end="", flush=True)

    with IOWebsockets.run_server_in_thread(port=0, on_connect=on_connect) as uri, connect(uri) as client:
        assert uri.startswith("ws://127.0.0.1:")
        assert [client.recv(timeout=10), client.recv(timeout=10)] == ["hello\\ud800-1\n", "name? "]
        client.send("Ann")
        client.send(b"bytes")
        assert client.recv(timeout=10) == ""
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=10)
    assert answers == ["Ann", "bytes"]


def test_a_function_of_a_connection_that_fails_is_logged_and_the_server_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def on_connect(stream: IOWebsockets) -> None:
        raise ValueError(stream.input())

    with IOWebsockets.run_server_in_thread(port=0, on_connect=on_connect) as uri:
        for text in ("first", "second"):
            with connect(uri) as client:
                client.send(text)
                with pytest.raises(ConnectionClosed):
                    client.recv(timeout=10)
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == ["first", "second"]


def test_a_client_that_leaves_ends_the_function_of_its_connection_with_one_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    asking, ended = threading.Event(), threading.Event()

    def on_connect(stream: IOWebsockets) -> None:
        asking.set()
        try:
            stream.input("name? ")
        finally:
            ended.set()

    with IOWebsockets.run_server_in_thread(port=0, on_connect=on_connect) as uri:
        with connect(uri):
            assert asking.wait(10)
        assert ended.wait(10)
    assert [(record.levelname, record.exc_info) for record in caplog.records] == [("WARNING", None)]
    assert "A client left" in caplog.text
