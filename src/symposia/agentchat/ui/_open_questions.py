"""Questions whose answers come from elsewhere, such as a browser."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from uuid import uuid4

from symposia.core import call_function
from symposia.core.argument_checks import check_function
from symposia.core.effects import HumanAnswer, HumanQuestion, HumanReply
from symposia.core.exceptions import ArgumentTypeError


class OpenQuestions:
    """The questions of one session that wait for answers: the part of a server between a team and a person.

    Give `ask` to everything that asks, as its ``input_func``, ``approve``, ``approval_func`` or ``plan_review``, and
    pass the answers to `answer`. Each question has an id of its own, which cannot be guessed. A question that is
    cancelled, as with its run, is not open any more.

    Args:
        show: Shows a question to the person, given its id and the question. Called for each one.

    Raises:
        ArgumentTypeError: `show` cannot be called.
    """

    def __init__(self, show: Callable[[str, HumanQuestion], Awaitable[None] | None]) -> None:
        if show is None:  # pyright: ignore[reportUnnecessaryComparison] - unchecked programs
            raise ArgumentTypeError("show of OpenQuestions is None: give a function, such as def show(id, question).")
        check_function("show", "OpenQuestions", show, "def show(id, question)")
        self._show = show
        self._questions: dict[str, HumanQuestion] = {}
        self._answers: dict[str, asyncio.Future[HumanAnswer]] = {}

    @property
    def pending(self) -> Mapping[str, HumanQuestion]:
        """The open questions by their ids, the oldest first, at this moment: for a browser that reconnects."""
        # A copy, which other threads may not change: iterating over a view would fail when one of them answers.
        return dict(self._questions)

    async def ask(self, question: str) -> HumanAnswer:
        """Show a question and wait for its answer: a function for everything that asks.

        Raises:
            Exception: What `show` raised.
        """
        question_id = uuid4().hex
        asked = question if isinstance(question, HumanQuestion) else HumanQuestion(question)
        answer: asyncio.Future[HumanAnswer] = asyncio.get_running_loop().create_future()
        self._questions[question_id], self._answers[question_id] = asked, answer
        try:
            await call_function(self._show, question_id, asked)
            return await answer
        finally:
            self._questions.pop(question_id, None)
            self._answers.pop(question_id, None)

    def answer(self, question_id: str, reply: HumanReply) -> bool:
        """Answer a question, from any thread.

        Args:
            question_id: The id that `show` was given.
            reply: The answer; see `HumanQuestion.read_reply`.

        Returns:
            Whether the question was open. One that was answered, whose run has ended, or that is another session's is
            not, and the answer has no effect.

        Raises:
            ArgumentTypeError: `reply` is no answer to the question, which stays open.
        """
        question = self._questions.get(question_id)
        if question is None:
            return False
        answered = question.read_reply(reply)
        answer = self._answers.pop(question_id, None)  # one step, so that of two threads only one gets it
        if answer is None:
            return False
        self._questions.pop(question_id, None)
        answer.get_loop().call_soon_threadsafe(_set, answer, answered)
        return True


def _set(answer: asyncio.Future[HumanAnswer], value: HumanAnswer) -> None:
    if not answer.done():  # it may have been cancelled meanwhile
        answer.set_result(value)
