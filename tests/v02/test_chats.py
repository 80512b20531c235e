"""Chats: their turns, first messages, summaries and results; queues of chats, and chats before a reply."""

import asyncio
import sys
from typing import Any

import pytest
from tests.support.v02_agents import Recorder, speaker, texts

from symposia.v02 import (
    ChatResult,
    ConversableAgent,
    GroupChat,
    GroupChatManager,
    InvalidCarryOverType,
    initiate_chats,
)
from symposia.v02.agentchat import a_initiate_chats
from symposia.v02.io import IOStream

NO_COST = {"total_cost": 0}


def held(a: ConversableAgent, b: ConversableAgent, form: str = "plain", **options: Any) -> ChatResult:
    if form == "async":
        return asyncio.run(a.a_initiate_chat(b, silent=True, **options))
    return a.initiate_chat(b, silent=True, **options)


@pytest.mark.parametrize("form", ["plain", "async"])
@pytest.mark.parametrize(("turns", "history"), [(1, ["go", "b"]), (2, ["go", "b", "a", "b"])])
def test_a_turn_is_a_message_and_a_reply(turns: int, history: list[str], form: str) -> None:
    result = held(speaker("a"), speaker("b"), form, message="go", max_turns=turns)
    assert result == ChatResult(
        chat_id=None,
        chat_history=result.chat_history,
        summary="b",
        cost={"usage_including_cached_inference": NO_COST, "usage_excluding_cached_inference": NO_COST},
        human_input=[],
    )
    assert texts(result.chat_history) == history


def test_a_chat_of_turns_ends_where_its_initiator_has_no_reply() -> None:
    a = speaker("a", max_consecutive_auto_reply=1)
    assert texts(held(a, speaker("b"), message="go", max_turns=9).chat_history) == ["go", "b", "a", "b"]


def test_a_chat_clears_the_history_of_its_pair_only() -> None:
    a, b, c = speaker("a"), speaker("b"), speaker("c")
    held(a, b, message="1", max_turns=1)
    held(a, c, message="2", max_turns=1)
    held(a, b, message="3", max_turns=1)
    held(a, b, message="4", max_turns=1, clear_history=False)
    assert texts(a.chat_messages[b]) == ["3", "b", "4", "b"]
    assert texts(a.chat_messages[c]) == ["2", "c"]


@pytest.mark.parametrize("form", ["plain", "async"])
@pytest.mark.parametrize(
    ("message", "carryover", "sent"),
    [
        ("x", "p", "x\nContext: \np"),
        ("x", ["p", {"content": "q"}, {"z": 1}, 3], "x\nContext: \np\nq\n{'z': 1}\n3"),
        ("x", [], "x"),
        ({"content": "x"}, "p", "x\nContext: \np"),
        (
            {"content": [{"type": "text", "text": "x"}]},
            "p",
            [{"type": "text", "text": "\nContext: \np"}, {"type": "text", "text": "x"}],
        ),
    ],
)
def test_carryover_is_added_to_the_first_message(message: Any, carryover: Any, sent: Any, form: str) -> None:
    result = held(speaker("a"), speaker("b"), form, message=message, carryover=carryover, max_turns=1)
    assert result.chat_history[0]["content"] == sent


def test_a_carryover_is_a_text_or_a_list() -> None:
    with pytest.raises(InvalidCarryOverType, match="Carryover should be a string or a list of strings"):
        held(speaker("a"), speaker("b"), message="x", carryover=3, max_turns=1)


@pytest.mark.parametrize("form", ["plain", "async"])
def test_a_function_makes_the_first_message_of_the_options_of_the_chat(form: str) -> None:
    def first(sender: Any, recipient: Any, context: Any) -> str:
        return f"{sender.name} {recipient.name} {context}"

    result = held(speaker("a"), speaker("b"), form, message=first, carryover="p", problem=3, max_turns=1)
    assert result.chat_history[0]["content"] == "a b {'carryover': 'p', 'problem': 3}"


def described(sender: Any, recipient: Any, arguments: Any) -> str:
    return f"{sender.name}{recipient.name}{arguments}"


METHODS: list[tuple[Any, str]] = [("last_msg", "all ok "), (None, ""), (described, "ab{'z': 1, 'cache': None}")]


@pytest.mark.parametrize("form", ["plain", "async"])
@pytest.mark.parametrize(("method", "summary"), METHODS)
def test_t01_summaries(method: Any, summary: str, form: str) -> None:
    a, b = speaker("a"), speaker("b", "all ok TERMINATE")
    assert held(a, b, form, message="x", max_turns=1, summary_method=method, summary_args={"z": 1}).summary == summary


