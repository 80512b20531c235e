"""Agents of AutoGen 0.2 in teams of 0.4, and agents and teams of 0.4 in chats of 0.2."""

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from tests.support.v02_agents import speaker, texts

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.conditions import MaxMessageTermination, StopMessageTermination
from symposia.agentchat.messages import MultiModalMessage, StopMessage
from symposia.agentchat.teams import RoundRobinGroupChat
from symposia.core import CancellationToken, Image
from symposia.core.exceptions import ArgumentTypeError, UsageError
from symposia.core.models import UserMessage
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.v02 import GroupChat, GroupChatManager
from symposia.v02.agentchat.conversion import to_chat_agent, to_conversable

PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)


def assistant(*answers: str) -> tuple[AssistantAgent, ReplayChatCompletionClient]:
    model = ReplayChatCompletionClient(list(answers))
    return AssistantAgent("new", model_client=model, description="of 0.4"), model


def sent(model: ReplayChatCompletionClient, call: int) -> list[str]:
    messages = model.create_calls[call]["messages"]
    return [str(message.content) for message in messages if isinstance(message, UserMessage)]


def test_both_are_in_one_team() -> None:
    async def run() -> list[str]:
        new, _ = assistant("one", "two")
        team = RoundRobinGroupChat([to_chat_agent(speaker("old")), new], termination_condition=MaxMessageTermination(5))
        result = await team.run(task="go")
        return [f"{message.source}: {message.to_text()}" for message in result.messages]  # type: ignore[union-attr]

    assert asyncio.run(run()) == ["user: go", "old: old", "new: one", "old: old", "new: two"]


