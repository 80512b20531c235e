"""An agent whose reply comes from a group chat."""

import asyncio
from typing import Any

import pytest
from tests.support.v02_agents import Recorder, speaker, texts
from tests.support.v02_models import Scripted, scripted_config

from symposia.v02 import GroupChat, GroupChatManager
from symposia.v02.agentchat.contrib.society_of_mind_agent import SocietyOfMindAgent
from symposia.v02.io import IOStream


def society(*agents: Any, **options: Any) -> tuple[SocietyOfMindAgent, GroupChat]:
    chat = GroupChat(list(agents), [], max_round=9, speaker_selection_method="round_robin")
    manager = GroupChatManager(chat)
    return SocietyOfMindAgent("society", chat_manager=manager, human_input_mode="NEVER", **options), chat


def history(agent: SocietyOfMindAgent, form: str = "plain", turns: int = 1) -> list[Any]:
    user = speaker("user")
    with IOStream.set_default(Recorder()):
        if form == "async":
            result = asyncio.run(user.a_initiate_chat(agent, message="go", max_turns=turns))
        else:
            result = user.initiate_chat(agent, message="go", max_turns=turns)
    return texts(result.chat_history)


@pytest.mark.parametrize("form", ["plain", "async"])
def test_the_reply_is_the_last_message_of_the_group(form: str) -> None:
    agent, chat = society(speaker("a"), speaker("b", max_consecutive_auto_reply=0))
    assert history(agent, form) == ["go", "a"]
    assert texts(chat.messages) == ["go", "a"]


def test_the_word_that_ends_the_group_is_no_part_of_the_reply() -> None:
    agent, _ = society(speaker("a", "done TERMINATE"), speaker("b", max_consecutive_auto_reply=0))
    assert history(agent) == ["go", "done"]


@pytest.mark.parametrize("form", ["plain", "async"])
def test_the_group_begins_anew_and_knows_the_outer_conversation(form: str) -> None:
    a = speaker("a")
    agent, chat = society(a, speaker("b", max_consecutive_auto_reply=0))
    assert history(agent, form, turns=2) == ["go", "a", "user", "a"]
    assert texts(chat.messages) == ["user", "a"]
    (heard,) = a.chat_messages.values()
    assert [(message["name"], message["content"]) for message in heard] == [
        ("user", "go"),
        ("society", "a"),
        ("society", "user"),
        ("a", "a"),
    ]


def test_a_function_prepares_the_reply() -> None:
    def prepare(agent: SocietyOfMindAgent, messages: list[dict[str, Any]]) -> str:
        return f"{agent.name}: {texts(messages)}"

    agent, _ = society(speaker("a"), speaker("b", max_consecutive_auto_reply=0), response_preparer=prepare)
    assert history(agent) == ["go", "society: ['go', 'a']"]


def test_a_model_prepares_the_reply() -> None:
    asked: list[Any] = []
    members = (speaker("a"), speaker("b", max_consecutive_auto_reply=0))
    agent, _ = society(*members, llm_config=scripted_config(), response_preparer="Sum up.")
    agent.register_model_client(Scripted, answers=["prepared"], asked=asked)
    assert history(agent) == ["go", "prepared"]
    shown = asked[0]["messages"]
    assert [(each["role"], each.get("name")) for each in shown] == [
        ("system", None),
        ("user", "society"),
        ("user", "a"),
        ("system", None),
    ]
    assert texts(shown)[1:] == ["go", "a", "Sum up."]
    with pytest.raises(ValueError, match="needs a model"):
        society(*members, response_preparer="Sum up.")