def test_the_parts_of_a_last_message_are_lines_of_its_summary() -> None:
    parts = [
        {"type": "text", "text": "a"},
        {"type": "image_url", "image_url": {"url": "z"}},
        {"type": "text", "text": "b"},
    ]
    assert held(speaker("a"), speaker("b", {"content": parts}), message="x", max_turns=1).summary == "a\nb"


def test_other_summary_methods_are_refused() -> None:
    with pytest.raises(AssertionError, match="summary_method must be a string chosen from"):
        held(speaker("a"), speaker("b"), message="x", summary_method="other")
    with pytest.raises(AssertionError, match="llm client must be set in either the recipient or sender"):
        held(speaker("a"), speaker("b"), message="x", summary_method="reflection_with_llm")


def test_a_chat_without_messages_has_an_empty_summary() -> None:
    with pytest.warns(UserWarning, match="Cannot extract summary using last_msg"):
        assert held(speaker("a"), speaker("b"), message="x", max_turns=0).summary == ""


def test_a_chat_lends_its_cache_to_both_agents() -> None:
    a, b, seen = speaker("a"), speaker("b"), list[Any]()

    def look(recipient: Any, messages: Any, sender: Any, config: Any) -> tuple[bool, None]:
        seen.append(recipient.client_cache)
        return False, None

    b.register_reply(a, look)
    held(a, b, message="x", max_turns=1, cache="cache")
    assert (seen, a.client_cache, b.client_cache) == (["cache"], None, None)


def chat(name: str, **options: Any) -> dict[str, Any]:
    return {
        "recipient": speaker(name, f"of {name} TERMINATE"),
        "message": "m",
        "max_turns": 1,
        "silent": True,
        **options,
    }


def test_chats_of_a_queue_get_the_summaries_of_those_before() -> None:
    a = speaker("a")
    results = a.initiate_chats(
        [chat("b"), chat("c"), chat("d", carryover="own", finished_chat_indexes_to_exclude_from_carryover=[0])]
    )
    assert [result.chat_history[0]["content"] for result in results] == [
        "m",
        "m\nContext: \nof b ",
        "m\nContext: \nown\nof c ",
    ]
    assert [result.chat_id for result in results] == [None] * 3
    assert a.get_chat_results() == results
    assert a.get_chat_results(1) == results[1]


def test_a_queue_prints_a_banner_for_each_chat() -> None:
    stream = Recorder()
    with IOStream.set_default(stream):
        initiate_chats([chat("b", sender=speaker("a"), silent=False, verbose=True, carryover="c")])
    stars = "*" * 80
    assert stream.printed.startswith(f"\n{stars}\nStarting a new chat....\nMessage:\nm\nCarryover:\nc\n\n{stars}\n")


def test_a_queue_names_what_its_chats_lack() -> None:
    with pytest.raises(AssertionError, match="sender must be provided"):
        initiate_chats([chat("b")])
    with pytest.raises(AssertionError, match="recipient must be provided"):
        initiate_chats([{"sender": speaker("a"), "message": "x"}])


def test_a_recipient_that_comes_twice_is_warned_of() -> None:
    twice = chat("b", sender=speaker("a"))
    with pytest.warns(UserWarning, match="Repetitive recipients detected"):
        initiate_chats([twice, twice])


def test_asynchronous_chats_get_the_summaries_of_their_prerequisites() -> None:
    a = speaker("a")
    queue = [
        chat("b", chat_id=1),
        chat("c", chat_id=2, prerequisites=[1]),
        chat("d", chat_id=3),
        chat("e", chat_id=4, prerequisites=[2, 3]),
    ]
    results = asyncio.run(a.a_initiate_chats(queue))
    assert {chat_id: result.chat_history[0]["content"] for chat_id, result in sorted(results.items())} == {
        1: "m",
        2: "m\nContext: \nof b ",
        3: "m",
        4: "m\nContext: \nof c \nof d ",
    }
    assert [results[chat_id].chat_id for chat_id in (1, 2, 3, 4)] == [1, 2, 3, 4]


def test_an_asynchronous_chat_leaves_out_the_summaries_that_it_names() -> None:
    queue = [
        chat("b", chat_id=1),
        chat("c", chat_id=2),
        chat("d", chat_id=3, prerequisites=[1, 2], finished_chat_indexes_to_exclude_from_carryover=[1]),
    ]
    results = asyncio.run(speaker("a").a_initiate_chats(queue))
    assert results[3].chat_history[0]["content"] == "m\nContext: \nof c "


