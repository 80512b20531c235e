"""A tool call that a person approves on the terminal, with its exact arguments. Needs no key: the model is scripted."""

import asyncio
import sys

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.ui import Console
from symposia.core import FunctionCall
from symposia.core.exceptions import HumanInputError
from symposia.core.models import CreateResult, RequestUsage
from symposia.core.tools import ApprovedWorkbench, FunctionTool, StaticWorkbench
from symposia.ext.models.replay import ReplayChatCompletionClient


async def refund(order: str, amount: int) -> str:
    """Pay an order back."""
    return f"{amount} paid back for order {order}."


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
tools = ApprovedWorkbench(StaticWorkbench([FunctionTool(refund, "Pay an order back.")]), input)
clerk = AssistantAgent("clerk", model, workbench=tools, max_tool_iterations=3)

if __name__ == "__main__":
    try:
        asyncio.run(Console(clerk.run_stream(task="Order 4711 came late.")))
    except HumanInputError as error:  # such as the end of the input: nothing is called without an answer
        sys.exit(str(error))
