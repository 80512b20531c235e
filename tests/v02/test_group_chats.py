"""Group chats: their rounds, who hears what, who speaks next, and how they go on later."""

import asyncio
import json
import logging
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.support.v02_agents import Recorder, speaker, texts
from typing_extensions import override

from symposia.v02 import (
    Agent,
    AgentNameConflict,
    ChatResult,
    ConversableAgent,
    GroupChat,
    GroupChatManager,
    UndefinedNextAgent,
)
from symposia.v02.graph_utils import (
    check_graph_validity,
    has_self_loops,
    invert_disallowed_to_allowed,
    visualize_speaker_transitions_dict,
)
from symposia.v02.io import IOStream

CALL: dict[str, Any] = {
    "content": None,
    "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}


def members(*names: str) -> list[Any]:
    return [speaker(name) for name in names or ("a", "b", "c")]


def group(agents: list[Any] | None = None, **given: Any) -> GroupChat:
    options: dict[str, Any] = {"speaker_selection_method": "round_robin", **given}
    return GroupChat(members() if agents is None else agents, [], **options)


def held(
    chat: GroupChat, message: Any = "go", form: str = "plain", *answers: str, manager: dict[str, Any] | None = None
) -> tuple[ChatResult, str]:
    """The result of a group chat that its first agent begins, and what was printed."""
    stream, first = Recorder(*answers), chat.agents[0]
    manages = GroupChatManager(chat, **(manager or {}))
    assert isinstance(first, ConversableAgent)
    with IOStream.set_default(stream):
        if form == "async":
            return asyncio.run(first.a_initiate_chat(manages, message=message)), stream.printed
        return first.initiate_chat(manages, message=message), stream.printed


def speakers(chat: GroupChat) -> list[str]:
    return [message["name"] for message in chat.messages]


@pytest.mark.parametrize("form", ["plain", "async"])
@pytest.mark.parametrize("rounds", [1, 2, 5])
def test_t05_the_number_of_rounds_counts_the_first_message(rounds: int, form: str) -> None:
    chat = group(max_round=rounds)
    held(chat, "go", form)
    assert speakers(chat) == ["a", "b", "c", "a", "b"][:rounds]


@pytest.mark.parametrize("form", ["plain", "async"])
def test_every_agent_has_the_whole_conversation_under_the_manager(form: str) -> None:
    chat = group(max_round=3)
    result, _ = held(chat, "go", form)
    assert (texts(result.chat_history), result.summary) == (["go", "b", "c"], "c")
    for agent in chat.agents:
        assert isinstance(agent, ConversableAgent)
        (history,) = agent.chat_messages.values()
        assert [(message["content"], message["name"], message["role"]) for message in history] == [
            (text, name, "assistant" if name == agent.name else "user")
            for text, name in (("go", "a"), ("b", "b"), ("c", "c"))
        ]


def test_the_messages_of_the_group_are_texts_with_the_names_of_their_speakers() -> None:
    chat = group(max_round=1)
    image = {"type": "image_url", "image_url": {"url": "z"}}
    held(chat, {"content": [{"type": "text", "text": "look "}, image]})
    assert chat.messages == [{"content": "look <image>", "role": "user", "name": "a"}]


@pytest.mark.parametrize("form", ["plain", "async"])
def test_the_other_agents_are_sent_the_images_of_a_message(form: str) -> None:
    """AutoGen 0.2 sends them `<image>`."""
    chat = group(max_round=2)
    content = [{"type": "image_url", "image_url": {"url": "z"}}]
    held(chat, {"content": content}, form)
    (history,) = chat.agents[1].chat_messages.values()  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType] - an agent of ours
    assert history[0]["content"] == content


def test_t09_the_forms_differ_in_who_hears_the_message_that_ends_the_chat() -> None:
    summaries = {}
    for form in ("plain", "async"):
        chat = group([speaker("a"), speaker("b", "TERMINATE"), speaker("c")], max_round=9)
        result, _ = held(chat, "go", form)
        assert texts(chat.messages) == ["go", "TERMINATE"]
        summaries[form] = (texts(result.chat_history), result.summary)
    assert summaries == {"plain": (["go", "TERMINATE"], ""), "async": (["go"], "go")}