def test_independent_chats_are_held_at_the_same_time() -> None:
    arrived, both = list[str](), asyncio.Event()

    async def meet(recipient: Any, messages: Any, sender: Any, config: Any) -> tuple[bool, str]:
        arrived.append(recipient.name)
        if len(arrived) == 2:
            both.set()
        await asyncio.wait_for(both.wait(), 5)
        return True, "met"

    queue = [chat("b", chat_id=1, sender=speaker("a")), chat("c", chat_id=2, sender=speaker("d"))]
    for each in queue:
        each["recipient"].register_reply([ConversableAgent], meet)
    assert [each.summary for each in asyncio.run(a_initiate_chats(queue)).values()] == ["met", "met"]


QUEUES: list[tuple[list[dict[str, Any]], str]] = [
    ([{}], "needs a 'chat_id'"),
    ([{"chat_id": 1}, {"chat_id": 1}], "Two chats have the chat_id 1"),
    ([{"chat_id": 1, "prerequisites": [7]}], r"not in the queue: \[7\]"),
    ([{"chat_id": 1, "prerequisites": [2]}, {"chat_id": 2, "prerequisites": [1]}], "prerequisites of each other"),
]


@pytest.mark.parametrize("kind", ["two", "group"])
def test_an_asynchronous_chat_without_a_model_can_be_cancelled(kind: str) -> None:
    a, b = (speaker(name, max_consecutive_auto_reply=sys.maxsize) for name in "ab")
    group = GroupChat([a, b], [], max_round=sys.maxsize, speaker_selection_method="round_robin")
    other = b if kind == "two" else GroupChatManager(group)

    many = asyncio.Event()

    async def count(messages: list[Any]) -> list[Any]:
        if len(messages) > 10:
            many.set()
        return messages

    a.register_hook("a_process_all_messages_before_reply", count)

    async def hold() -> None:
        with IOStream.set_default(Recorder()):
            await a.a_initiate_chat(other, message="go", silent=True)

    async def main() -> None:
        chat = asyncio.ensure_future(hold())
        await asyncio.wait_for(many.wait(), 10)
        chat.cancel()
        with pytest.raises(asyncio.CancelledError):
            await chat

    asyncio.run(main())


@pytest.mark.parametrize(("queue", "error"), QUEUES)
def test_a_queue_that_cannot_be_held_is_refused(queue: list[dict[str, Any]], error: str) -> None:
    """AutoGen 0.2 holds none of the chats of a circle, and says nothing."""
    chats = [chat(f"b{number}", sender=speaker("a"), **each) for number, each in enumerate(queue)]
    with pytest.raises(ValueError, match=error):
        asyncio.run(a_initiate_chats(chats))


def nested(queue: list[dict[str, Any]], **options: Any) -> tuple[ConversableAgent, ConversableAgent]:
    outer, user = speaker("outer"), speaker("user")
    outer.register_nested_chats([{"max_turns": 1, "silent": True, **each} for each in queue], trigger=user, **options)
    return user, outer


def test_the_reply_of_nested_chats_is_the_summary_of_the_last() -> None:
    one, two, three = (speaker(name) for name in ("one", "two", "three"))
    user, outer = nested([{"recipient": one}, {"recipient": two, "message": "second"}, {"recipient": three}])
    assert held(user, outer, message="hello", max_turns=1).summary == "two"
    assert texts(one.chat_messages[outer]) == ["hello", "one"]
    assert texts(two.chat_messages[outer]) == ["second\nContext: \none", "two"]
    assert three.chat_messages == {}


def test_a_function_makes_the_message_of_a_nested_chat() -> None:
    def made(recipient: Any, messages: Any, sender: Any, config: Any) -> str:
        return f"{recipient.name}, {messages[-1]['content']}, {sender.name}, {config}"

    one = speaker("one")
    user, outer = nested([{"recipient": one, "message": made}], config="c")
    held(user, outer, message="hello", max_turns=1)
    assert texts(one.chat_messages[outer]) == ["outer, hello, user, c", "one"]


def test_no_nested_chat_to_hold_ends_the_conversation() -> None:
    user, outer = nested([{"recipient": speaker("one"), "message": ""}])
    assert texts(held(user, outer, message="hello").chat_history) == ["hello"]


def test_nested_chats_come_after_the_termination() -> None:
    user, outer = nested([{"recipient": speaker("one")}])
    assert texts(held(user, outer, message="TERMINATE").chat_history) == ["TERMINATE"]


def test_a_function_replies_of_nested_chats() -> None:
    def count(queue: Any, recipient: Any, messages: Any, sender: Any, config: Any) -> tuple[bool, str]:
        return True, f"{len(queue)} for {recipient.name}"

    user, outer = nested([{"recipient": speaker("one")}], reply_func_from_nested_chats=count)
    assert held(user, outer, message="hello", max_turns=1).summary == "1 for outer"
    with pytest.raises(ValueError, match="must be a callable"):
        nested([{"recipient": speaker("one")}], reply_func_from_nested_chats="other")


