"""Questions whose answers come from elsewhere, late, twice or not at all."""

import asyncio
from typing import Any

import pytest

from symposia.agentchat.agents import UserProxyAgent
from symposia.agentchat.teams import RoundRobinGroupChat
from symposia.agentchat.ui import OpenQuestions
from symposia.core import CancellationToken
from symposia.core.effects import HumanQuestion, ask_human
from symposia.core.exceptions import ArgumentTypeError, HumanInputError

WAIT = 20


class Session:
    """A session of a server: its open questions, and what its browser was shown."""

    def __init__(self) -> None:
        self.shown: asyncio.Queue[tuple[str, HumanQuestion]] = asyncio.Queue()
        self.questions = OpenQuestions(self._show)

    async def _show(self, question_id: str, question: HumanQuestion) -> None:
        await self.shown.put((question_id, question))


async def test_a_question_takes_one_answer_and_is_not_open_any_more() -> None:
    session = Session()
    async with asyncio.timeout(WAIT):
        asked = asyncio.create_task(ask_human(session.questions.ask, "Delete?", approval_of=1))
        number, question = await session.shown.get()
        assert dict(session.questions.pending) == {number: question}
        with pytest.raises(ArgumentTypeError, match="the reply is None"):
            session.questions.answer(number, None)  # pyright: ignore[reportArgumentType] - what a browser may send
        assert session.questions.answer(number, False)
        assert not session.questions.answer(number, True)
        assert not (await asked).approved
        assert not session.questions.answer(number, True)
    assert dict(session.questions.pending) == {}


async def test_sessions_do_not_answer_each_others_questions() -> None:
    sessions = [Session(), Session()]
    async with asyncio.timeout(WAIT):
        asked = [asyncio.create_task(ask_human(each.questions.ask, "Well?")) for each in sessions]
        numbers = [(await each.shown.get())[0] for each in sessions]
        assert not sessions[0].questions.answer(numbers[1], "crosswise")
        for place, (each, number) in enumerate(zip(sessions, numbers, strict=True)):
            assert each.questions.answer(number, f"answer {place}")
        assert [(await each).text for each in asked] == ["answer 0", "answer 1"]


async def test_questions_at_once_are_answered_in_any_order() -> None:
    session = Session()
    async with asyncio.timeout(WAIT):
        asked = [asyncio.create_task(ask_human(session.questions.ask, text)) for text in ("a", "b")]
        shown = [await session.shown.get() for _ in asked]
        for number, question in reversed(shown):
            session.questions.answer(number, question.upper())
        assert [(await each).text for each in asked] == ["A", "B"]


async def test_the_open_questions_can_be_answered_while_they_are_listed() -> None:
    session = Session()
    async with asyncio.timeout(WAIT):
        asked = [asyncio.create_task(ask_human(session.questions.ask, text)) for text in ("a", "b")]
        for _ in asked:
            await session.shown.get()
        for question_id, question in session.questions.pending.items():
            assert session.questions.answer(question_id, question.upper())
        assert [(await each).text for each in asked] == ["A", "B"]


async def test_a_question_is_answered_once_by_several_threads() -> None:
    session = Session()
    async with asyncio.timeout(WAIT):
        asked = asyncio.create_task(ask_human(session.questions.ask, "Well?"))
        number, _ = await session.shown.get()
        answered = await asyncio.gather(
            *(asyncio.to_thread(session.questions.answer, number, f"thread {place}") for place in range(4))
        )
        assert answered.count(True) == 1
        assert (await asked).text == f"thread {answered.index(True)}"


async def test_a_question_of_a_run_that_was_cancelled_is_not_open() -> None:
    session, token = Session(), CancellationToken()
    team = RoundRobinGroupChat([UserProxyAgent("me", input_func=session.questions.ask)], max_turns=1)
    async with asyncio.timeout(WAIT):
        run = asyncio.create_task(team.run(task="Well?", cancellation_token=token))
        number, question = await session.shown.get()
        assert question.source == "me"
        token.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert not session.questions.answer(number, "late")
        run = asyncio.create_task(team.run(task="Once more."))
        number, _ = await session.shown.get()
        assert session.questions.answer(number, "in time")
        assert (await run).messages[-1].to_text() == "in time"


async def test_a_question_that_cannot_be_shown_is_an_error() -> None:
    def show(question_id: str, question: HumanQuestion) -> None:
        raise ConnectionError("the browser has left")

    questions = OpenQuestions(show)
    with pytest.raises(HumanInputError, match="the browser has left"):
        await ask_human(questions.ask, "Well?")
    assert dict(questions.pending) == {}


@pytest.mark.parametrize("show", [None, "print"])
def test_open_questions_need_a_function(show: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="show of OpenQuestions"):
        OpenQuestions(show)
