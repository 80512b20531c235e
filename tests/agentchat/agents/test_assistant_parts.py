"""The parts of an assistant's loop that a subclass replaces, each by itself and in a run."""

from collections.abc import Callable, Sequence
from typing import Any

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
from symposia.core.models import (
    CreateResult,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    SystemMessage,
    UserMessage,
)
from symposia.core.tools import FunctionTool, StaticWorkbench, ToolSchema
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


def other_result(call: FunctionCall) -> FunctionExecutionResult:
    return FunctionExecutionResult(content="3", name=call.name, call_id=f"not {call.id}", is_error=False)


DECISIONS: list[tuple[Callable[[Sequence[CallDecision], Sequence[FunctionCall]], object], str]] = [
    (lambda _made, _calls: [], "returned 0 decisions about 2 calls"),
    (lambda _made, _calls: None, "has to return a list"),
    (lambda made, _calls: iter(made), "has to return a list"),
    (lambda made, _calls: [made[0], None], "an AcceptedCall or a refuse_call"),
    (lambda made, _calls: [*reversed(made)], "a decision about the call '1' in the place of '0'"),
    (lambda made, _calls: [made[0]] * 2, "a decision about the call '0' in the place of '1'"),
    (lambda _made, calls: [other_result(call) for call in calls], "a decision about the call 'not 0'"),
]


@pytest.mark.parametrize(("decide", "fault"), DECISIONS)
async def test_a_wrong_decision_about_calls_is_an_error_and_leaves_a_conversation_that_models_accept(
    decide: Callable[[Sequence[CallDecision], Sequence[FunctionCall]], Any], fault: str
) -> None:
    class Wrong(AssistantAgent):
        async def decide_calls(self, calls: Sequence[FunctionCall], tools: AvailableTools) -> Sequence[CallDecision]:
            return decide(await super().decide_calls(calls, tools), calls)

    agent = Wrong("ann", model(asks_for(ADD, ADD), says("fine")), tools=[add])
    with pytest.raises(UsageError, match=f"^decide_calls of agent 'ann' .*{fault}"):
        await agent.run(task="go")
    for message in await agent.model_context.get_messages():
        if isinstance(message, FunctionExecutionResultMessage):
            assert [result.call_id for result in message.content] == ["0", "1"]
    assert (await agent.run(task="again")).messages[-1].to_text() == "fine"


async def awaited_text(*_: object) -> str:
    return "text"


def plain_text(*_: object) -> str:
    return "text"


@pytest.mark.parametrize("wrong", [awaited_text, plain_text])
@pytest.mark.parametrize("part", ["build_model_input", "make_answer", "summarize_results", "make_handoff"])
async def test_a_part_that_returns_something_else_is_named(part: str, wrong: Callable[..., Any]) -> None:
    client = model("fine" if part == "make_answer" else asks_for(ADD))
    agent = type("Wrong", (AssistantAgent,), {part: wrong})("ann", client, tools=[add])
    with pytest.raises(UsageError, match=rf"^{part} of (the )?agent 'ann' has to (return|be a coroutine function)"):
        await agent.run(task="go")


class Moving(StaticWorkbench):
    """Lists its tools in another order each time, as a server may."""

    is_static = False

    async def list_tools(self) -> list[ToolSchema]:
        self._turned = not getattr(self, "_turned", False)
        return (await super().list_tools())[:: -1 if self._turned else 1]


async def test_tools_keep_their_places_whatever_the_order_in_which_they_are_listed() -> None:
    client = model("one", "two", "three", "four")
    workbench = Moving([FunctionTool(add, "Add.", name) for name in ("b", "a", "c")])
    for _ in range(2):  # another agent stands for the one of another process, which loads the state of this one
        agent = AssistantAgent("ann", client, workbench=workbench)
        await agent.run(task="go")
        await agent.run(task="go")
    first, *others = ([dict(tool)["name"] for tool in call["tools"]] for call in client.create_calls)  # pyright: ignore[reportArgumentType, reportCallIssue] - schemas
    assert sorted(first) == ["a", "b", "c"]
    assert others == [first] * 3


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
