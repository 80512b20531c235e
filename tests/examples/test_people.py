"""The examples in which a person takes part, with a real browser's part played by a client on loopback."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import websockets
from websockets.asyncio.client import ClientConnection

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(
    ("typed", "results"),
    [
        ("too much\ny\n", ["was not made. The reason: too much", "50 paid back for order 4711."]),
        ("y\nno\n", ["500 paid back for order 4711.", "was not made."]),
    ],
)
def test_the_terminal_asks_for_each_call_with_its_arguments(typed: str, results: list[str]) -> None:
    command = [sys.executable, EXAMPLES / "terminal_approval.py"]
    run = subprocess.run(command, input=typed, capture_output=True, text=True, timeout=60, check=False)

    assert run.returncode == 0, run.stderr
    assert re.findall(r"May (.*?) be called\?", run.stdout) == [
        'refund(order="4711", amount=500)',
        'refund(order="4711", amount=50)',
    ]
    told = re.findall(r"FunctionExecutionResult\(content=[\"'](.*?)[\"'], name=", run.stdout)
    assert len(told) == 2
    assert all(part in text for part, text in zip(results, told, strict=True)), told


def test_an_input_that_ends_at_a_terminal_calls_nothing_and_says_so() -> None:
    command = [sys.executable, EXAMPLES / "terminal_approval.py"]
    run = subprocess.run(command, input="", capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 1
    assert run.stderr.startswith("Failed to get user input: EOF when reading a line (the question: May refund(")
    assert "paid back" not in run.stdout


class Server:
    """The example as a server of its own process."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self._process = process
        self.port = port

    @asynccontextmanager
    async def browser(self) -> AsyncGenerator["Browser"]:
        async with websockets.connect(f"ws://127.0.0.1:{self.port}/chat") as socket:
            yield Browser(socket)

    async def next_line(self) -> str:
        assert self._process.stdout is not None
        return (await asyncio.to_thread(self._process.stdout.readline)).strip()


class Browser:
    """What the page does."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def say(self, text: str) -> None:
        await self._socket.send(json.dumps({"type": "say", "text": text}))

    async def send(self, text: str) -> None:
        await self._socket.send(text)

    async def answer(self, question: dict[str, Any], *, approved: bool) -> None:
        await self._socket.send(json.dumps({"type": "answer", "id": question["id"], "approved": approved}))

    async def shown(self) -> dict[str, Any]:
        return json.loads(await self._socket.recv())

    async def shown_until(self, text: str) -> list[str]:
        """The texts up to the first that begins with this one."""
        texts: list[str] = []
        while not texts or not texts[-1].startswith(text):
            texts.append((await self.shown())["text"])
        return texts


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    command = [sys.executable, EXAMPLES / "web_chat.py", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        found = next(filter(None, (re.search(r"running on http://127\.0\.0\.1:(\d+)", line) for line in lines)))
        yield Server(process, int(found[1]))
        process.kill()


async def test_two_browsers_talk_to_teams_of_their_own_at_once(server: Server) -> None:
    async with server.browser() as ann, server.browser() as bob:
        await ann.say("I am Ann")
        await bob.say("pay 7")
        question = await bob.shown()

        assert await ann.shown_until("Text 'DONE'") == ["You said: I am Ann. DONE", "Text 'DONE' mentioned"]
        assert question["text"] == "May pay(amount=7) be called?"
        await ann.answer(question, approved=True)  # to a question of another session
        await ann.say("again")
        assert (await ann.shown())["text"] == "You said: again. DONE"
        await bob.answer(question, approved=False)
        assert "was not approved" in (await bob.shown())["text"]


async def test_an_approval_is_for_one_call_with_its_arguments(server: Server) -> None:
    async with server.browser() as browser:
        for amount in (5, 6):
            await browser.say(f"pay {amount}")
            question = await browser.shown()
            assert question["text"] == f"May pay(amount={amount}) be called?"
            await browser.answer(question, approved=True)
            assert (await browser.shown_until("Text 'DONE'"))[-2] == f"{amount} paid. DONE"


async def test_d08_a_question_is_answered_once_and_what_is_no_answer_has_no_effect(server: Server) -> None:
    async with server.browser() as browser:
        await browser.say("pay 8")
        question = await browser.shown()
        for nonsense in ("no JSON", "[]", '"answer"', "{}", json.dumps({"type": "answer", "id": 0, "approved": True})):
            await browser.send(nonsense)
        await browser.send(json.dumps({"type": "answer", "id": question["id"], "approved": "yes"}))
        await browser.answer(question, approved=False)
        await browser.answer(question, approved=True)  # too late
        assert "was not approved" in (await browser.shown_until("Text 'DONE'"))[-2]
        await browser.answer(question, approved=True)  # after the run
        await browser.say("pay 8")
        again = await browser.shown()
        assert again["id"] != question["id"]
        await browser.answer(question, approved=True)  # the earlier question
        await browser.answer(again, approved=True)
        assert (await browser.shown_until("Text 'DONE'"))[-2] == "8 paid. DONE"


async def test_what_is_said_in_between_is_heard_after_the_present_turn(server: Server) -> None:
    async with server.browser() as browser:
        await browser.say("talk")
        assert (await browser.shown())["text"] == "And another thing:"
        await browser.say("stop it")

        texts = await browser.shown_until("You said")

    assert "External termination requested" in texts
    assert texts[-1] == "You said: stop it. DONE"


async def test_a_browser_that_leaves_ends_what_its_team_does_and_no_other(server: Server) -> None:
    async with server.browser() as stays:
        async with server.browser() as leaves:
            await leaves.say("pay 7")
            await leaves.shown()  # its team waits for an answer
        while await server.next_line() != "A browser has left, questions open: 0":  # after those of other tests
            pass
        await stays.say("hello")
        assert (await stays.shown())["text"] == "You said: hello. DONE"


async def test_a_page_of_another_site_is_refused(server: Server) -> None:
    page = await asyncio.to_thread(lambda: urlopen(f"http://127.0.0.1:{server.port}/").read())
    assert b"<!doctype html>" in page

    with pytest.raises(websockets.InvalidStatus):
        await websockets.connect(f"ws://127.0.0.1:{server.port}/chat", origin=websockets.Origin("http://evil.example"))
