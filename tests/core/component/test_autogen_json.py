"""JSON that AutoGen 0.7.5 has written loads here, and works.

The files are what its `dump_component` gave, but for the descriptions, which are its docstrings and are left out.
"""

import asyncio
import json
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from symposia.agentchat.agents import AssistantAgent, CodeExecutorAgent
from symposia.agentchat.base import AndTerminationCondition, OrTerminationCondition, Team, TerminationCondition
from symposia.agentchat.messages import StructuredMessageFactory, TextMessage
from symposia.agentchat.teams import RoundRobinGroupChat, Swarm
from symposia.core import CancellationToken, Component, ComponentLoader
from symposia.core.exceptions import ComponentError
from symposia.core.memory import ListMemory
from symposia.core.model_context import BufferedChatCompletionContext
from symposia.core.models import ChatCompletionClient, UserMessage
from symposia.core.tools import FunctionTool, StaticWorkbench
from symposia.ext.code_executors.docker import DockerCommandLineCodeExecutor
from symposia.ext.models.anthropic import AnthropicChatCompletionClient
from symposia.ext.models.openai import OpenAIChatCompletionClient

FILES = sorted((Path(__file__).parent / "autogen_json").glob("*.json"))

pytestmark = [
    pytest.mark.filterwarnings("ignore:LocalCommandLineCodeExecutor runs code on this machine"),
    pytest.mark.filterwarnings("ignore:.*has not .* in its catalogue"),
]


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "none")
    monkeypatch.chdir(tmp_path)


def written(name: str) -> dict[str, Any]:
    return json.loads((Path(__file__).parent / "autogen_json" / f"{name}.json").read_text())


def loaded(name: str) -> Component:
    return ComponentLoader.load_component(written(name), Component, trust_code=True)


def is_here(provider: str) -> bool:
    module, _, name = provider.replace("autogen_", "symposia.", 1).rpartition(".")
    try:
        return hasattr(import_module(module), name)
    except ImportError:
        return False


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_autogen_has_written_loads_and_is_written_down_again_under_our_names(file: Path) -> None:
    model = json.loads(file.read_text())
    if not is_here(model["provider"]):
        with pytest.raises(ComponentError, match=model["provider"]):
            ComponentLoader.load_component(model, trust_code=True)
        return
    again = ComponentLoader.load_component(model, Component, trust_code=True).dump_component()
    assert again.provider == model["provider"].replace("autogen_", "symposia.", 1)
    assert again.component_type == model["component_type"]
    assert '"provider":"autogen' not in again.model_dump_json()
    assert ComponentLoader.load_component(again, Component, trust_code=True).dump_component() == again


@pytest.mark.parametrize(
    ("private", "public"),
    [
        ("autogen_agentchat.agents._assistant_agent.AssistantAgent", "symposia.agentchat.agents.AssistantAgent"),
        (
            "autogen_agentchat.teams._group_chat._round_robin_group_chat.RoundRobinGroupChat",
            "symposia.agentchat.teams.RoundRobinGroupChat",
        ),
    ],
)
def test_names_of_private_modules_are_those_of_the_public_class(private: str, public: str) -> None:
    name = {"AssistantAgent": "assistant", "RoundRobinGroupChat": "round_robin"}[private.rpartition(".")[2]]
    model = {**written(name), "provider": private}
    assert ComponentLoader.load_component(model, Component).dump_component().provider == public


def test_the_short_names_of_model_clients_are_known() -> None:
    model = {"provider": "OpenAIChatCompletionClient", "config": {"model": "gpt-4o"}}
    assert isinstance(ChatCompletionClient.load_component(model), OpenAIChatCompletionClient)


def test_n15_the_short_name_in_autogens_documentation_is_known() -> None:
    model = {"provider": "AnthropicChatCompletionClient", "config": {"model": "claude-sonnet-4-5"}}
    assert isinstance(ChatCompletionClient.load_component(model), AnthropicChatCompletionClient)


