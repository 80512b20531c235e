"""How an agent finds its reply: reply functions, their triggers, and hooks."""

import asyncio
from typing import Any

import pytest
from tests.support.v02_agents import speaker, texts

from symposia.v02 import Agent, ConversableAgent, SenderRequired

HELLO = [{"content": "hello", "role": "user"}]


def says(text: str | None, *, final: bool = True) -> Any:
    def reply(recipient: Any, messages: Any, sender: Any, config: Any) -> tuple[bool, str | None]:
        return final, text

    return reply


def test_the_reply_functions_in_order() -> None:
    entries = vars(speaker("a"))["_reply_func_list"]  # programs of AutoGen 0.2 look at it
    names = [entry["reply_func"].__name__ for entry in entries]
    assert names == [
        "a_check_termination_and_human_reply",
        "check_termination_and_human_reply",
        "a_generate_function_call_reply",
        "generate_function_call_reply",
        "a_generate_tool_calls_reply",
        "generate_tool_calls_reply",
        "a_generate_oai_reply",
        "generate_oai_reply",
    ]


def test_the_first_final_reply_is_sent() -> None:
    a, b = speaker("a"), speaker("b")
    assert a.generate_reply(HELLO, b) == "a"
    a.register_reply(b, says("second"))
    a.register_reply(b, says("not final", final=False))
    assert a.generate_reply(HELLO, b) == "second"
    a.register_reply(b, says(None))
    assert a.generate_reply(HELLO, b) is None


def is_b(sender: Agent) -> bool:
    return sender.name == "b"


TRIGGERS: list[tuple[Any, bool]] = [
    (Agent, True),
    (ConversableAgent, True),
    ("b", True),
    ("c", False),
    (is_b, True),
    (["c", ConversableAgent], True),
    ([None], False),
]


@pytest.mark.parametrize(("trigger", "applies"), TRIGGERS)
def test_a_trigger_names_senders(trigger: Any, applies: bool) -> None:
    a = speaker("a")
    a.register_reply(trigger, says("matched"))
    assert (a.generate_reply(HELLO, speaker("b")) == "matched") is applies


def test_an_agent_as_a_trigger_is_that_agent() -> None:
    a, b = speaker("a"), speaker("b")
    a.register_reply(b, says("matched"))
    assert a.generate_reply(HELLO, b) == "matched"
    assert a.generate_reply(HELLO, speaker("b")) == "a"


def test_none_in_a_list_is_a_reply_without_a_sender() -> None:
    a = speaker("a")
    a.register_reply(["b", None], says("matched"), position=99)
    with pytest.raises(SenderRequired):
        a.generate_reply(HELLO)
    a.register_reply([None], says("without"), remove_other_reply_funcs=True)
    assert a.generate_reply(HELLO) == "without"


@pytest.mark.parametrize("trigger", [3, None])
def test_other_triggers_are_refused(trigger: Any) -> None:
    with pytest.raises(ValueError, match="trigger must be a class, a string, an agent, a callable or a list"):
        speaker("a").register_reply(trigger, says("x"))


def test_a_trigger_function_returns_a_bool() -> None:
    a = speaker("a")

    def number(sender: Agent) -> Any:
        return 1

    a.register_reply(number, says("x"))
    with pytest.raises(AssertionError, match="must return a boolean value"):
        a.generate_reply(HELLO, speaker("b"))


def test_a_reply_needs_messages_or_a_sender() -> None:
    with pytest.raises(AssertionError, match="Either messages=None or sender=None must be provided"):
        speaker("a").generate_reply()


def test_reply_functions_are_left_out_and_replaced() -> None:
    a = speaker("a", max_consecutive_auto_reply=0)
    assert a.generate_reply(HELLO, speaker("b")) is None
    check = ConversableAgent.check_termination_and_human_reply
    assert a.generate_reply(HELLO, speaker("b"), exclude=[check]) == "a"
    a.replace_reply_func(check, says("replaced"))
    assert a.generate_reply(HELLO, speaker("b")) == "replaced"


def test_the_configuration_of_a_reply_function_is_a_copy_until_reset() -> None:
    a, config = speaker("a"), {"count": 0}

    def count(recipient: Any, messages: Any, sender: Any, config: dict[str, int]) -> tuple[bool, str]:
        config["count"] += 1
        return True, str(config["count"])

    a.register_reply([Agent, None], count, config=config)
    assert [a.generate_reply(HELLO) for _ in range(2)] == ["1", "2"]
    a.reset()
    assert (a.generate_reply(HELLO), config) == ("1", {"count": 0})
    a.register_reply([Agent, None], count, config=config, reset_config=lambda config: config.update(count=10))
    a.reset()
    assert a.generate_reply(HELLO) == "11"


