"""The builder of AutoGen 0.2, which makes the agents for a task."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.thread_service import ThreadService
from tests.support.v02_agents import Recorder, speaker

from symposia.core.exceptions import InvalidArgumentError, ModelResponseError
from symposia.testing.model_server import MockModelServer, Reply
from symposia.v02 import AssistantAgent, ConversableAgent, GroupChat, GroupChatManager, UserProxyAgent
from symposia.v02.agentchat.contrib.agent_builder import AgentBuilder
from symposia.v02.agentchat.contrib.gpt_assistant_agent import GPTAssistantAgent
from symposia.v02.io import IOStream

pytestmark = pytest.mark.filterwarnings("ignore:use_docker is False:UserWarning")

LOCAL = {"use_docker": False}
LIBRARY = [
    {"name": "Cook", "system_message": "You cook.", "description": "Cooks soup."},
    {"name": "Cook_of_Fish", "system_message": "You cook fish."},
    {"name": "Chess_Player", "system_message": "You play chess.", "description": "Plays chess."},
]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MockModelServer]:
    monkeypatch.chdir(tmp_path)
    with MockModelServer() as server, IOStream.set_default(Recorder()):
        entry = {"api_key": "test", "base_url": server.openai_url}
        entries = [{"model": "gpt-4o", **entry}, {"model": "gpt-4o-mini", "tags": ["small"], **entry}]
        monkeypatch.setenv("OAI_CONFIG_LIST", json.dumps(entries))
        yield server


def answers(server: MockModelServer, *texts: str) -> None:
    server.script(*(Reply(text=text) for text in texts))


def builder(**options: Any) -> AgentBuilder:
    chosen: dict[str, Any] = {"builder_model": "gpt-4o", "agent_model": "gpt-4o-mini", **options}
    return AgentBuilder(**chosen)


def asked(server: MockModelServer) -> list[str]:
    return [request.body["messages"][-1]["content"] for request in server.requests]


def built(
    server: MockModelServer, coding: bool = False, **options: Any
) -> tuple[AgentBuilder, list[ConversableAgent], Any]:
    made = builder()
    answers(server, "Data_Expert, Code Writer", "You know data.", "You write.", "Knows data.", "Writes code.")
    agents, plan = made.build("Sum up the sales.", {"temperature": 0.5}, coding=coding, **options)
    return made, agents, plan


def test_a_model_names_instructs_and_describes_the_agents(server: MockModelServer) -> None:
    _, agents, plan = built(server)
    assert [(type(agent), agent.name, agent.description) for agent in agents] == [
        (AssistantAgent, "Data_Expert", "Knows data."),
        (AssistantAgent, "Code_Writer", "Writes code."),
    ]
    assert "You know data." in agents[0].system_message
    assert "Data_Expert" in agents[0].system_message
    config = agents[0].llm_config
    assert isinstance(config, dict)
    assert [config["temperature"], *(entry["model"] for entry in config["config_list"])] == [0.5, "gpt-4o-mini"]
    assert plan == {
        "building_task": "Sum up the sales.",
        "agent_configs": [
            {
                "name": "Data_Expert",
                "model": ["gpt-4o-mini"],
                "tags": [],
                "system_message": "You know data.",
                "description": "Knows data.",
            },
            {
                "name": "Code_Writer",
                "model": ["gpt-4o-mini"],
                "tags": [],
                "system_message": "You write.",
                "description": "Writes code.",
            },
        ],
        "coding": False,
        "default_llm_config": {"temperature": 0.5},
        "code_execution_config": {"last_n_messages": 1, "work_dir": "groupchat", "timeout": 10},
    }
    assert all("Sum up the sales." in prompt for prompt in asked(server)[:3])


@pytest.mark.parametrize(("answer", "is_coding"), [("YES", True), ("No.", False)])
def test_the_model_says_whether_code_is_executed(server: MockModelServer, answer: str, is_coding: bool) -> None:
    made = builder()
    answers(server, "Cook", "You cook.", "Cooks.", answer)
    agents, plan = made.build("Make soup.", {}, code_execution_config=LOCAL)
    assert plan["coding"] == is_coding
    assert [agent.name for agent in agents] == ["Cook", *(["Computer_terminal"] if is_coding else [])]


def test_a_person_of_the_program_executes_code(server: MockModelServer) -> None:
    person = UserProxyAgent("person", code_execution_config=False)
    _, agents, _ = built(server, coding=True, user_proxy=person)
    assert agents[-1] is person


def test_the_agents_hold_a_group_chat(server: MockModelServer) -> None:
    _, agents, _ = built(server)
    answers(server, "I looked.", "I wrote. TERMINATE")
    user = speaker("user")
    chat = GroupChat([user, *agents], [], max_round=3, speaker_selection_method="round_robin")
    manager = GroupChatManager(chat, llm_config=False)
    result = user.initiate_chat(manager, message="Begin.", silent=True)
    assert [message["content"] for message in result.chat_history] == ["Begin.", "I looked.", "I wrote. TERMINATE"]


def test_no_more_agents_are_made_than_are_wanted(server: MockModelServer) -> None:
    answers(server, "A, B, C", "a", "b", "a", "b")
    agents, _ = builder().build("Count.", {}, coding=False, max_agents=2)
    assert [agent.name for agent in agents] == ["A", "B"]
    assert "At most 2" in asked(server)[0]


def test_a_model_that_names_no_agent_is_an_error(server: MockModelServer) -> None:
    answers(server, " , ")
    with pytest.raises(ModelResponseError, match="names no agent"):
        builder().build("Count.", {}, coding=False)


def test_each_function_is_given_to_the_agent_that_needs_it(server: MockModelServer) -> None:
    def look_up(name: str) -> str:
        return name.upper()

    made = builder()
    answers(server, "A, B", "a", "b", "Does a.", "Does b.", "I would say B.")
    functions = [{"name": "look_up", "description": "Looks up.", "function": look_up}]
    agents, _ = made.build("Count.", {}, functions, coding=False)
    assert [agent.can_execute_function("look_up") for agent in agents] == [False, True]
    config = agents[1].llm_config
    assert isinstance(config, dict)
    assert config["tools"][0]["function"]["name"] == "look_up"
    assert "look_up: Looks up." in agents[1].system_message


def test_a_plan_is_saved_and_loaded_without_keys(server: MockModelServer, tmp_path: Path) -> None:
    made = builder()
    answers(server, "Cook", "You cook.", "Cooks.")
    _, plan = made.build(
        "Make soup.", {"temperature": 0, "api_key": "secret"}, coding=True, code_execution_config=LOCAL
    )
    path = made.save()
    assert Path(path).name.startswith("save_config_")
    assert "secret" not in Path(path).read_text()
    for loaded in (builder().load(path), builder().load(config_json=Path(path).read_text())):
        assert [agent.name for agent in loaded[0]] == ["Cook", "Computer_terminal"]
        assert loaded[1] == {**plan, "default_llm_config": {"temperature": 0}}
    elsewhere = {"work_dir": "there", **LOCAL}
    assert builder().load(path, code_execution_config=elsewhere)[1]["code_execution_config"] == elsewhere
    assert made.save(str(tmp_path / "mine.json")) == str(tmp_path / "mine.json")


def test_what_is_no_plan_is_not_loaded(server: MockModelServer) -> None:
    with pytest.raises(InvalidArgumentError, match="nothing to load"):
        builder().load()
    with pytest.raises(InvalidArgumentError, match="lacks agent_configs, building_task"):
        builder().load(config_json="{}")
    with pytest.raises(InvalidArgumentError, match="no plan to save"):
        builder().save()


def test_agents_are_cleared(server: MockModelServer) -> None:
    made, _, _ = built(server)
    made.clear_agent("Data_Expert")
    assert list(made.agent_procs_assign) == ["Code_Writer"]
    made.clear_all_agents()
    assert made.agent_procs_assign == {}
    with pytest.raises(KeyError):
        made.clear_agent("Data_Expert")


@pytest.mark.parametrize("is_file", [True, False])
def test_agents_are_chosen_from_a_library(server: MockModelServer, tmp_path: Path, is_file: bool) -> None:
    library = json.dumps(LIBRARY)
    if is_file:
        (tmp_path / "library.json").write_text(library)
        library = "library.json"
    answers(server, "Cook_of_Fish, Nobody")
    agents, plan = builder().build_from_library("Make a soup of fish.", library, {}, coding=False)
    assert [(agent.name, agent.description) for agent in agents] == [("Cook_of_Fish", "You cook fish.")]
    assert plan["agent_configs"][0].get("model") == ["gpt-4o-mini"]
    assert "- Chess_Player: Plays chess." in asked(server)[0]


def test_only_the_likely_agents_of_a_large_library_are_shown(server: MockModelServer) -> None:
    others = [{"name": f"Player_{number}", "system_message": "Plays football."} for number in range(5)]
    answers(server, "Cook")
    made = builder(max_agents=1)
    made.build_from_library("Cook a soup.", json.dumps([*others, *LIBRARY]), {}, top_k=1, coding=False)
    assert "Cook" in asked(server)[0]
    assert "Player_" not in asked(server)[0]


@pytest.mark.parametrize("library", ["[]", '["Cook"]', '[{"name": "Cook"}]'])
def test_what_is_no_library_is_refused(server: MockModelServer, library: str) -> None:
    with pytest.raises(InvalidArgumentError, match="library"):
        builder().build_from_library("Cook.", library, {})


def test_agents_can_be_assistants_at_the_service(server: MockModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    made = builder()
    answers(server, "Cook", "You cook.", "Cooks.")
    with ThreadService(keep_alive=False) as service:
        _, plan = made.build("Make soup.", {}, coding=False)
        entries = [{"model": "gpt-4o-mini", "api_key": "test", "base_url": f"{service.url}/v1"}]
        monkeypatch.setenv("OAI_CONFIG_LIST", json.dumps(entries))
        [cook], _ = made.load(config_json=json.dumps(plan), use_oai_assistant=True)
        assert isinstance(cook, GPTAssistantAgent)
        assert (list(service.assistants), cook.description) == ([cook.assistant_id], "Cooks.")
        made.clear_all_agents()
        assert service.assistants == {}


def test_models_are_those_of_the_list(server: MockModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match=r"no model for the builder.*'model': \['other'\].*builder_model"):
        builder(builder_model="other")
    made = builder(agent_model=None, agent_model_tags=["small"])
    made.set_builder_model("gpt-4o-mini")
    answers(server, "Cook", "You cook.", "Cooks.")
    [cook], _ = made.build("Make soup.", {}, coding=False)
    assert isinstance(cook.llm_config, dict)
    assert [entry["model"] for entry in cook.llm_config["config_list"]] == ["gpt-4o-mini"]
    assert server.last_body["model"] == "gpt-4o-mini"
    made.set_agent_model("other")
    answers(server, "Cook", "You cook.", "Cooks.")
    with pytest.raises(RuntimeError, match="no model for agent Cook"):
        made.build("Make soup twice.", {}, coding=False)
    monkeypatch.delenv("OAI_CONFIG_LIST")
    with pytest.raises(FileNotFoundError):
        builder()
