"""When an agent asks its person, when it stops, and how often it replies without one."""

import asyncio
from typing import Any

import pytest
from tests.support.journal import Journal
from tests.support.v02_agents import Listening, Recorder, speaker, texts
from typing_extensions import override

from symposia.core.effects import handle_effects
from symposia.core.exceptions import HumanInputError
from symposia.v02 import ConversableAgent
from symposia.v02.io import IOStream

CALLS: dict[str, Any] = {
    "content": "look",
    "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}


def heard(listener: Listening, message: Any = "go", form: str = "plain") -> list[Any]:
    """The texts of a chat that another agent begins."""
    a = speaker("a")
    with IOStream.set_default(Recorder()):
        if form == "async":
            return texts(asyncio.run(a.a_initiate_chat(listener, message=message)).chat_history)
        return texts(a.initiate_chat(listener, message=message).chat_history)


@pytest.mark.parametrize("form", ["plain", "async"])
@pytest.mark.parametrize(
    ("mode", "answers", "message", "history"),
    [
        ("ALWAYS", ["", "x", "exit"], "go", ["go", "b", "a", "x", "a"]),
        ("ALWAYS", [""], "TERMINATE", ["TERMINATE"]),
        ("ALWAYS", ["go on"], "TERMINATE", ["TERMINATE", "go on", "a"]),
        ("TERMINATE", [""], "TERMINATE", ["TERMINATE"]),
        ("TERMINATE", ["go on"], "TERMINATE", ["TERMINATE", "go on", "a", "b", "a", "b", "a"]),
        ("TERMINATE", [], "go", ["go", "b", "a", "b", "a"]),
        ("never", [], "go", ["go", "b", "a", "b", "a"]),
        ("never", [""], "TERMINATE", ["TERMINATE"]),
        ("NEVER", [], "TERMINATE", ["TERMINATE"]),
        ("NEVER", [], "go", ["go", "b", "a", "b", "a"]),
    ],
)
def test_the_modes(mode: str, answers: list[str], message: str, history: list[str], form: str) -> None:
    """Another mode is `TERMINATE`, so that a misspelt one has a limit."""
    b = Listening("b", mode, answers, max_consecutive_auto_reply=2)
    assert heard(b, message, form) == history


def test_an_empty_answer_at_the_limit_is_an_automatic_reply_and_words_begin_the_count_again() -> None:
    b = Listening("b", "TERMINATE", ["", "words", "exit"], max_consecutive_auto_reply=1)
    assert heard(b) == ["go", "b", "a", "b", "a", "words", "a", "b", "a"]
    assert len(b.prompts) == 3


def test_without_automatic_replies_an_empty_answer_is_sent() -> None:
    b = Listening("b", "TERMINATE", ["", "exit"], max_consecutive_auto_reply=0)
    assert heard(b) == ["go", "", "a"]


def test_the_prompt_says_to_whom_and_what_enter_does() -> None:
    always, at_limit = Listening("b", "ALWAYS", []), Listening("b", "TERMINATE", [], max_consecutive_auto_reply=0)
    at_end = Listening("b", "TERMINATE", [])
    heard(always)
    heard(at_limit)
    heard(at_end, "TERMINATE")
    assert always.prompts[0].startswith("Replying as b. Provide feedback to a. Press enter to skip and use auto-reply")
    assert at_limit.prompts[0].startswith("Please give feedback to a. Press enter to skip and use auto-reply, or")
    assert at_end.prompts[0].startswith("Please give feedback to a. Press enter or type 'exit' to stop")


def test_notices_are_printed() -> None:
    stream = Recorder()
    with IOStream.set_default(stream):
        speaker("a").initiate_chat(Listening("b", "ALWAYS", [""]), message="go")
    assert "\n>>>>>>>> NO HUMAN INPUT RECEIVED.\n" in stream.printed
    assert "\n>>>>>>>> USING AUTO REPLY...\n" in stream.printed


@pytest.mark.parametrize("text", ["done TERMINATE", "TERMINATE ", "TERMINATE.", "terminate"])
def test_t01_only_the_exact_word_terminates(text: str) -> None:
    b = Listening("b", "NEVER", [], max_consecutive_auto_reply=1)
    assert heard(b, text)[:2] == [text, "b"]


def test_the_parts_of_a_message_are_one_text_to_the_termination_test() -> None:
    b = Listening("b", "NEVER", [])
    assert len(heard(b, {"content": [{"type": "text", "text": "TERM"}, {"type": "text", "text": "INATE"}]})) == 1


@pytest.mark.parametrize("form", ["plain", "async"])
@pytest.mark.parametrize(("of_a", "of_b", "messages"), [(2, None, 6), (None, 0, 1), (0, None, 2), (1, 1, 3)])
def test_t04_replies_are_counted_for_each_sender(of_a: int | None, of_b: int | None, messages: int, form: str) -> None:
    """AutoGen 0.2 counts a reply twice in the asynchronous form, since it calls both twins of a reply function."""
    a, b = speaker("a", max_consecutive_auto_reply=of_a), speaker("b", max_consecutive_auto_reply=of_b)
    if form == "plain":
        result = a.initiate_chat(b, message="go", silent=True)
    else:
        result = asyncio.run(a.a_initiate_chat(b, message="go", silent=True))
    assert len(result.chat_history) == messages


def test_limits_are_set_for_one_sender_or_for_all() -> None:
    a, b = speaker("a"), speaker("b")
    a.update_max_consecutive_auto_reply(5, b)
    assert (a.max_consecutive_auto_reply(), a.max_consecutive_auto_reply(b)) == (100, 5)
    a.update_max_consecutive_auto_reply(7)
    assert a.max_consecutive_auto_reply(b) == 7


@pytest.mark.parametrize("form", ["plain", "async"])
def test_words_instead_of_a_call_leave_a_result_for_it(form: str) -> None:
    a, b = Listening("a", "ALWAYS", ["stop"]), speaker("b", CALLS, max_consecutive_auto_reply=1)
    with IOStream.set_default(Recorder()):
        if form == "plain":
            result = a.initiate_chat(b, message="go")
        else:
            result = asyncio.run(a.a_initiate_chat(b, message="go"))
    assert result.chat_history[-1] == {
        "content": "stop",
        "tool_responses": [{"role": "tool", "tool_call_id": "1", "content": "USER INTERRUPTED"}],
        "role": "assistant",
        "name": "a",
    }
    assert result.human_input == ["stop"]


def test_a_person_is_asked_on_the_stream() -> None:
    stream = Recorder("yes", "exit")
    with IOStream.set_default(stream):
        result = speaker("a").initiate_chat(speaker("b", human_input_mode="ALWAYS"), message="go")
    assert texts(result.chat_history) == ["go", "yes", "a"]


def test_a_chat_without_a_first_message_asks_for_it() -> None:
    with IOStream.set_default(Recorder("first")):
        a = speaker("a")
        result = a.initiate_chat(speaker("b"), max_turns=1)
    assert texts(result.chat_history) == ["first", "b"]
    assert result.human_input == ["first"]


class RunOut(Listening):
    """An agent whose person answers from an iterator without a default."""

    @override
    def get_human_input(self, prompt: str) -> str:
        return next(iter(()))


def test_the_end_of_an_iterator_of_the_program_leaves_a_plain_chat_as_it_is() -> None:
    with pytest.raises(StopIteration):
        heard(RunOut("b", "ALWAYS", []))


def test_the_end_of_an_iterator_of_the_program_fails_a_question_that_is_an_effect() -> None:
    with handle_effects(Journal()), pytest.raises(HumanInputError, match="StopIteration"):
        heard(RunOut("b", "ALWAYS", []))


class ExhaustedStream(Recorder):
    @override
    def input(self, prompt: str = "", *, password: bool = False) -> str:
        return next(iter(()))


def test_the_end_of_an_iterator_of_the_program_fails_an_asynchronous_chat() -> None:
    a, b = speaker("a"), ConversableAgent("b", human_input_mode="ALWAYS", llm_config=False)
    with IOStream.set_default(ExhaustedStream()), pytest.raises(RuntimeError, match="StopIteration"):
        asyncio.run(a.a_initiate_chat(b, message="go"))