def test_the_plain_form_prints_who_speaks_next() -> None:
    assert "\nNext speaker: b\n\n" in held(group(max_round=2))[1]
    assert "Next speaker" not in held(group(max_round=2), "go", "async")[1]
    assert "Next speaker" not in held(group(max_round=2), "go", "plain", manager={"silent": True})[1]


def test_no_reply_ends_the_chat() -> None:
    chat = group([speaker("a"), speaker("b", max_consecutive_auto_reply=0), speaker("c")])
    held(chat)
    assert speakers(chat) == ["a"]


def test_the_manager_has_its_own_test_for_the_end() -> None:
    chat = group([speaker("a"), speaker("b", "x STOP"), speaker("c")])

    def stops(message: dict[str, Any]) -> bool:
        return "STOP" in message["content"]

    held(chat, manager={"is_termination_msg": stops})
    assert speakers(chat) == ["a", "b"]


@pytest.mark.parametrize("form", ["plain", "async"])
def test_introductions_are_heard_and_not_kept(form: str) -> None:
    chat = group(max_round=2, send_introductions=True)
    result, _ = held(chat, "go", form)
    assert texts(chat.messages) == ["go", "b"]
    assert any("b: You are a helpful AI Assistant." in text for text in texts(result.chat_history))


@pytest.mark.parametrize("form", ["plain", "async"])
def test_a_function_chooses_an_agent_or_a_method_or_ends_the_chat(form: str) -> None:
    def choose(last: Agent, chat: GroupChat) -> Agent | str | None:
        return {1: chat.agents[2], 2: "round_robin", 3: None}[len(chat.messages)]

    chat = group(speaker_selection_method=choose)
    held(chat, "go", form)
    assert speakers(chat) == ["a", "c", "a"]


@pytest.mark.parametrize(
    ("chosen", "error"),
    [
        (speaker("z"), "returned an agent z not in the group chat"),
        (3, "returned an object of type <class 'int'> instead of Agent or str"),
        ("other", "speaker_selection_method is set to 'other'"),
    ],
    ids=["outsider", "number", "method"],
)
def test_what_a_function_chooses_is_checked(chosen: Any, error: str) -> None:
    def choose(last: Agent, chat: GroupChat) -> Any:
        return chosen

    with pytest.raises(ValueError, match=error):
        held(group(speaker_selection_method=choose))


def test_t10_without_a_model_agents_take_turns() -> None:
    chat = group(speaker_selection_method="auto", max_round=4)
    held(chat)
    assert speakers(chat) == ["a", "b", "c", "a"]


def test_a_person_chooses_by_numbers() -> None:
    chat = group(speaker_selection_method="manual", max_round=4)
    _, printed = held(chat, "go", "plain", "3", "9", "1", "q")
    assert speakers(chat) == ["a", "c", "a", "b"]
    assert "Please select the next speaker from the following list:\n1: a\n2: b\n3: c\n" in printed


def test_a_person_may_give_one_wrong_number_and_the_next_agent_speaks_after_two() -> None:
    chat = group(speaker_selection_method="manual", max_round=3)
    _, printed = held(chat, "go", "plain", "9", " 3 ", "0", "x")
    assert printed.count("You have tried 2 times. The next speaker will be selected automatically.") == 1
    assert speakers(chat) == ["a", "c", "a"]


def test_random_chooses_among_the_eligible() -> None:
    orders = set[str]()
    for _ in range(20):
        chat = group(speaker_selection_method="random", max_round=9, allow_repeat_speaker=False)
        held(chat)
        names = speakers(chat)
        assert len(names) == 9
        assert all(one != next_one for one, next_one in pairwise(names))
        orders.add("".join(names))
    assert len(orders) > 1


