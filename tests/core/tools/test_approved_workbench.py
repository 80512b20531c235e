"""Calls that a person approves: each with its exact arguments, once, and never without an answer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
from tests.support.chat_agents import ABLE, asks_for

from symposia.agentchat.agents import AssistantAgent
from symposia.core import CancellationToken
from symposia.core.effects import Effect, EffectRequest, HumanAnswer, HumanRequest, handle_effects
from symposia.core.exceptions import ArgumentTypeError, HumanInputError, InvalidArgumentError
from symposia.core.models import FunctionExecutionResultMessage
from symposia.core.tools import ApprovedWorkbench, FunctionTool, StaticWorkbench, ToolApprovalRequest, ToolRequest
from symposia.ext.models.replay import ReplayChatCompletionClient

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
    assert str(bank.asked[0]) == 'pay(to="Ann", amount=5)'


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


@pytest.mark.parametrize("answer", [None, "yes", HumanAnswer(text="yes")])
async def test_what_is_no_answer_approves_nothing(answer: object) -> None:
    bank = Bank()

    async def approve(request: ToolApprovalRequest) -> Any:
        return answer

    with pytest.raises(HumanInputError, match="has to return a bool"):
        await bank.workbench(approve).call_tool("pay", {"to": "Ann", "amount": 5})
    assert bank.paid == []


async def test_a_question_that_fails_approves_nothing() -> None:
    bank = Bank()

    async def approve(request: ToolApprovalRequest) -> bool:
        raise ConnectionError("The browser is gone.")

    with pytest.raises(HumanInputError, match=r"pay\(.*The browser is gone"):
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
    with pytest.raises(InvalidArgumentError, match=r"\['pey'\], and the tools are \['pay', 'balance'\]"):
        bank.workbench(bank.yes, names=["pey"])
    with pytest.raises(ArgumentTypeError, match="list of names"):
        bank.workbench(bank.yes, names="pay")
    with pytest.raises(ArgumentTypeError, match="approve"):
        bank.workbench(True)
    with pytest.raises(ArgumentTypeError, match="workbench"):
        ApprovedWorkbench([bank.pay], bank.yes)  # pyright: ignore[reportArgumentType] - what unchecked programs pass
