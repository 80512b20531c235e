"""Messages between two agents: what each keeps, what is printed, and how far a conversation goes."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.support.v02_agents import Recorder, speaker, texts
from typing_extensions import override

from symposia.v02 import Agent, ConversableAgent
from symposia.v02.agentchat import LLMAgent
from symposia.v02.io import IOStream

CALLS: dict[str, Any] = {
    "content": None,
    "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}


def test_an_agent_is_an_agent_of_both_protocols() -> None:
    assert isinstance(speaker("a"), Agent)
    assert isinstance(speaker("a"), LLMAgent)


def test_the_histories_of_both_sides_have_mirrored_roles_and_the_name_of_the_author() -> None:
    a, b = speaker("a"), speaker("b")
    a.send("hi", b, request_reply=True, silent=True)
    assert a.chat_messages[b] == [
        {"content": "hi", "role": "assistant", "name": "a"},
        {"content": "b", "role": "user", "name": "b"},
    ]
    assert b.chat_messages[a] == [
        {"content": "hi", "role": "user", "name": "a"},
        {"content": "b", "role": "assistant", "name": "b"},
    ]


@pytest.mark.parametrize(
    ("message", "stored"),
    [
        ({"content": "x", "other": 1}, {"content": "x", "role": "assistant", "name": "a"}),
        ({"content": "x", "name": "n"}, {"content": "x", "name": "n", "role": "assistant"}),
        ({"content": "x", "role": "system"}, {"content": "x", "role": "assistant", "name": "a"}),
        ({"content": "x", "role": "function", "name": "f"}, {"content": "x", "name": "f", "role": "function"}),
        ({"content": "x", "override_role": "z"}, {"content": "x", "role": "z", "name": "a"}),
        (CALLS, {**CALLS, "role": "assistant"}),
    ],
)
def test_a_message_is_stored_with_the_keys_that_count(message: dict[str, Any], stored: dict[str, Any]) -> None:
    a, b = speaker("a"), speaker("b")
    a.send(message, b, request_reply=False, silent=True)
    assert a.last_message(b) == stored


def test_a_printed_message_has_its_content_first() -> None:
    a, b = speaker("a"), speaker("b")
    a.send({"tool_responses": [{}], "role": "tool", "name": "n", "content": "x"}, b, request_reply=False, silent=True)
    assert list(b.chat_messages[a][0]) == ["content", "tool_responses", "name", "role"]


def test_an_agent_that_was_never_asked_to_reply_to_another_does_not() -> None:
    a, b = speaker("a"), speaker("b")
    assert not a.reply_at_receive[b]
    a.initiate_chat(b, message="hi", max_turns=None, silent=True)
    assert a.reply_at_receive[b]


def test_calls_have_the_role_assistant_on_both_sides() -> None:
    a, b = speaker("a"), speaker("b")
    a.send(CALLS, b, request_reply=False, silent=True)
    assert b.last_message(a) == {**CALLS, "role": "assistant"}


def test_a_message_without_content_or_calls_is_refused() -> None:
    a, b = speaker("a"), speaker("b")
    with pytest.raises(ValueError, match="Either content or function_call must be provided"):
        a.send({"content": None}, b)
    with pytest.raises(ValueError, match="Received message can't be converted"):
        b.receive({"x": 1}, a)


def test_the_last_message_of_the_only_conversation_needs_no_agent() -> None:
    a, b, c = speaker("a"), speaker("b"), speaker("c")
    assert a.last_message() is None
    a.send("x", b, request_reply=False, silent=True)
    assert a.last_message() == {"content": "x", "role": "assistant", "name": "a"}
    a.send("y", c, request_reply=False, silent=True)
    with pytest.raises(ValueError, match="More than one conversation"):
        a.last_message()
    with pytest.raises(KeyError, match="not present in any conversation"):
        a.last_message(speaker("d"))


@pytest.mark.parametrize(
    ("keep", "left"), [(1, ["4"]), (2, ["x", "r", "4"]), (3, ["x", "r", "4"]), (9, ["1", "x", "r", "4"])]
)
def test_clearing_keeps_the_result_of_a_tool_with_its_call(keep: int, left: list[str]) -> None:
    a, b = speaker("a"), speaker("b")
    a.send("1", b, request_reply=False, silent=True)
    a.send({**CALLS, "content": "x"}, b, request_reply=False, silent=True)
    a.receive({"role": "tool", "content": "r", "tool_responses": []}, b, request_reply=False, silent=True)
    a.send("4", b, request_reply=False, silent=True)
    a.chat_messages[b][2]["tool_responses"] = [{"role": "tool", "content": "r"}]
    stream = Recorder()
    with IOStream.set_default(stream):
        a.clear_history(nr_messages_to_preserve=keep)
    assert texts(a.chat_messages[b]) == left
    assert ("Preserving one more message for a " in stream.printed) == (keep == 2)


def test_clearing_one_conversation_leaves_the_others() -> None:
    a, b, c = speaker("a"), speaker("b"), speaker("c")
    a.send("x", b, request_reply=False, silent=True)
    a.send("y", c, request_reply=False, silent=True)
    a.clear_history(b)
    assert dict(a.chat_messages) == {b: [], c: [{"content": "y", "role": "assistant", "name": "a"}]}
    a.clear_history()
    assert dict(a.chat_messages) == {}


def test_conversations_can_be_continued() -> None:
    a, b = speaker("a"), speaker("b")
    again = speaker("a", chat_messages={b: [{"content": "before", "role": "user", "name": "b"}]})
    again.initiate_chat(b, message="after", clear_history=False, max_turns=1, silent=True)
    assert texts(again.chat_messages[b]) == ["before", "after", "b"]
    assert a.chat_messages == {}


def test_a_message_is_printed_with_its_sender_and_its_recipient() -> None:
    stream = Recorder()
    with IOStream.set_default(stream):
        speaker("a").send("hi", speaker("b"), request_reply=False)
    assert stream.printed == f"a (to b):\n\nhi\n\n{'-' * 80}\n"


def test_calls_and_their_results_are_printed_as_blocks() -> None:
    stream, a, b = Recorder(), speaker("a"), speaker("b")
    responses = [{"tool_call_id": "1", "role": "tool", "content": "FF"}]
    with IOStream.set_default(stream):
        a.send(CALLS, b, request_reply=False)
        b.send({"role": "tool", "content": "FF", "tool_responses": responses}, a, request_reply=False)
    suggested, response = "***** Suggested tool call (1): f *****", "***** Response from calling tool (1) *****"
    assert stream.printed == (
        f"a (to b):\n\n{suggested}\nArguments: \n{{}}\n{'*' * len(suggested)}\n\n{'-' * 80}\n"
        f"b (to a):\n\nb (to a):\n\n{response}\nFF\n{'*' * len(response)}\n\n{'-' * 80}\n"
    )


@pytest.mark.parametrize(
    ("own", "of_call", "is_printed"), [(None, True, False), (True, False, False), (False, True, True)]
)
def test_the_sender_decides_whether_its_messages_are_printed(own: bool | None, of_call: bool, is_printed: bool) -> None:
    stream = Recorder()
    with IOStream.set_default(stream):
        speaker("a", silent=own).send("hi", speaker("b"), request_reply=False, silent=of_call)
    assert bool(stream.printed) is is_printed


def test_t13_a_content_that_is_a_function_needs_a_termination_test_of_its_own() -> None:
    stream, a = Recorder(), speaker("a")
    greeting: Callable[[dict[str, int]], str] = lambda context: f"hi {context['x']}"  # noqa: E731 - typed
    never: Callable[[object], bool] = lambda message: False  # noqa: E731 - typed
    message = {"content": greeting, "context": {"x": 3}}
    with IOStream.set_default(stream):
        with pytest.raises(TypeError, match="content must be None, str, or list"):
            a.initiate_chat(speaker("b"), message=message, max_turns=1)
        a.initiate_chat(speaker("b", is_termination_msg=never), message=message, max_turns=1)
    assert "\nhi 3\n" in stream.printed


def test_a_name_may_have_spaces() -> None:
    assert ConversableAgent("a b", llm_config=False).name == "a b"


def test_t15_the_description_stays_that_of_the_first_system_message() -> None:
    a = ConversableAgent("a", system_message="S", llm_config=False)
    assert a.description == "S"
    a.update_system_message("T")
    assert (a.system_message, a.description) == ("T", "S")
    a.description = "D"
    assert a.description == "D"


@pytest.mark.parametrize("form", ["plain", "async"])
def test_a_chat_of_2000_messages_needs_no_recursion(form: str) -> None:
    a, b = (speaker(name, max_consecutive_auto_reply=1000) for name in "ab")
    if form == "plain":
        result = a.initiate_chat(b, message="go", silent=True)
    else:
        result = asyncio.run(a.a_initiate_chat(b, message="go", silent=True))
    assert len(result.chat_history) == 2001


def test_a_chat_of_20000_messages_calls_overridden_methods_for_each() -> None:
    class Counting(ConversableAgent):
        sent = received = 0

        @override
        def send(self, *args: Any, **kwargs: Any) -> None:
            self.sent += 1
            super().send(*args, **kwargs)

        @override
        def receive(self, *args: Any, **kwargs: Any) -> None:
            self.received += 1
            super().receive(*args, **kwargs)

    options: dict[str, Any] = {"llm_config": False, "human_input_mode": "NEVER", "max_consecutive_auto_reply": 10_000}
    a, b = Counting("a", default_auto_reply="A", **options), Counting("b", default_auto_reply="B", **options)
    a.initiate_chat(b, message="go", silent=True)
    assert (a.sent, b.received, b.sent, a.received) == (10_001, 10_001, 10_000, 10_000)


class Repeating(ConversableAgent):
    """An agent that sends another message after its answer."""

    @override
    def send(
        self, message: Any, recipient: Any, request_reply: bool | None = None, silent: bool | None = False
    ) -> None:
        super().send(message, recipient, request_reply, silent)
        if message == "first":
            super().send("second", recipient, request_reply, silent)

    @override
    async def a_send(
        self, message: Any, recipient: Any, request_reply: bool | None = None, silent: bool | None = False
    ) -> None:
        await super().a_send(message, recipient, request_reply, silent)
        if message == "first":
            await super().a_send("second", recipient, request_reply, silent)


@pytest.mark.parametrize("form", ["plain", "async"])
def test_the_reply_to_a_message_comes_before_the_next_one_of_an_overridden_send(form: str) -> None:
    answers = {"a": iter(["re", "re1", "re3"]), "b": iter(["first", "re2"])}

    def answer(recipient: ConversableAgent, **_: Any) -> tuple[bool, str | None]:
        return True, next(answers[recipient.name], None)

    a, b = speaker("a"), Repeating("b", llm_config=False, human_input_mode="NEVER")
    for agent in (a, b):
        agent.register_reply(ConversableAgent, answer)
    if form == "async":
        result = asyncio.run(a.a_initiate_chat(b, message="go", silent=True))
    else:
        result = a.initiate_chat(b, message="go", silent=True)
    assert texts(result.chat_history) == ["go", "first", "re", "re2", "re1", "second", "re3"]


def test_a_message_sent_by_a_reply_function_is_answered_before_send_returns() -> None:
    a, b, c = speaker("a"), speaker("b", max_consecutive_auto_reply=1), speaker("c")
    answers: list[Any] = []

    def ask_c(recipient: ConversableAgent, **_: Any) -> tuple[bool, str]:
        recipient.send("question", c, request_reply=True, silent=True)
        answers.append(recipient.last_message(c))
        return True, "answered"

    b.register_reply(a, ask_c, position=2)
    result = a.initiate_chat(b, message="go", max_turns=1, silent=True)
    assert texts(result.chat_history) == ["go", "answered"]
    assert texts(answers) == ["c"]


def test_a_plain_chat_works_inside_a_running_loop() -> None:
    async def notebook() -> list[Any]:
        return texts(speaker("a").initiate_chat(speaker("b"), message="go", max_turns=1, silent=True).chat_history)

    assert asyncio.run(notebook()) == ["go", "b"]
