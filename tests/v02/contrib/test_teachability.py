"""Agents that remember what they were taught, and an agent that answers questions about texts."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from symposia.testing.model_server import MockModelServer, Reply
from symposia.v02 import ConversableAgent, UserProxyAgent
from symposia.v02.agentchat.contrib.capabilities.teachability import MemoStore, Teachability
from symposia.v02.agentchat.contrib.text_analyzer_agent import TextAnalyzerAgent


@pytest.fixture
def server() -> Iterator[MockModelServer]:
    with MockModelServer() as server:
        yield server


def config(server: MockModelServer) -> dict[str, Any]:  # Any: JSON
    return {"model": "gpt-4o", "api_key": "test", "base_url": server.openai_url, "cache_seed": None}


def memos(**about: str) -> Reply:
    return Reply(text=json.dumps({"memos": [{"about": key, "memo": value} for key, value in about.items()]}))


def teachable(server: MockModelServer, folder: Path) -> ConversableAgent:
    agent = ConversableAgent("teachable", llm_config=config(server), human_input_mode="NEVER")
    Teachability(path_to_db_dir=str(folder)).add_to_agent(agent)
    return agent


def asking() -> UserProxyAgent:
    return UserProxyAgent("user", human_input_mode="NEVER", code_execution_config=False)


def last_text(body: Mapping[str, Any]) -> str:
    return str(body["messages"][-1]["content"])


def test_what_was_taught_is_written_below_related_messages_of_later_programs(
    server: MockModelServer, tmp_path: Path
) -> None:
    server.script(memos(**{"the color of my car": "The user's car is green."}), Reply(text="Noted."))
    asking().initiate_chat(teachable(server, tmp_path), message="My car is green.", max_turns=1, silent=True)
    server.script(Reply(text='{"memos": []}'), Reply(text="Green."))
    asking().initiate_chat(teachable(server, tmp_path), message="What color is my car?", max_turns=1, silent=True)
    asked = last_text(server.requests[-1].body)
    assert asked.startswith("What color is my car?\n\n# Notes from earlier conversations\n")
    assert "- The user's car is green." in asked
    assert "Notes from earlier conversations" in server.requests[-1].body["messages"][0]["content"]


async def test_asynchronous_chats_are_taught_too(server: MockModelServer, tmp_path: Path) -> None:
    server.script(memos(cats="The user likes cats."), Reply(text="Noted."))
    agent = await asyncio.to_thread(teachable, server, tmp_path)
    await asking().a_initiate_chat(agent, message="I like cats.", max_turns=1, silent=True)
    store = await asyncio.to_thread(MemoStore, path_to_db_dir=str(tmp_path))
    assert store.get_nearest_memo("cats")[:2] == ("cats", "The user likes cats.")


def test_an_answer_that_is_no_json_teaches_nothing(server: MockModelServer, tmp_path: Path) -> None:
    server.script(Reply(text="I cannot say."), Reply(text="Hello."))
    asking().initiate_chat(teachable(server, tmp_path), message="Hi", max_turns=1, silent=True)
    assert MemoStore(path_to_db_dir=str(tmp_path)).last_memo_id == 0


def test_memos_are_found_by_likeness_below_a_distance(tmp_path: Path) -> None:
    store = MemoStore(path_to_db_dir=str(tmp_path))
    store.add_input_output_pair("the color of the car", "green")
    store.add_input_output_pair("zebra quiz", "unrelated")
    [(about, memo, distance)] = store.get_related_memos("colour of cars", 10, 1.5)
    assert (about, memo) == ("the color of the car", "green")
    assert 0 < distance < 1.5
    assert store.get_related_memos("the color of the car", 1, 1.5)[0][2] == pytest.approx(0, abs=1e-9)
    assert MemoStore(reset=True, path_to_db_dir=str(tmp_path)).last_memo_id == 0
    with pytest.raises(LookupError, match="There are no memos"):
        MemoStore(path_to_db_dir=str(tmp_path)).get_nearest_memo("anything")


def test_a_teachable_agent_needs_a_model(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs a model: give llm_config"):
        Teachability(path_to_db_dir=str(tmp_path)).add_to_agent(ConversableAgent("agent", llm_config=False))


def test_memos_of_autogen_are_not_read_and_it_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "uid_text_dict.pkl").write_bytes(b"")
    MemoStore(path_to_db_dir=str(tmp_path))
    assert "are not read: teach the agent again" in caplog.text


def test_an_analyzer_answers_questions_about_texts(server: MockModelServer) -> None:
    server.script(Reply(text="yes"))
    analyzer = TextAnalyzerAgent(llm_config=config(server))
    assert (analyzer.name, analyzer.analyze_text("the text", "Is it short?")) == ("analyzer", "yes")
    asked = last_text(server.requests[0].body)
    assert asked.startswith("Is it short?\n")
    assert "the text" in asked