async def later(recipient: Any, messages: Any, sender: Any, config: Any) -> tuple[bool, str]:
    await asyncio.sleep(0)
    return True, "later"


def test_a_coroutine_function_makes_a_plain_chat_an_error_unless_it_may_be_ignored() -> None:
    a, b = speaker("a"), speaker("b")
    b.register_reply(Agent, later)
    with pytest.raises(RuntimeError, match=r"can only be used with ConversableAgent.a_initiate_chat\(\).*later"):
        a.initiate_chat(b, message="go", silent=True)
    b.replace_reply_func(later, says("now"))
    b.register_reply(Agent, later, ignore_async_in_sync_chat=True)
    assert a.initiate_chat(b, message="go", silent=True, max_turns=1).summary == "now"
    assert asyncio.run(a.a_initiate_chat(b, message="go", silent=True, max_turns=1)).summary == "later"


def test_t12_the_hook_for_the_last_message_changes_the_history() -> None:
    a, b = speaker("a"), speaker("b")

    def louder(content: str) -> str:
        return f"{content}!"

    b.register_hook("process_last_received_message", louder)
    a.initiate_chat(b, message="go", max_turns=1, silent=True)
    assert texts(b.chat_messages[a]) == ["go!", "b"]
    assert texts(a.chat_messages[b]) == ["go", "b"]


@pytest.mark.parametrize(
    "message",
    ["exit", {"content": None}, {"content": "x", "context": {}}, {"content": "x", "function_call": {"name": "f"}}],
)
def test_some_last_messages_are_not_given_to_hooks(message: Any) -> None:
    given: list[Any] = []
    a = speaker("a", is_termination_msg=bool)
    a.register_hook("process_last_received_message", given.append)
    messages = [{"content": message} if isinstance(message, str) else message]
    assert a.process_last_received_message(messages) is messages
    assert given == []


def test_an_empty_last_message_is_given_to_hooks() -> None:
    a, b = speaker("a"), speaker("b")

    def filled(content: str) -> str:
        return content or "nothing"

    b.register_hook("process_last_received_message", filled)
    a.initiate_chat(b, message="", max_turns=1, silent=True)
    assert texts(b.chat_messages[a]) == ["nothing", "b"]


def test_the_hook_for_all_messages_changes_what_replies_are_made_of_and_not_the_history() -> None:
    a, b, seen = speaker("a"), speaker("b"), list[Any]()

    def with_one_more(messages: list[Any]) -> list[Any]:
        return [*messages, {"content": "added"}]

    def look(recipient: Any, messages: list[Any], sender: Any, config: Any) -> tuple[bool, None]:
        seen.extend(messages)
        return False, None

    b.register_hook("process_all_messages_before_reply", with_one_more)
    b.register_reply(Agent, look)
    a.initiate_chat(b, message="go", max_turns=1, silent=True)
    assert texts(seen) == ["go", "added"]
    assert texts(b.chat_messages[a]) == ["go", "b"]


def test_the_hook_before_sending_changes_what_both_keep() -> None:
    a, b = speaker("a"), speaker("b")

    def address(sender: Any, message: str, recipient: Any, silent: Any) -> str:
        return f"{message}, {recipient.name}"

    a.register_hook("process_message_before_send", address)
    a.send("hi", b, request_reply=False, silent=True)
    assert texts(a.chat_messages[b]) == texts(b.chat_messages[a]) == ["hi, b"]


def test_the_asynchronous_form_has_its_own_hooks_which_run_in_the_other_order() -> None:
    a, order = speaker("a"), list[str]()

    def hook(name: str) -> Any:
        async def note(value: Any) -> Any:
            order.append(name)
            return value

        return note

    a.register_hook("a_process_last_received_message", hook("last"))
    a.register_hook("a_process_all_messages_before_reply", hook("all"))
    assert (a.generate_reply(HELLO), order) == ("a", [])
    assert (asyncio.run(a.a_generate_reply(HELLO)), order) == ("a", ["all", "last"])


def test_a_hook_is_for_a_known_method_and_registered_once() -> None:
    a, hook = speaker("a"), says("x")
    with pytest.raises(AssertionError, match="no_method is not a hookable method"):
        a.register_hook("no_method", hook)
    a.register_hook("process_last_received_message", hook)
    with pytest.raises(AssertionError, match="already registered as a hook"):
        a.register_hook("process_last_received_message", hook)
    with pytest.warns(UserWarning, match="Hook 'later' is asynchronous"):
        a.register_hook("process_last_received_message", later)