old: Any = speaker("old")  # Any: these stand where their type is wrong
new: Any = assistant()[0]
name: Any = "ann"


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (lambda: old.initiate_chat(new, message="hi"), "not an AssistantAgent of AutoGen 0.4. Give to_conversable"),
        (lambda: asyncio.run(old.a_initiate_chat(new, message="hi")), "Give to_conversable"),
        (lambda: GroupChat([old, new], []), "A member of a group chat has to be an agent of AutoGen 0.2"),
        (lambda: old.initiate_chat(GroupChat([old], []), message="hi"), "not a GroupChat. Give a GroupChatManager"),
        (lambda: old.initiate_chat(name, message="hi"), "not 'ann'. Give a ConversableAgent."),
        (lambda: to_chat_agent(new), "new is an agent of AutoGen 0.4. Give it to the team as it is."),
        (lambda: to_chat_agent(name), "The agent for a team has to be an agent of AutoGen 0.2"),
        (lambda: to_conversable(old), "which takes part in chats as it is"),
        (lambda: to_conversable(name), "not 'ann'"),
        (lambda: RoundRobinGroupChat([old, new]), "to_chat_agent, of symposia.v02.agentchat.conversion"),
    ],
    ids=range(10),
)
def test_an_agent_of_the_other_interface_is_refused_with_what_makes_it_one(
    mistake: Callable[[], object], said: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        mistake()


def test_a_configuration_in_place_of_a_client_is_refused_without_its_keys() -> None:
    config: Any = {"config_list": [{"model": "gpt-4o", "api_key": "a-secret"}]}
    with pytest.raises(ArgumentTypeError, match="to_model_client") as caught:
        AssistantAgent("new", config)
    assert "a-secret" not in str(caught.value)


def test_an_agent_of_02_hears_what_the_team_said_under_the_names_of_its_members() -> None:
    async def run() -> list[dict[str, Any]]:
        old, (new, _) = speaker("old"), assistant("one")
        team = RoundRobinGroupChat([new, to_chat_agent(old)], termination_condition=MaxMessageTermination(3))
        await team.run(task="go")
        (history,) = old.chat_messages.values()
        return history

    assert asyncio.run(run()) == [
        {"content": "go", "name": "user", "role": "user"},
        {"content": "one", "name": "new", "role": "user"},
        {"content": "old", "role": "assistant", "name": "old"},
    ]


def test_a_team_reads_what_the_hooks_of_an_agent_have_left() -> None:
    async def run() -> str:
        old = speaker("old", "the secret word")

        async def redact(message: dict[str, Any], **_: Any) -> dict[str, Any]:
            return {**message, "content": message["content"].replace("secret", "***")}

        old.register_hook("a_process_message_before_send", redact)
        team = RoundRobinGroupChat([to_chat_agent(old)], termination_condition=MaxMessageTermination(2))
        return (await team.run(task="go")).messages[-1].to_text()  # type: ignore[union-attr]

    assert asyncio.run(run()) == "the *** word"


def test_an_agent_that_ends_its_conversation_sends_a_stop_message() -> None:
    async def run() -> Any:
        team = RoundRobinGroupChat([to_chat_agent(speaker("old"))], termination_condition=StopMessageTermination())
        return (await team.run(task="TERMINATE")).messages[-1]

    message = asyncio.run(run())
    assert isinstance(message, StopMessage)
    assert (message.source, message.content) == ("old", "")


def test_an_agent_executes_its_own_functions_within_its_turn() -> None:
    call = {
        "content": None,
        "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    }
    replies: list[Any] = [call, "done"]

    def scripted(recipient: Any, messages: Any, sender: Any, config: Any) -> tuple[bool, Any]:
        return True, replies.pop(0)

    old = speaker("old", function_map={"f": lambda: "F"})
    old.register_reply("team", scripted)
    answer = asyncio.run(to_chat_agent(old).run(task="go")).messages[-1]
    assert answer.to_text() == "done"  # type: ignore[union-attr]
    assert texts(next(iter(old.chat_messages.values()))) == ["go", None, "F", "done"]
    other = speaker("other", call)
    with pytest.raises(UsageError, match="Agent 'other' calls f, which it cannot execute"):
        asyncio.run(to_chat_agent(other).run(task="go"))


def test_an_agent_whose_turn_was_cancelled_hears_the_messages_once_and_has_no_call_without_result() -> None:
    call = {"content": None, "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]}
    replies: list[Any] = [call, "done"]

    def scripted(recipient: Any, messages: Any, sender: Any, config: Any) -> tuple[bool, Any]:
        return True, replies.pop(0)

    async def run() -> None:
        async def wait() -> None:
            token.cancel()
            await asyncio.Event().wait()

        old.register_function({"f": wait})
        token = CancellationToken()
        team = RoundRobinGroupChat([to_chat_agent(old)], termination_condition=MaxMessageTermination(2))
        with pytest.raises(asyncio.CancelledError):
            await team.run(task="go", cancellation_token=token)
        await team.run(task="go on")

    old = speaker("old")
    old.register_reply("team", scripted)
    asyncio.run(run())
    assert texts(next(iter(old.chat_messages.values()))) == ["go", "go on", "done"]


def test_the_state_of_an_agent_of_02_is_its_conversation() -> None:
    async def run() -> list[Any]:
        first, second = speaker("old"), speaker("old")
        before, after = to_chat_agent(first), to_chat_agent(second)
        await before.run(task="go")
        await after.load_state(json.loads(json.dumps(await before.save_state())))
        await after.run(task="again")
        kept = texts(next(iter(second.chat_messages.values())))
        await after.on_reset(CancellationToken())
        return [kept, next(iter(second.chat_messages.values()))]

    assert asyncio.run(run()) == [["go", "old", "again", "old"], []]


def test_images_pass_from_one_to_the_other() -> None:
    image = {"type": "image_url", "image_url": {"url": PIXEL}}
    old = speaker("old", {"content": [{"type": "text", "text": "see"}, image]})
    task = MultiModalMessage(content=["look", Image.from_uri(PIXEL)], source="user")
    answer = asyncio.run(to_chat_agent(old).run(task=task)).messages[-1]
    assert isinstance(answer, MultiModalMessage)
    assert [type(piece) for piece in answer.content] == [str, Image]
    heard = next(iter(old.chat_messages.values()))[0]["content"]
    assert [part["type"] for part in heard] == ["text", "image_url"]


@pytest.mark.parametrize(("name", "own"), [("a b", "a_b"), ("1st", "_1st"), ("ok", "ok")])
def test_the_name_in_a_team_is_an_identifier(name: str, own: str) -> None:
    agent = to_chat_agent(speaker(name))
    assert (agent.name, agent.description) == (own, "You are a helpful AI Assistant.")
    assert to_chat_agent(speaker(name), name="n", description="d").description == "d"


@pytest.mark.parametrize("form", ["plain", "async"])
def test_an_agent_of_04_chats_and_is_given_what_is_new(form: str) -> None:
    new, model = assistant("one", "two")
    a, b = speaker("a"), to_conversable(new)
    if form == "async":
        result = asyncio.run(a.a_initiate_chat(b, message="go", max_turns=2, silent=True))
    else:
        result = a.initiate_chat(b, message="go", max_turns=2, silent=True)
    assert texts(result.chat_history) == ["go", "one", "a", "two"]
    assert (b.name, b.description) == ("new", "of 0.4")
    assert (sent(model, 0), sent(model, 1)) == (["go"], ["go", "a"])


def test_a_new_chat_resets_an_agent_of_04() -> None:
    new, model = assistant("one", "two")
    a, b = speaker("a"), to_conversable(new)
    for message in ("first", "second"):
        a.initiate_chat(b, message=message, max_turns=1, silent=True)
    assert sent(model, 1) == ["second"]


def test_an_agent_of_04_is_reset_for_a_new_chat_that_is_longer_when_it_replies() -> None:
    new, model = assistant("one", "two")
    a, b = speaker("a"), to_conversable(new)
    a.initiate_chat(b, message="first", max_turns=1, silent=True)
    b.clear_history(a)
    for message in ("n1", "n2", "n3"):
        a.send(message, b, request_reply=message == "n3", silent=True)
    assert sent(model, 1) == ["n1", "n2", "n3"]


def test_a_plain_chat_with_an_agent_of_04_works_inside_a_running_loop() -> None:
    async def notebook() -> str:
        new, _ = assistant("one")
        return speaker("a").initiate_chat(to_conversable(new), message="go", max_turns=1, silent=True).summary

    assert asyncio.run(notebook()) == "one"


def test_a_team_of_04_is_in_a_group_chat_of_02() -> None:
    new, _ = assistant("one", "two")
    team = RoundRobinGroupChat([new, to_chat_agent(speaker("inner"))], termination_condition=MaxMessageTermination(3))
    agents: list[Any] = [speaker("a"), to_conversable(team, name="team_of_04"), speaker("c")]
    chat = GroupChat(agents, [], max_round=3, speaker_selection_method="round_robin")
    agents[0].initiate_chat(GroupChatManager(chat), message="go", silent=True)
    assert [(message["name"], message["content"]) for message in chat.messages] == [
        ("a", "go"),
        ("team_of_04", "inner"),
        ("c", "c"),
    ]