@pytest.mark.parametrize(
    ("able", "names"), [(["c"], ["a", "c", "a"]), (["b", "c"], ["a", "b", "c"]), (["a", "c"], ["a", "c", "a"])]
)
def test_a_call_is_answered_by_an_agent_that_can_execute_it(able: list[str], names: list[str]) -> None:
    functions: dict[str, Any] = {"f": lambda: "F"}
    chat = group([speaker(name, function_map=functions if name in able else None) for name in "abc"], max_round=3)
    held(chat, CALL)
    assert speakers(chat) == names
    assert chat.messages[1]["content"] == "F"


def test_a_call_that_nobody_can_execute_goes_to_an_agent_with_functions() -> None:
    functions: dict[str, Any] = {"g": lambda: "G"}
    chat = group([speaker("a"), speaker("b"), speaker("c", function_map=functions)], max_round=2)
    held(chat, CALL)
    assert texts(chat.messages) == ["", "Error: Function f not found."]
    with pytest.raises(ValueError, match="No agent can execute the function f"):
        held(group(), CALL)
    unfiltered = group(max_round=2, func_call_filter=False)
    held(unfiltered, CALL)
    assert speakers(unfiltered) == ["a", "b"]


def test_an_interruption_gives_the_turn_to_the_admin() -> None:
    class Interrupted(ConversableAgent):
        @override
        def generate_reply(self, *args: Any, **kwargs: Any) -> Any:
            raise KeyboardInterrupt

    chat = group([speaker("a"), Interrupted("b", llm_config=False), speaker("Admin")], max_round=2)
    held(chat)
    assert speakers(chat) == ["a", "Admin"]
    with pytest.raises(KeyboardInterrupt):
        held(group([speaker("a"), Interrupted("b", llm_config=False), speaker("c")]))


def names_of(transitions: dict[Any, list[Any]]) -> dict[str, str]:
    return {agent.name: "".join(sorted(each.name for each in after)) for agent, after in transitions.items()}


def test_who_may_repeat_is_chosen() -> None:
    a, b, c = members()
    for allow, expected in ((None, "abc"), (True, "abc"), (False, "bc"), ([a], "abc"), ([b], "bc")):
        assert (
            names_of(GroupChat([a, b, c], [], allow_repeat_speaker=allow).allowed_speaker_transitions_dict)["a"]
            == expected
        )
    with pytest.raises(ValueError, match="allow_repeat_speaker should be a bool or a list of Agents"):
        GroupChat([a, b, c], [], allow_repeat_speaker="x")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - what is refused
    with pytest.raises(ValueError, match="names who is not in the group chat: d"):
        GroupChat([a, b, c], [], allow_repeat_speaker=[a, speaker("d")])


def test_transitions_say_who_speaks_after_whom() -> None:
    a, b, c = members()
    graph = {a: [c], b: [a], c: [b]}
    chat = group(
        [a, b, c], allowed_or_disallowed_speaker_transitions=graph, speaker_transitions_type="ALLOWED", max_round=4
    )
    held(chat)
    assert (speakers(chat), chat.speaker_transitions_type) == (["a", "c", "b", "a"], "allowed")
    inverted = invert_disallowed_to_allowed({a: [a, b]}, [a, b, c])
    assert names_of(inverted) == {"a": "c", "b": "abc", "c": "abc"}
    assert (has_self_loops(inverted), has_self_loops(graph)) == (True, False)


def test_a_speaker_that_the_transitions_do_not_name_ends_the_chat(caplog: pytest.LogCaptureFixture) -> None:
    a, b, c = members()
    chat = group([a, b, c], allowed_or_disallowed_speaker_transitions={a: [b]}, speaker_transitions_type="allowed")
    held(chat)
    assert speakers(chat) == ["a", "b"]
    assert "No eligible speaker found" in caplog.text
    empty = {a: [b], b: [], c: [a]}
    chat = group(
        [a, b, c], allowed_or_disallowed_speaker_transitions=empty, speaker_transitions_type="allowed", max_round=3
    )
    held(chat)
    assert speakers(chat) == ["a", "b", "c"]