@pytest.mark.parametrize(
    ("provider", "name"),
    [
        (
            "autogen_ext.runtimes.grpc.GrpcWorkerAgentRuntime",
            "autogen_ext.runtimes.grpc.GrpcWorkerAgentRuntime",
        ),
        (
            "autogen_ext.runtimes.grpc._worker_runtime.GrpcWorkerAgentRuntime",
            "autogen_ext.runtimes.grpc.GrpcWorkerAgentRuntime",
        ),
        (
            "symposia.ext.runtimes.grpc.GrpcWorkerAgentRuntime",
            "autogen_ext.runtimes.grpc.GrpcWorkerAgentRuntime",
        ),
    ],
)
def test_n15_a_component_to_come_is_planned_as_the_import_hook_says(provider: str, name: str) -> None:
    with pytest.raises(ComponentError) as caught:
        ComponentLoader.load_component({"provider": provider, "config": {}})
    assert str(caught.value) == (
        f"The provider {provider!r} cannot be loaded: "
        f"Symposia does not have {name} yet. AutoGen has it, and it is planned."
    )


def test_a_provider_that_autogen_does_not_have_is_not_planned() -> None:
    with pytest.raises(ComponentError, match=r"cannot be imported: No module named 'symposia\.ext\.models\.nonesuch'"):
        ComponentLoader.load_component({"provider": "autogen_ext.models.nonesuch.Client", "config": {}})


def test_a_masked_key_is_taken_from_the_environment() -> None:
    client = loaded("openai")
    assert written("openai")["config"]["api_key"] == "**********"
    assert client.dump_component().config == {
        "temperature": 0.5,
        "model": "gpt-4o",
        "base_url": "http://localhost:1/v1",
    }


async def test_a_team_of_agents_runs_and_stops_as_its_conditions_say() -> None:
    team = RoundRobinGroupChat.load_component(written("round_robin"))
    async with asyncio.timeout(10):
        result = await team.run(task="Go.")
    assert [message.source for message in result.messages if isinstance(message, TextMessage)] == ["user", "a", "b"]
    assert result.stop_reason == "Maximum number of messages 3 reached, current message count: 3"


async def test_a_team_in_a_team_runs() -> None:
    team = Team.load_component(written("round_robin_nested"))
    async with asyncio.timeout(10):
        result = await team.run(task="Go.")
    assert result.stop_reason is not None


async def test_a_selecting_team_runs_on_its_saved_model() -> None:
    model = written("selector")
    model["config"]["max_turns"] = 1
    async with asyncio.timeout(10):
        result = await Team.load_component(model).run(task="Go.")
    assert result.messages[-1].source == "a"


def test_a_swarm_keeps_its_handoffs() -> None:
    swarm = loaded("swarm")
    assert isinstance(swarm, Swarm)
    handoffs = [each["config"]["handoffs"][0]["target"] for each in swarm.dump_component().config["participants"]]
    assert handoffs == ["b", "a"]


async def test_an_assistant_keeps_its_memory_context_and_handoffs() -> None:
    assistant = AssistantAgent.load_component(written("assistant_rich"))
    config = assistant.dump_component().config
    assert config["memory"][0]["provider"] == "symposia.core.memory.ListMemory"
    assert [each["target"] for each in config["handoffs"]] == ["bob", "user"]
    assert isinstance(assistant.model_context, BufferedChatCompletionContext)
    async with asyncio.timeout(10):
        result = await assistant.run(task="Hi.")
    assert result.messages[-1].to_text() == "hello"


def test_an_assistant_without_system_message_stays_without() -> None:
    assert "system_message" not in written("assistant_nosys")["config"]
    assert loaded("assistant_nosys").dump_component().config["system_message"] is None


def test_an_assistant_keeps_the_schema_of_its_answers() -> None:
    config = loaded("assistant_structured").dump_component().config
    assert config["output_content_type"]["json_schema"]["title"] == "Invoice"
    assert config["output_content_type_format"] == "{customer} owes {total}"


def test_an_assistant_of_version_one_has_its_tools() -> None:
    model = written("assistant")
    del model["config"]["workbench"]
    model["config"]["tools"] = [written("function_tool")]
    model.update(version=1, component_version=1)
    config = AssistantAgent.load_component(model, trust_code=True).dump_component().config
    assert config["tools"][0]["config"]["name"] == "get_weather"


