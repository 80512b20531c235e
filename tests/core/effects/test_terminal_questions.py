"""Questions at one terminal, as `input` asks them."""

import asyncio
import builtins
import io
import queue
import sys
import weakref
from typing import Any

import pytest

from symposia.agentchat.agents import UserProxyAgent
from symposia.agentchat.ui import UserInputManager
from symposia.core import CancellationToken
from symposia.core.effects import HumanQuestion, ask_human, ask_on_terminal
from symposia.core.exceptions import InputEndedError

WAIT = 20


class Line(str):  # noqa: SLOT000 - it has to be weakly referenced
    """A line whose end can be observed."""


class Terminal:
    """A person at a terminal, in the place of `input`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._typed: queue.Queue[str | None] = queue.Queue()
        self._prompts: asyncio.Queue[str] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        monkeypatch.setattr(builtins, "input", self._input)

    def _input(self, prompt: str = "") -> str:
        self._loop.call_soon_threadsafe(self._prompts.put_nowait, prompt)
        line = self._typed.get(timeout=WAIT)
        if line is None:
            raise EOFError
        return line

    async def prompted(self) -> str:
        return await self._prompts.get()

    def type(self, line: str | None) -> None:
        """Type a line; None for Ctrl-D."""
        self._typed.put_nowait(line)

    async def type_until_dropped(self, text: str) -> None:
        """Type a line, and wait until nothing holds it any more."""
        dropped, loop, line = asyncio.Event(), self._loop, Line(text)
        weakref.finalize(line, lambda: loop.call_soon_threadsafe(dropped.set))
        self._typed.put_nowait(line)
        del line
        await dropped.wait()


@pytest.fixture
async def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(monkeypatch)


REAL_INPUT: Any = builtins.input


async def test_questions_at_one_terminal_wait_for_each_other(terminal: Terminal) -> None:
    manager = UserInputManager(REAL_INPUT)
    functions: list[Any] = [REAL_INPUT, ask_on_terminal, manager.get_wrapped_callback()]
    async with asyncio.timeout(WAIT):
        asked = [asyncio.create_task(ask_human(each, f"{place}?")) for place, each in enumerate(functions)]
        for place in range(3):
            assert await terminal.prompted() == f"{place}?"
            assert not asked[place].done()
            terminal.type(f"answer {place}")
        answers = [(await each).text for each in asked]
    assert answers == ["answer 0", "answer 1", "answer 2"]


async def test_agents_without_a_function_ask_there_too(terminal: Terminal) -> None:
    async with asyncio.timeout(WAIT):
        runs = [asyncio.create_task(UserProxyAgent(name).run(task="go")) for name in ("ann", "bob")]
        for line in ("first", "second"):
            assert await terminal.prompted() == "Enter your response: "
            terminal.type(line)
        assert {(await run).messages[-1].to_text() for run in runs} == {"first", "second"}


async def test_an_approval_says_how_to_answer(terminal: Terminal) -> None:
    async with asyncio.timeout(WAIT):
        asked = asyncio.create_task(ask_human(REAL_INPUT, "Delete \x1b[8m?", approval_of="x"))
        assert await terminal.prompted() == "Delete ␛[8m?\nApprove? [y, or the reason why not] "
        terminal.type("y")
        assert (await asked).approved


async def test_what_the_terminal_cannot_encode_is_a_question_mark(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="cp1252", write_through=True))
    async with asyncio.timeout(WAIT):
        first = asyncio.create_task(ask_human(REAL_INPUT, "Pay → 5 €?"))
        second = asyncio.create_task(ask_human(REAL_INPUT, "And 日本?"))
        assert await terminal.prompted() == "Pay ? 5 €?"
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert written.getvalue() == b"\nAnd ???"
        terminal.type("no")
        assert (await second).text == "no"


async def test_the_line_after_a_cancelled_question_answers_the_one_that_is_shown(
    terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    tokens = [CancellationToken(), CancellationToken()]
    async with asyncio.timeout(WAIT):
        first = asyncio.create_task(ask_human(REAL_INPUT, "First?", tokens[0]))
        waiting = asyncio.create_task(ask_human(REAL_INPUT, "Waits?", tokens[1]))
        second = asyncio.create_task(ask_human(REAL_INPUT, HumanQuestion("Second?", approval_of=2)))
        assert await terminal.prompted() == "First?"
        for token, task in ((tokens[1], waiting), (tokens[0], first)):
            token.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert capsys.readouterr().out == "\nSecond?\nApprove? [y, or the reason why not] "
        terminal.type("yes")
        assert (await second).approved


async def test_a_line_that_was_typed_for_a_cancelled_question_approves_nothing(terminal: Terminal) -> None:
    async with asyncio.timeout(WAIT):
        first = asyncio.create_task(ask_human(REAL_INPUT, "Coffee?"))
        await terminal.prompted()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        await terminal.type_until_dropped("yes")
        second = asyncio.create_task(ask_human(REAL_INPUT, "Delete everything?", approval_of="*"))
        assert (await terminal.prompted()).startswith("Delete everything?")
        assert not second.done()
        terminal.type("no")
        assert not (await second).approved


async def test_the_end_of_the_input_ends_each_question(terminal: Terminal) -> None:
    async with asyncio.timeout(WAIT):
        asked = [asyncio.create_task(ask_human(REAL_INPUT, f"{place}?")) for place in range(2)]
        for each in asked:
            await terminal.prompted()
            terminal.type(None)
            with pytest.raises(InputEndedError):
                await each
