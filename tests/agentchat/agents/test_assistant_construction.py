from typing import Any

import pytest
from tests.support.chat_agents import ABLE, asks_for, model

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.base import Handoff
from symposia.agentchat.messages import HandoffMessage, TextMessage, ToolCallSummaryMessage
from symposia.agentchat.tools import FunctionTool
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import ModelInfo
from symposia.core.tools import StaticWorkbench

MUTE = ModelInfo(vision=False, function_calling=False, json_output=False, family="unknown", structured_output=False)


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"tools": [add, add]}, r"Tool names must be unique: \['add', 'add'\] \(agent 'ann'\)"),
        ({"tools": [3]}, r"Unsupported tool type: <class 'int'>"),
        ({"tools": [add], "workbench": StaticWorkbench([])}, "Tools cannot be used with a workbench"),
        ({"handoffs": ["bob", "bob"]}, "Handoff names must be unique"),
        ({"handoffs": [3]}, r"Unsupported handoff type: <class 'int'>"),
        (
            {"tools": [FunctionTool(add, description="", name="transfer_to_bob")], "handoffs": ["bob"]},
            r"Handoff names must be unique from tool names: \['transfer_to_bob'\]",
        ),
        ({"max_tool_iterations": 0}, "must be greater than or equal to 1, got 0"),
        ({"tool_call_summary_format": "{nothing}"}, r"tool_call_summary_format '\{nothing\}'.*tool_name"),
        ({"tool_call_summary_format": "{"}, "tool_call_summary_format"),
    ],
)
def test_arguments_that_cannot_work_are_refused_at_once(options: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidArgumentError, match=told):
        AssistantAgent("ann", model(), **options)


@pytest.mark.parametrize(
    "options",
    [{"tools": [add]}, {"handoffs": ["bob"]}, {"workbench": StaticWorkbench([])}],
    ids=["tools", "handoffs", "workbench"],
)
def test_a_model_that_cannot_call_functions_is_refused_where_it_would_have_to(options: dict[str, Any]) -> None:
    with pytest.raises(
        InvalidArgumentError, match=r"does not support function calling.*'ann'.*'Replay\w+' cannot call tools"
    ):
        AssistantAgent("ann", model(info=MUTE), **options)


def test_a_name_that_is_no_identifier_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="'my agent'"):
        AssistantAgent("my agent", model())


def test_something_else_than_a_memory_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Expected Memory.*<class 'int'>.*'ann'"):
        AssistantAgent("ann", model(), memory=[3])  # pyright: ignore[reportArgumentType] - the point of the test


async def test_a_function_is_a_tool_by_its_name_and_docstring() -> None:
    client = model("hi")

    await AssistantAgent("ann", client, tools=[add], handoffs=[Handoff(target="bob", description="Ask Bob.")]).run()

    offered = [tool for tool in client.create_calls[0]["tools"] if isinstance(tool, dict)]
    assert [(tool["name"], tool.get("description")) for tool in offered] == [
        ("add", "Add two numbers."),
        ("transfer_to_bob", "Ask Bob."),
    ]


def test_an_assistant_says_what_it_can_answer_with() -> None:
    agent = AssistantAgent("ann", model(asks_for(("add", "{}")), info=ABLE), description="Adds.")

    assert agent.description == "Adds."
    assert set(agent.produced_message_types) == {TextMessage, ToolCallSummaryMessage, HandoffMessage}
