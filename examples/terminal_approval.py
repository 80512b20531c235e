"""A tool call that a person approves on the terminal, with its exact arguments. Needs no key: the model is scripted."""

import asyncio

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.ui import Console
from symposia.core import FunctionCall
from symposia.core.effects import HumanAnswer
from symposia.core.models import CreateResult, RequestUsage
from symposia.core.tools import ApprovedWorkbench, FunctionTool, StaticWorkbench, ToolApprovalRequest
from symposia.ext.models.replay import ReplayChatCompletionClient


async def refund(order: str, amount: int) -> str:
    """Pay an order back."""
    return f"{amount} paid back for order {order}."


def ask(request: ToolApprovalRequest) -> HumanAnswer:
    """Ask on the terminal; a plain function runs in a thread, so the team goes on meanwhile."""
    answer = input(f"May I call {request}? [y, or a reason against it] ")
    return HumanAnswer(text=answer, approved=answer.strip().lower() in {"y", "yes"})


def call(amount: int) -> CreateResult:
    """What a model answers when it calls the tool."""
    arguments = f'{{"order": "4711", "amount": {amount}}}'
    return CreateResult(
        finish_reason="function_calls",
        content=[FunctionCall(id=str(amount), name="refund", arguments=arguments)],
        usage=RequestUsage(prompt_tokens=0, completion_tokens=0),
        cached=False,
    )


model = ReplayChatCompletionClient(
    [call(500), call(50), "That was all."],
    model_info={
        "vision": False,
        "function_calling": True,
        "json_output": False,
        "structured_output": False,
        "family": "unknown",
    },
)
tools = ApprovedWorkbench(StaticWorkbench([FunctionTool(refund, "Pay an order back.")]), ask)
clerk = AssistantAgent("clerk", model, workbench=tools, max_tool_iterations=3)

if __name__ == "__main__":
    asyncio.run(Console(clerk.run_stream(task="Order 4711 came late.")))
