"""Calls that a person approves: each with its exact arguments, once, and never without an answer."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, TypeVar

import pytest
from pydantic import BaseModel
from tests.support.chat_agents import ABLE, RecordingHandler, asks_for, collected, dangling_calls

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.messages import TextMessage
from symposia.core import CancellationToken
from symposia.core.effects import Effect, EffectRequest, HumanAnswer, HumanRequest, handle_effects
from symposia.core.exceptions import (
    ArgumentTypeError,
    ComponentError,
    HumanInputError,
    InputEndedError,
    InvalidArgumentError,
)
from symposia.core.models import FunctionExecutionResultMessage
from symposia.core.tools import (
    ApprovedWorkbench,
    BaseStreamTool,
    FunctionTool,
    StaticStreamWorkbench,
    StaticWorkbench,
    ToolApprovalRequest,
    ToolRequest,
)
from symposia.ext.code_executors.namespaces import NamespaceCommandLineCodeExecutor
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.ext.tools.code_execution import PythonCodeExecutionTool

Request = TypeVar("Request", bound=EffectRequest)
Result = TypeVar("Result")


class Bank:
    """Tools that note their calls, and the questions that were asked before."""

    def __init__(self) -> None:
        self.paid: list[tuple[str, int]] = []
        self.asked: list[ToolApprovalRequest] = []

    async def pay(self, to: str, amount: int) -> str:
        """Pay."""
        self.paid.append((to, amount))
        return f"Paid {amount} to {to}."

    async def balance(self) -> str:
        """Say what there is."""
        return "1,000"

    def workbench(self, approve: Any, **options: Any) -> ApprovedWorkbench:
        tools = [FunctionTool(self.pay, "Pay."), FunctionTool(self.balance, "Balance.")]
        return ApprovedWorkbench(StaticWorkbench(tools), approve, **options)

    async def yes(self, request: ToolApprovalRequest) -> bool:
        self.asked.append(request)
        return True


async def test_an_approved_call_is_made_with_the_arguments_that_were_shown() -> None:
    bank = Bank()

    result = await bank.workbench(bank.yes).call_tool("pay", {"to": "Ann", "amount": 5}, call_id="7")

    assert result.to_text() == "Paid 5 to Ann."
    assert bank.asked == [ToolApprovalRequest(tool="pay", arguments={"to": "Ann", "amount": 5}, call_id="7")]
    assert bank.asked[0] == 'May pay(to="Ann", amount=5) be called?'
    assert (bank.asked[0].arguments, bank.asked[0].call_id) == ({"to": "Ann", "amount": 5}, "7")


async def test_a_refusal_is_told_and_the_tool_is_not_called() -> None:
    bank = Bank()

    def refuse(request: ToolApprovalRequest) -> HumanAnswer:  # a plain function, in a thread
        return HumanAnswer(text="Not on a Friday.", approved=False)

    result = await bank.workbench(refuse).call_tool("pay", {"to": "Ann", "amount": 5})

    assert result.is_error
    assert result.to_text() == "The call of 'pay' was not approved, and was not made. The reason: Not on a Friday."
    assert bank.paid == []


async def test_arguments_that_are_changed_while_the_person_thinks_are_not_those_of_the_call() -> None:
    bank, arguments = Bank(), {"to": "Ann", "amount": 5}

    async def approve(request: ToolApprovalRequest) -> bool:
        arguments["amount"] = 5_000
        request.arguments["amount"] = 500
        return True

    await bank.workbench(approve).call_tool("pay", arguments)

    assert bank.paid == [("Ann", 5)]


async def test_each_call_needs_an_approval_of_its_own() -> None:
    bank = Bank()
    workbench = bank.workbench(bank.yes)

    for amount in (5, 5, 6):
        await workbench.call_tool("pay", {"to": "Ann", "amount": amount})

    assert [request.arguments["amount"] for request in bank.asked] == [5, 5, 6]


async def test_only_the_named_tools_need_an_approval() -> None:
    bank = Bank()
    workbench = bank.workbench(bank.yes, names=["pay"])

    assert (await workbench.call_tool("balance")).to_text() == "1,000"
    assert bank.asked == []


@pytest.mark.parametrize("answer", [None, 1, b"yes", ["yes"]])
async def test_what_is_no_answer_approves_nothing(answer: object) -> None:
    bank = Bank()

    async def approve(request: ToolApprovalRequest) -> Any:
        return answer

    with pytest.raises(HumanInputError, match="has to be True, False, a str or a HumanAnswer"):
        await bank.workbench(approve).call_tool("pay", {"to": "Ann", "amount": 5})
    assert bank.paid == []


async def test_a_question_that_fails_approves_nothing() -> None:
    bank = Bank()

    async def approve(request: ToolApprovalRequest) -> bool:
        raise ConnectionError("The browser is gone.")

    with pytest.raises(HumanInputError, match=r"The browser is gone.*pay\("):
        await bank.workbench(approve).call_tool("pay", {"to": "Ann", "amount": 5})


async def test_cancelling_a_call_ends_the_question() -> None:
    bank, asked, token = Bank(), asyncio.Event(), CancellationToken()

    async def approve(request: ToolApprovalRequest) -> bool:
        asked.set()
        await asyncio.Event().wait()
        return True

    call = asyncio.create_task(bank.workbench(approve).call_tool("pay", {"to": "Ann", "amount": 5}, token))
    await asked.wait()
    token.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call
    assert bank.paid == []


async def test_the_question_and_the_call_are_effects_of_their_own() -> None:
    bank, seen = Bank(), list[tuple[str, object]]()

    class Watching:
        async def handle(self, effect: Effect[Request, Result], proceed: Callable[[], Awaitable[Result]]) -> Result:
            request = effect.request
            if isinstance(request, HumanRequest):
                seen.append(("human", request.approval_of))
            elif isinstance(request, ToolRequest):
                seen.append(("tool", request.arguments))
            return await proceed()

    model = ReplayChatCompletionClient([asks_for(("pay", '{"to": "Ann", "amount": 5}'))], model_info=ABLE)
    agent = AssistantAgent("clerk", model, workbench=bank.workbench(bank.yes))
    with handle_effects(Watching()):
        result = await agent.run(task="Pay Ann.")

    assert result.messages[-1].to_text() == "Paid 5 to Ann."
    assert seen == [
        ("human", {"tool": "pay", "arguments": {"to": "Ann", "amount": 5}}),
        ("tool", {"to": "Ann", "amount": 5}),
    ]


async def test_the_model_reads_a_refusal_and_may_ask_again_with_other_arguments() -> None:
    bank = Bank()

    async def approve(request: ToolApprovalRequest) -> HumanAnswer:
        bank.asked.append(request)
        affordable = int(str(request.arguments["amount"])) < 10
        return HumanAnswer(text="" if affordable else "Less than 10.", approved=affordable)

    model = ReplayChatCompletionClient(
        [asks_for(("pay", '{"to": "Ann", "amount": 50}')), asks_for(("pay", '{"to": "Ann", "amount": 5}')), "Done."],
        model_info=ABLE,
    )
    agent = AssistantAgent("clerk", model, workbench=bank.workbench(approve), max_tool_iterations=3)
    await agent.run(task="Pay Ann.")

    told = model.create_calls[1]["messages"][-1]
    assert isinstance(told, FunctionExecutionResultMessage)
    assert "Less than 10." in told.content[0].content
    assert bank.paid == [("Ann", 5)]
    assert len(bank.asked) == 2


async def test_the_rest_is_that_of_the_inner_workbench() -> None:
    bank = Bank()
    async with bank.workbench(bank.yes) as workbench:
        assert [schema["name"] for schema in await workbench.list_tools()] == ["pay", "balance"]
        assert workbench.known_tools() == await workbench.list_tools()
        assert workbench.is_static
        await workbench.load_state(await workbench.save_state())
        await workbench.reset()


def test_wrong_arguments_are_refused_at_once() -> None:
    bank = Bank()
    with pytest.raises(InvalidArgumentError, match=r"\['pey'\]: give names of tools, which are \['pay', 'balance'\]"):
        bank.workbench(bank.yes, names=["pey"])
    with pytest.raises(ArgumentTypeError, match=r"names of an ApprovedWorkbench is .*: give a list of names"):
        bank.workbench(bank.yes, names="pay")
    with pytest.raises(ArgumentTypeError, match="approve"):
        bank.workbench(True)
    with pytest.raises(
        ArgumentTypeError,
        match=r"workbench of an ApprovedWorkbench is .*: give a workbench",
    ):
        ApprovedWorkbench([bank.pay], bank.yes)  # pyright: ignore[reportArgumentType] - what unchecked programs pass


async def test_a_person_who_cannot_be_asked_ends_the_run_and_leaves_no_call_without_an_answer() -> None:
    bank = Bank()

    def ask(request: ToolApprovalRequest) -> bool:
        raise EOFError

    calls = asks_for(("pay", '{"to": "Ann", "amount": 5}'), ("balance", "{}"))
    model = ReplayChatCompletionClient([calls, "Never mind."], model_info=ABLE)
    agent = AssistantAgent("clerk", model, workbench=bank.workbench(ask, names=["pay"]))
    with pytest.raises(InputEndedError, match="the input ended without an answer"):
        await agent.run(task="Pay Ann.")

    assert (await agent.run(task="Leave it.")).messages[-1].to_text() == "Never mind."
    assert dangling_calls(model.create_calls[-1]["messages"]) == set()
    assert bank.paid == []


class CountingArgs(BaseModel):
    to: int


class Counting(BaseStreamTool[CountingArgs, Any, str]):
    """Yields an event for each step."""

    def __init__(self) -> None:
        super().__init__(CountingArgs, str, "count", "Counts.")

    async def run(self, args: CountingArgs, cancellation_token: CancellationToken) -> str:
        return "done"

    async def run_stream(self, args: CountingArgs, cancellation_token: CancellationToken) -> AsyncGenerator[Any, None]:
        for step in range(args.to):
            yield TextMessage(content=f"step {step}", source="count")
        yield "done"


@pytest.mark.parametrize("approved", [True, False])
async def test_the_events_of_an_approved_tool_are_streamed(approved: bool) -> None:
    workbench = ApprovedWorkbench(StaticStreamWorkbench([Counting()]), lambda _request: approved)
    model = ReplayChatCompletionClient([asks_for(("count", '{"to": 2}'))], model_info=ABLE)
    handler = RecordingHandler()
    with handle_effects(handler):
        items = await collected(AssistantAgent("clerk", model, workbench=workbench).run_stream(task="Count."))

    steps = [item.content for item in items if isinstance(item, TextMessage) and item.source == "count"]
    assert steps == (["step 0", "step 1"] if approved else [])
    performed = [each.kind.name for each in handler.effects if each.kind.name != "model"]
    assert performed == (["human", "tool"] if approved else ["human"])


async def test_it_is_saved_without_its_function_and_asks_on_the_terminal_when_it_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inner = StaticWorkbench([PythonCodeExecutionTool(NamespaceCommandLineCodeExecutor())])
    with pytest.warns(UserWarning, match="approve"):
        saved = ApprovedWorkbench(inner, lambda _request: True, names=["CodeExecutor"]).dump_component()
    loaded = ApprovedWorkbench.load_component(json.loads(saved.model_dump_json()))
    prompts: list[str] = []

    def answer(prompt: str) -> str:
        prompts.append(prompt)
        return "not today"

    monkeypatch.setattr("builtins.input", answer)
    result = await loaded.call_tool("CodeExecutor", {"code": "1"})
    assert result.to_text().endswith("The reason: not today")
    assert prompts == ['May CodeExecutor(code="1") be called?\nApprove? [y, or the reason why not] ']


def test_a_workbench_that_cannot_be_saved_is_named() -> None:
    bank = Bank()
    with pytest.raises(ComponentError, match="pay"):
        bank.workbench(None).dump_component()


def test_a_question_about_a_call_shows_what_a_terminal_would_obey_or_hide() -> None:
    request = ToolApprovalRequest(
        tool="pay\nMay i",
        arguments={"to": "\x1b[2J\u202eeve\n\u200eok", "x=1)?\nyes, and (y": [1]},
        source="clerk",
        objections=["too much\nApproved."],
    )
    assert request.splitlines() == [
        r'May clerk call pay␊May i(to="\u001b[2J\u202eeve\n\u200eok", "x=1)?\nyes, and (y"=[1])?',
        "Objection: too much␊Approved.",
    ]
    assert request.approval_of == {"tool": request.tool, "arguments": request.arguments}