def test_options_that_contradict_each_other_are_refused() -> None:
    a, b = members("a", "b")
    graph = {a: [b]}
    with pytest.raises(ValueError, match="Don't provide both"):
        group([a, b], allowed_or_disallowed_speaker_transitions=graph, allow_repeat_speaker=True)
    with pytest.raises(ValueError, match="speaker_transitions_type is None"):
        group([a, b], allowed_or_disallowed_speaker_transitions=graph)
    with pytest.raises(ValueError, match="speaker_transitions_type is set to 'x'"):
        group([a, b], allowed_or_disallowed_speaker_transitions=graph, speaker_transitions_type="x")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"select_speaker_message_template": ""}, "select_speaker_message_template cannot be empty or None"),
        ({"select_speaker_auto_none_template": None}, "select_speaker_auto_none_template cannot be empty or None"),
        ({"role_for_select_speaker_messages": None}, "role_for_select_speaker_messages cannot be empty or None"),
        ({"max_retries_for_selecting_speaker": -1}, "must be greater than or equal to zero"),
        ({"max_retries_for_selecting_speaker": "x"}, "cannot be None or non-int"),
        ({"select_speaker_auto_verbose": None}, "cannot be None or non-bool"),
        ({"select_speaker_transform_messages": "x"}, "must be None or MessageTransforms"),
    ],
)
def test_options_are_checked(options: dict[str, Any], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        group(**options)


def test_a_group_has_several_agents(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ValueError, match="GroupChat is underpopulated with 1 agents"):
        held(group(members("a")))
    with caplog.at_level(logging.WARNING):
        held(group(members("a", "b"), speaker_selection_method="auto", max_round=2))
    assert "underpopulated with 2 agents" in caplog.text


def test_graphs_are_checked(caplog: pytest.LogCaptureFixture) -> None:
    a, b, c = members()
    wrong: list[tuple[Any, str]] = [
        ([a], "must be a dictionary"),
        ({a: b}, "with lists as values"),
        ({c: [a]}, "has keys not in agents"),
        ({a: ["b"]}, "values that are not lists of Agents"),
    ]
    for graph, error in wrong:
        with pytest.raises(ValueError, match=error):
            check_graph_validity(graph, [a, b])
    check_graph_validity({a: [c, c]}, [a, b])
    assert all(
        text in caplog.text for text in ("Isolated agents: ['b']", "not in the group chat: ['c']", "duplicate elements")
    )


def test_graphs_are_drawn_into_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "Agg")  # no window
    a, b, c = members()
    visualize_speaker_transitions_dict({a: [b, a], b: [c]}, [a, b], str(tmp_path / "graph.svg"))
    picture = (tmp_path / "graph.svg").read_text()
    assert all(f"<!-- {name} -->" in picture for name in "abc")
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        visualize_speaker_transitions_dict({a: [b]}, [a, b])


def test_agents_are_found_by_name_and_in_order() -> None:
    a, b, c = members()
    inner = GroupChatManager(group([b, speaker("a")]), name="inner")
    chat = group([a, inner, c])
    assert chat.agent_names == ["a", "inner", "c"]
    assert (chat.agent_by_name("a"), chat.agent_by_name("b"), chat.agent_by_name("b", recursive=True)) == (a, None, b)
    with pytest.raises(AgentNameConflict):
        chat.agent_by_name("a", recursive=True, raise_on_name_conflict=True)
    assert [chat.next_agent(a), chat.next_agent(c), chat.next_agent(a, [a, c])] == [inner, a, c]
    with pytest.raises(UndefinedNextAgent):
        chat.next_agent(a, [b])


