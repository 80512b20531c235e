from collections.abc import Sequence

import pytest
from tests.support.chat_agents import asks_for, kinds, model, says

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.base import Handoff, TaskResult
from symposia.agentchat.messages import HandoffMessage, ToolCallExecutionEvent
from symposia.core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
)
from symposia.core.tools import FunctionTool


async def look_up(key: str) -> str:
    """Look something up."""
    return f"{key} is 7"


def results(result: TaskResult) -> list[FunctionExecutionResult]:
    return [each for event in result.messages if isinstance(event, ToolCallExecutionEvent) for each in event.content]


async def test_a_handoff_ends_the_turn_and_tells_the_target() -> None:
    agent = AssistantAgent("ann", model(asks_for(("transfer_to_bob", "{}"))), handoffs=["bob"], max_tool_iterations=5)

    result = await agent.run(task="go")

    assert kinds(result.messages)[1:] == ["ToolCallRequestEvent", "ToolCallExecutionEvent", "HandoffMessage"]
    assert isinstance(handoff := result.messages[-1], HandoffMessage)
    assert (handoff.source, handoff.target) == ("ann", "bob")
    assert handoff.content == "Transferred to bob, adopting the role of bob immediately."
    assert handoff.context == []


async def test_f34_of_two_handoffs_the_first_is_made_and_the_other_told_so() -> None:
    client = model(asks_for(("transfer_to_bob", "{}"), ("transfer_to_cy", "{}")))
    agent = AssistantAgent("ann", client, handoffs=["bob", Handoff(target="cy", message="Yours, Cy.")])

    result = await agent.run(task="go")

    assert isinstance(handoff := result.messages[-1], HandoffMessage)
    assert handoff.target == "bob"
    first, second = results(result)
    assert not first.is_error
    assert second.is_error
    assert "'transfer_to_bob' came first" in second.content
    context = await agent.model_context.get_messages()
    assert context[-1] == FunctionExecutionResultMessage(content=[first, second])


@pytest.mark.parametrize("handoff_first", [True, False])
async def test_f34_a_tool_beside_a_handoff_is_called_and_its_result_goes_along(handoff_first: bool) -> None:
    calls = [("transfer_to_bob", "{}"), ("look_up", '{"key": "x"}')]
    client = model(asks_for(*(calls if handoff_first else reversed(calls)), thought="bob knows more"))
    agent = AssistantAgent("ann", client, tools=[look_up], handoffs=["bob"])

    result = await agent.run(task="go")

    handoff = result.messages[-1]
    assert isinstance(handoff, HandoffMessage)
    assert sorted((each.name, each.is_error) for each in results(result)) == [
        ("look_up", False),
        ("transfer_to_bob", False),
    ]
    said, done = handoff.context
    assert isinstance(said, AssistantMessage)
    assert isinstance(done, FunctionExecutionResultMessage)
    assert [call.name for call in said.content if not isinstance(call, str)] == ["look_up"]
    assert said.thought == "bob knows more"
    assert [each.content for each in done.content] == ["x is 7"]


async def test_a_thought_goes_along_with_a_handoff() -> None:
    client = model(asks_for(("transfer_to_bob", "{}"), thought="bob knows more"))

    result = await AssistantAgent("ann", client, handoffs=["bob"]).run(task="go")

    expected: Sequence[LLMMessage] = [AssistantMessage(content="bob knows more", source="ann")]
    assert isinstance(handoff := result.messages[-1], HandoffMessage)
    assert handoff.context == expected


class Briefed(Handoff):
    """A handoff that takes a briefing from the model."""

    @property
    def handoff_tool(self) -> FunctionTool:
        async def brief(about: str) -> str:
            if not about:
                raise ValueError("say what it is about")
            return f"Please see to {about}."

        return FunctionTool(brief, description=self.description, name=self.name)


async def test_a_handoff_with_a_tool_of_its_own_passes_on_what_the_tool_says() -> None:
    client = model(asks_for(("transfer_to_bob", '{"about": "rain"}')))

    result = await AssistantAgent("ann", client, handoffs=[Briefed(target="bob")]).run(task="go")

    assert isinstance(handoff := result.messages[-1], HandoffMessage)
    assert handoff.content == "Please see to rain."


async def test_a_handoff_that_fails_is_told_to_the_model_and_the_turn_goes_on() -> None:
    client = model(asks_for(("transfer_to_bob", '{"about": ""}')), says("I stay."))

    agent = AssistantAgent("ann", client, handoffs=[Briefed(target="bob")], max_tool_iterations=2)

    assert (await agent.run(task="go")).messages[-1].to_text() == "I stay."
