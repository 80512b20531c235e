"""The parts of an assistant's loop that a subclass replaces, each by itself and in a run."""

from collections.abc import Sequence

import pytest
from tests.support.chat_agents import ABLE, asks_for, kinds, model, says, shown

from symposia.agentchat.agents import (
    AcceptedCall,
    AssistantAgent,
    AvailableTools,
    CallDecision,
    ModelCall,
    ModelInput,
    Rejection,
    TurnProgress,
    refuse_call,
)
from symposia.agentchat.messages import BaseChatMessage, HandoffMessage, OutputRejectedEvent, TextMessage
from symposia.core import FunctionCall
from symposia.core.exceptions import UsageError
from symposia.core.models import CreateResult, FunctionExecutionResult, SystemMessage, UserMessage
from symposia.core.tools import FunctionTool, StaticWorkbench
from symposia.ext.models.replay import ReplayChatCompletionClient

ADD = ("add", '{"a": 1, "b": 2}')


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


class Focused(AssistantAgent):
    """Asks about the newest message alone, and without tools."""

    async def build_model_input(self, progress: TurnProgress) -> ModelInput:
        messages, options = await super().build_model_input(progress)
        return ModelInput([messages[0], messages[-1]], {**options, "tools": ()})


async def test_what_is_asked_can_be_replaced() -> None:
    client = model("one", "two")
    agent = Focused("ann", client, tools=[add])
    await agent.run(task="first")
    await agent.run(task="second")
    assert kinds(shown(client)) == [SystemMessage.__name__, UserMessage.__name__]
    assert shown(client)[-1].content == "second"
    assert client.create_calls[-1]["tools"] == []


class Careful(AssistantAgent):
    """Makes the first call with other numbers, and no other one."""

    async def decide_calls(self, calls: Sequence[FunctionCall], tools: AvailableTools) -> Sequence[CallDecision]:
        first, *_ = await super().decide_calls(calls, tools)
        assert isinstance(first, AcceptedCall)
        return [
            first._replace(arguments={"a": 20, "b": 3}),
            *(refuse_call(call, "One at a time.") for call in calls[1:]),
        ]


async def test_which_calls_are_made_and_with_which_arguments_can_be_replaced() -> None:
    agent = Careful("ann", model(asks_for(ADD, ADD)), tools=[add])
    assert (await agent.run(task="go")).messages[-1].to_text() == "23\nOne at a time."


class Silent(AssistantAgent):
    """Decides about nothing."""

    async def decide_calls(self, calls: Sequence[FunctionCall], tools: AvailableTools) -> Sequence[CallDecision]:
        return []


async def test_a_part_that_decides_about_too_few_calls_is_an_error_and_the_agent_can_go_on() -> None:
    agent = Silent("ann", model(asks_for(ADD), says("fine")), tools=[add])
    with pytest.raises(UsageError, match=r"agent 'ann' returned 0 decisions about 1 calls"):
        await agent.run(task="go")
    assert (await agent.run(task="again")).messages[-1].to_text() == "fine"


class Polite(AssistantAgent):
    """Rejects answers without a greeting, twice, and then adds one."""

    async def make_answer(self, call: ModelCall, progress: TurnProgress) -> BaseChatMessage | Rejection:
        if "hello" in call.text:
            return TextMessage(id=call.message_id, content=call.text, source=self.name, models_usage=call.result.usage)
        greeting = TextMessage(content=f"hello, {call.text}", source=self.name)

        async def greet() -> BaseChatMessage:
            return greeting

        return Rejection("It has no greeting.", "Say hello first.", greet if progress.corrections == 2 else None)


async def test_how_the_model_s_words_become_the_answer_can_be_replaced() -> None:
    client = model("no", "hello you")
    messages = (await Polite("ann", client).run(task="go")).messages
    assert messages[-1].to_text() == "hello you"
    assert [message.content for message in shown(client)][-2:] == ["no", "Say hello first."]


async def test_a_part_that_rejects_an_answer_may_give_one_itself() -> None:
    messages = (await Polite("ann", model("a", "b", "c")).run(task="go")).messages
    assert [(each.attempt, each.content) for each in messages if isinstance(each, OutputRejectedEvent)] == [
        (0, "a"),
        (1, "b"),
        (2, "c"),
    ]
    assert messages[-1].to_text() == "hello, c"


class Terse(AssistantAgent):
    async def summarize_results(
        self, calls: Sequence[FunctionCall], results: Sequence[FunctionExecutionResult]
    ) -> BaseChatMessage:
        return TextMessage(content=f"{len(calls)} calls", source=self.name)

    def make_handoff(
        self, answer: CreateResult, calls: Sequence[FunctionCall], results: Sequence[FunctionExecutionResult]
    ) -> HandoffMessage | None:
        failed = next((each for each in results if each.is_error), None)
        return failed and HandoffMessage(content=failed.content, target="repair", source=self.name)


async def test_how_results_become_the_answer_can_be_replaced() -> None:
    assert (await Terse("ann", model(asks_for(ADD)), tools=[add]).run(task="go")).messages[-1].to_text() == "1 calls"


async def test_when_the_turn_is_passed_on_can_be_replaced() -> None:
    answer = (await Terse("ann", model(asks_for(("subtract", "{}"))), tools=[add]).run(task="go")).messages[-1]
    assert isinstance(answer, HandoffMessage)
    assert answer.target == "repair"


async def test_a_part_can_be_asked_without_a_run() -> None:
    agent = AssistantAgent(
        "ann", ReplayChatCompletionClient([], model_info=ABLE), tools=[add], system_message="Be brief."
    )
    tools = await AvailableTools.of("ann", [StaticWorkbench([FunctionTool(add, "Add.")])])
    call = FunctionCall(id="1", name="subtract", arguments="{}")

    (decision,) = await agent.decide_calls([call], tools)
    assert isinstance(decision, FunctionExecutionResult)
    assert decision.content == "There is no tool 'subtract'. The tools are: add."

    progress = TurnProgress((), tools, rounds=1, may_call=False, ignores_choice=False, corrections=0, rejected=())
    asked = await agent.build_model_input(progress)
    assert (asked.messages, asked.options.get("tool_choice")) == ([SystemMessage(content="Be brief.")], "none")