def test_nested_chats_may_have_nested_chats_and_so_on() -> None:
    """In AutoGen 0.2, 140 levels are too many."""
    user, *agents = [speaker(f"agent{number}") for number in range(501)]
    for before, outer, inner in zip([user, *agents], agents, agents[1:], strict=False):
        outer.register_nested_chats([{"recipient": inner, "max_turns": 1, "silent": True}], trigger=before)
    assert held(user, agents[0], message="hello", max_turns=1).summary == "agent500"


def test_nested_chats_that_trigger_themselves_are_an_error() -> None:
    user, outer, inner = (speaker(name) for name in ("user", "outer", "inner"))
    for agent, other in [(outer, inner), (inner, outer)]:
        agent.register_nested_chats([{"recipient": other, "max_turns": 1, "silent": True}], trigger=ConversableAgent)
    with pytest.raises(RecursionError, match="Check the triggers of register_nested_chats"):
        held(user, outer, message="hello", max_turns=1)


def test_an_error_in_a_nested_chat_leaves_the_chat_and_the_outer_agents_can_go_on() -> None:
    user, outer, inner = (speaker(name) for name in ("user", "outer", "inner"))
    answers = iter([ValueError("no"), StopIteration("end"), "yes"])

    def reply(_: object, **__: object) -> tuple[bool, str]:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return True, answer

    inner.register_reply(ConversableAgent, reply)
    outer.register_nested_chats([{"recipient": inner, "max_turns": 1, "silent": True}], trigger=user)
    with pytest.raises(ValueError, match="no"):
        held(user, outer, message="hello", max_turns=1)
    with pytest.raises(StopIteration, match="end"):
        held(user, outer, message="hello", max_turns=1)
    assert held(user, outer, message="hello", max_turns=1).summary == "yes"


def test_functions_may_hold_chats_with_functions_that_hold_chats() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "dive", "arguments": "{}"}}
    depth = 0

    def dive() -> str:
        nonlocal depth
        depth += 1
        if depth == 60:
            return "the ground"
        asking, executing = speaker("asking"), speaker("executing", function_map={"dive": dive})
        result = asking.initiate_chat(executing, message={"tool_calls": [call]}, max_turns=1, silent=True)
        return str(result.chat_history[-1]["tool_responses"][0]["content"])

    with IOStream.set_default(Recorder()):
        assert dive() == "the ground"


@pytest.mark.parametrize("method", ["send", "receive", "generate_reply", "initiate_chat", "initiate_chats"])
def test_methods_that_the_program_replaces_are_called_in_nested_chats(method: str) -> None:
    """On an object, too, as programs do that log calls."""
    user, outer, inner = (speaker(name) for name in ("user", "outer", "inner"))
    outer.register_nested_chats([{"recipient": inner, "max_turns": 1, "silent": True}], trigger=user)
    calls: list[str] = []
    original = getattr(outer, method)

    def replaced(*args: Any, **kwargs: Any) -> Any:  # Any: of any method
        calls.append(method)
        return original(*args, **kwargs)

    setattr(outer, method, replaced)
    assert held(user, outer, message="hello", max_turns=1).summary == "inner"
    assert calls


def test_nested_chats_are_held_in_the_asynchronous_form() -> None:
    queue = [
        {"recipient": speaker("one"), "chat_id": 1},
        {"recipient": speaker("two"), "chat_id": 2, "message": "m", "prerequisites": [1]},
    ]
    user, outer = nested(queue, use_async=True)
    assert held(user, outer, "async", message="hello", max_turns=1).summary == "two"
    with pytest.raises(RuntimeError, match="can only be used with Conversable"):
        held(user, outer, message="hello", max_turns=1)
    user, outer = nested(queue, use_async=True, ignore_async_in_sync_chat=True)
    assert held(user, outer, message="hello", max_turns=1).summary == "outer"
    with pytest.raises(ValueError, match="chat_id is required for async nested chats"):
        nested([{"recipient": speaker("one")}], use_async=True)
    with pytest.raises(ValueError, match="must be a callable and a coroutine"):
        nested(queue, use_async=True, reply_func_from_nested_chats=made_no_message)


def made_no_message(*_: object) -> None:
    """Makes no first message."""


@pytest.mark.parametrize("form", ["plain", "async"])
@pytest.mark.filterwarnings("ignore:Cannot extract summary")
def test_a_function_without_a_first_message_begins_no_chat_of_turns(form: str) -> None:
    result = held(speaker("a"), speaker("b"), form, message=made_no_message, max_turns=2)
    assert (result.chat_history, result.summary) == ([], "")