async def test_tools_of_an_assistant_work() -> None:
    (bench,) = written("assistant_tools")["config"]["workbench"]
    workbench = StaticWorkbench.load_component(bench, trust_code=True)
    weather = await workbench.call_tool("get_weather", {"city": "Rome"})
    clock = await workbench.call_tool("clock", {"zone": "CET"})
    assert (weather.to_text(), clock.to_text()) == ("It is sunny in Rome.", "12:00 CET")


async def test_a_tool_with_imports_works() -> None:
    tool = FunctionTool.load_component(written("function_tool_imports"), trust_code=True)
    assert await tool.run_json({"a": 2, "b": 3}, CancellationToken()) == 5


@pytest.mark.parametrize(
    "file", [file for file in FILES if "source_code" in file.read_text()], ids=lambda file: file.stem
)
def test_code_loads_wherever_it_stands_without_trust_and_is_saved_as_when_it_is_trusted(file: Path) -> None:
    model = json.loads(file.read_text())
    again = ComponentLoader.load_component(model, Component).dump_component()
    assert again.provider == model["provider"].replace("autogen_", "symposia.", 1)
    assert json.dumps(again.model_dump()).count("source_code") == file.read_text().count('"source_code"')
    assert ComponentLoader.load_component(again, Component, trust_code=True)


def test_conditions_keep_how_they_are_combined() -> None:
    condition = TerminationCondition.load_component(written("condition_combined"))
    assert isinstance(condition, AndTerminationCondition)
    either, timeout = condition.dump_component().config["conditions"]
    assert [each["label"] for each in either["config"]["conditions"]] == [
        "TextMentionTermination",
        "MaxMessageTermination",
    ]
    assert timeout["config"] == {"timeout_seconds": 60.0}
    assert isinstance(TerminationCondition.load_component(either), OrTerminationCondition)


async def test_a_memory_keeps_what_it_remembers() -> None:
    memory = ListMemory.load_component(written("list_memory"))
    assert [each.content for each in (await memory.query()).results] == ["likes tea", {"a": 1}]


async def test_a_context_begins_with_its_messages() -> None:
    context = BufferedChatCompletionContext.load_component(written("buffered"))
    kinds: Sequence[str] = [type(message).__name__ for message in await context.get_messages()]
    assert kinds == ["UserMessage", "AssistantMessage", "FunctionExecutionResultMessage"]


async def test_a_replaying_client_says_what_it_was_given() -> None:
    client = ChatCompletionClient.load_component(written("replay_result"))
    answers = [await client.create([UserMessage(content="?", source="user")]) for _ in range(2)]
    assert [answer.content for answer in answers] == ["a", "b"]


def test_a_factory_of_messages_makes_messages_of_its_schema() -> None:
    factory = StructuredMessageFactory.load_component(written("structured_factory"))
    content = factory.ContentModel.model_validate({"customer": "Ann", "total": 3})
    message = factory.StructuredMessage(content=content, source="clerk", format_string=factory.format_string)
    assert message.to_text() == "Ann: 3.0"


def test_a_name_that_autogen_made_up_for_a_container_is_not_kept() -> None:
    assert written("docker")["config"]["container_name"].startswith("autogen-code-exec-")
    assert "container_name" not in loaded("docker").dump_component().config
    named = loaded("docker_more")
    assert isinstance(named, DockerCommandLineCodeExecutor)
    assert named.dump_component().config["container_name"] == "calculator"


def test_a_coding_agent_keeps_its_executor() -> None:
    agent = loaded("code_executor_agent_model")
    assert isinstance(agent, CodeExecutorAgent)
    executor = agent.dump_component().config["code_executor"]
    assert executor["provider"] == "symposia.ext.code_executors.local.LocalCommandLineCodeExecutor"
    assert executor["config"]["timeout"] == 30


def test_a_field_that_we_do_not_have_is_left_out_with_a_warning() -> None:
    model = written("condition_max_message")
    model["config"]["colour"] = "red"
    with pytest.warns(UserWarning, match=r"fields that MaxMessageTermination does not have.*\['colour'\]"):
        TerminationCondition.load_component(model)