@pytest.mark.parametrize(
    ("text", "kept", "rest"),
    [
        ("CLEAR HISTORY please", ["please", "c", "a"], "please"),
        ("x clear history 1 y", ["go", "x y", "c", "a"], "x y"),
        ("clear history c. 1 y", ["go", "y", "c", "a"], "y"),
        ("clear history 1 c y", ["go", "y", "c", "a"], "y"),
        ("clear history of c, y", ["go", "y", "c", "a"], "y"),
        ("nothing", ["go", "nothing", "c", "a"], "nothing"),
    ],
)
def test_an_agent_clears_histories(text: str, kept: list[str], rest: str) -> None:
    chat = group([speaker("a"), speaker("b", {"role": "user", "content": text}), speaker("c")], max_round=4)
    chat.enable_clear_history = True
    result, _ = held(chat)
    assert texts(chat.messages) == kept
    assert texts(result.chat_history) == kept
    assert rest in kept


def test_a_manager_calls_no_functions() -> None:
    config = {
        "config_list": [{"model": "m", "api_key": "k"}],
        "tools": [{"type": "function", "function": {"name": "f"}}],
    }
    with pytest.raises(ValueError, match="GroupChatManager is not allowed to make function/tool calls"):
        GroupChatManager(group(), llm_config=config)


def test_a_second_chat_continues_or_begins_anew() -> None:
    for clear, kept in ((True, ["again", "b"]), (False, ["go", "b", "again", "b"])):
        chat = group(max_round=2)
        manager, (a, *_) = GroupChatManager(chat), chat.agents
        assert isinstance(a, ConversableAgent)
        a.initiate_chat(manager, message="go", silent=True)
        a.initiate_chat(manager, message="again", clear_history=clear, silent=True)
        assert texts(chat.messages) == kept
        manager.reset()
        assert chat.messages == []


RESUMED: list[dict[str, Any]] = [
    {"content": "go", "name": "a", "role": "user"},
    {"content": "b", "name": "b", "role": "user"},
    {"content": "c TERMINATE", "name": "c", "role": "user"},
]


@pytest.mark.parametrize("form", ["plain", "async"])
@pytest.mark.parametrize("as_text", [False, True])
def test_a_chat_goes_on_after_its_messages(form: str, as_text: bool) -> None:
    chat = group(max_round=3)
    manager, stream = GroupChatManager(chat), Recorder()
    messages = json.dumps(RESUMED) if as_text else RESUMED
    with IOStream.set_default(stream):
        if form == "async":
            last, message = asyncio.run(manager.a_resume(messages, remove_termination_string=" TERMINATE"))
        else:
            last, message = manager.resume(messages, remove_termination_string=" TERMINATE")
        assert (last.name, message["content"], manager.last_speaker) == ("c", "c", last)
        assert stream.printed == "Prepared group chat with 3 messages, the last speaker is c\n"
        last.initiate_chat(manager, message=message, clear_history=False)
    assert texts(chat.messages) == ["go", "b", "c", "a", "b"]
    assert texts(chat.agents[0].chat_messages[manager]) == ["go", "b", "c", "a", "b"]  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType] - an agent of ours


@pytest.mark.parametrize(
    ("messages", "error"),
    [
        ([], "no messages were provided"),
        ([{"content": "x", "name": "z"}], "Agent name in message doesn't exist as agent in group chat: z"),
        ("no JSON", "Messages string is not a valid JSON string"),
        (3, "Messages is not of type str or List"),
    ],
)
def test_messages_that_cannot_be_resumed_are_refused(messages: Any, error: str) -> None:
    with pytest.raises(Exception, match=error):
        GroupChatManager(group()).resume(messages)


def test_a_last_message_that_ends_the_chat_is_warned_of() -> None:
    stream = Recorder()
    with IOStream.set_default(stream):
        GroupChatManager(group()).resume([*RESUMED[:2], {"content": "TERMINATE", "name": "c"}])
    assert stream.printed.startswith("WARNING: Last message meets termination criteria")
    text = GroupChatManager(group()).messages_to_string(RESUMED)
    assert GroupChatManager(group()).messages_from_string(text) == RESUMED


def test_a_chat_of_1000_rounds_needs_no_recursion() -> None:
    chat = group([speaker(name, max_consecutive_auto_reply=1000) for name in "abc"], max_round=1000)
    result, _ = held(chat)
    assert len(result.chat_history) == 1000
