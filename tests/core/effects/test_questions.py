"""Questions to a person: what a function is given, and what its reply means."""

import asyncio
import copy
import functools
import pickle
import threading
from collections.abc import Awaitable
from typing import Any
from unittest.mock import AsyncMock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.chat_agents import RecordingHandler

from symposia.core import CancellationToken
from symposia.core.effects import HumanAnswer, HumanQuestion, ask_human, handle_effects
from symposia.core.exceptions import ArgumentTypeError, HumanInputError, InputEndedError
from symposia.core.tools import ToolApprovalRequest

WAIT = 10
CONSENT = ["y", "yes", "ok", "okay", "approve", "approved", "go", "go ahead"]
QUESTIONS = [
    HumanQuestion("Well?", approval_of={"a": [1]}, source="ann"),
    ToolApprovalRequest(tool="pay", arguments={"to": "Ann"}, call_id="1", source="ann"),
]


@given(st.sampled_from(CONSENT), st.text(" \n\t.!", max_size=3), st.booleans())
def test_a_text_that_consents_in_whole_approves(word: str, around: str, upper: bool) -> None:
    reply = " " + (word.upper() if upper else word) + around
    assert HumanQuestion("Well?", approval_of=1).read_reply(reply).approved


@given(st.text())
def test_any_other_text_refuses_with_itself_as_the_reason(text: str) -> None:
    answer = HumanQuestion("Well?", approval_of=1).read_reply(f"yes, but {text}")
    assert answer == HumanAnswer(text=f"yes, but {text}", approved=False)


@pytest.mark.parametrize("reply", ["", " \n", "n", "No.", False, HumanAnswer(text="", approved=False)])
def test_a_refusal_that_says_nothing_has_no_reason(reply: Any) -> None:
    assert HumanQuestion("Well?", approval_of=1).read_reply(reply) == HumanAnswer(text="", approved=False)


def test_an_answer_in_words_is_no_approval_and_an_approval_may_have_words() -> None:
    assert HumanQuestion("Well?").read_reply("yes") == HumanAnswer(text="yes", approved=None)
    assert HumanQuestion("Well?", approval_of=1).read_reply(HumanAnswer(text="fine", approved=True)).text == "fine"
    with pytest.raises(ArgumentTypeError, match="the reply is True, and has to be a str or a HumanAnswer"):
        HumanQuestion("Well?").read_reply(True)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda each: type(each).__name__)
def test_a_question_is_a_text_and_can_be_copied_and_sent(question: HumanQuestion) -> None:
    for again in (copy.deepcopy(question), pickle.loads(pickle.dumps(question))):
        assert (again, type(again), vars(again)) == (question, type(question), vars(question))


def test_the_text_of_a_question_controls_no_terminal() -> None:
    question = HumanQuestion("Run\x1b[2J\u202e?", approval_of="\x1b[2J\u202e")
    assert (question, question.approval_of) == ("Run␛[2J?", "\x1b[2J\u202e")


def plain(prompt: str) -> str:
    return "prompt"


def plain_with_token(prompt: str, token: CancellationToken | None) -> str:
    return "token" if isinstance(token, CancellationToken) else "other"


def plain_with_history(prompt: str, history: object = None) -> str:
    return "other" if history is not None else "prompt"


def plain_with_user(prompt: str, user: str = "ann") -> str:
    return user


async def awaited(prompt: str) -> str:
    return "prompt"


async def awaited_with_token(prompt: str, cancellation_token: CancellationToken | None = None) -> str:
    return "token" if isinstance(cancellation_token, CancellationToken) else "other"


async def awaited_with_retries(prompt: str, retries: int = 3) -> str:
    return "prompt" if retries == 3 else "other"


class Awaited:
    async def __call__(self, prompt: str, /, token: CancellationToken | None) -> str:
        return "token" if isinstance(token, CancellationToken) else "other"


def any_arguments(*arguments: object) -> str:
    return "prompt" if len(arguments) == 1 else "other"


def decorated(prompt: str) -> Awaitable[str]:
    return awaited(prompt)


FUNCTIONS: dict[str, tuple[Any, str]] = {  # Any: they are of all shapes
    "plain": (plain, "prompt"),
    "plain with token": (plain_with_token, "token"),
    "plain with history": (plain_with_history, "prompt"),
    "plain with user": (plain_with_user, "ann"),
    "partial": (functools.partial(plain_with_user, user="bob"), "bob"),
    "awaited": (awaited, "prompt"),
    "awaited with token": (awaited_with_token, "token"),
    "awaited with retries": (awaited_with_retries, "prompt"),
    "object": (Awaited(), "token"),
    "any arguments": (any_arguments, "prompt"),
    "mock": (AsyncMock(return_value="mocked"), "mocked"),
    "decorated": (decorated, "prompt"),
    "built in": (str.upper, "WELL?"),
}


@pytest.mark.parametrize("name", FUNCTIONS)
async def test_a_function_is_given_the_token_if_its_second_parameter_is_for_it(name: str) -> None:
    function, given = FUNCTIONS[name]
    assert (await ask_human(function, "Well?", CancellationToken())).text == given


async def test_the_request_of_a_question_is_its_text_and_its_object() -> None:
    handler = RecordingHandler()
    with handle_effects(handler):
        answer = await ask_human(lambda _: True, "Delete?", approval_of={"delete": "orders"})
    assert answer.approved
    (effect,) = handler.effects
    assert (effect.request.prompt, effect.request.approval_of) == ("Delete?", {"delete": "orders"})


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (EOFError(), InputEndedError, r"the input ended without an answer \(agent 'ann'\)"),
        (EOFError("EOF when reading a line"), InputEndedError, r"EOF when reading a line \(agent 'ann'\)"),
        (ConnectionError(), HumanInputError, r"ConnectionError \(agent 'ann'\)"),
        (StopIteration(), HumanInputError, r"raised StopIteration \(agent 'ann'\)"),
    ],
)
async def test_a_function_that_raises_is_an_error_that_says_who_asked(
    error: Exception, kind: type[Exception], text: str
) -> None:
    def ask(_question: str) -> str:
        raise error

    with pytest.raises(kind, match=text):
        await ask_human(ask, HumanQuestion("Well?", source="ann"))


async def test_an_empty_question_whose_function_raises_is_an_error_of_that_kind() -> None:
    with pytest.raises(HumanInputError, match="gone"):
        await ask_human(AsyncMock(side_effect=ConnectionError("gone")), "")


async def test_a_question_that_something_else_cancels_is_an_error_and_no_cancelled_run() -> None:
    async def ask(_question: str) -> str:
        answer = asyncio.get_running_loop().create_future()
        answer.cancel("the browser has left")
        return await answer

    with pytest.raises(HumanInputError, match="the browser has left"):
        await ask_human(ask, "Well?", CancellationToken())


async def test_a_late_answer_of_a_plain_function_answers_nothing() -> None:
    token, asked, release = CancellationToken(), asyncio.Event(), threading.Event()
    loop, threads = asyncio.get_running_loop(), list[threading.Thread]()

    def ask(_question: str) -> bool:
        threads.append(threading.current_thread())
        loop.call_soon_threadsafe(asked.set)
        release.wait(WAIT)
        return True

    question = asyncio.create_task(ask_human(ask, "Well?", token, approval_of=1))
    async with asyncio.timeout(WAIT):
        await asked.wait()
        token.cancel()
        with pytest.raises(asyncio.CancelledError):
            await question
    release.set()
    assert threads[0].daemon  # one that never returns does not keep the interpreter from its exit
