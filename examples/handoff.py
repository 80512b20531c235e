"""A swarm: triage hands a customer over to the specialist, who calls a tool and closes the case."""

import asyncio

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.conditions import MaxMessageTermination, TextMentionTermination
from symposia.agentchat.teams import Swarm
from symposia.agentchat.ui import Console
from symposia.core import FunctionCall
from symposia.core.models import CreateResult, RequestUsage
from symposia.ext.models.replay import ReplayChatCompletionClient


async def refund(order: str) -> str:
    """Pay an order back."""
    return f"Order {order} was paid back."


def call(name: str, arguments: str = "{}") -> CreateResult:
    """What a model answers when it calls a tool."""
    return CreateResult(
        finish_reason="function_calls",
        content=[FunctionCall(id=name, name=name, arguments=arguments)],
        usage=RequestUsage(prompt_tokens=0, completion_tokens=0),
        cached=False,
    )


model = ReplayChatCompletionClient(
    [call("transfer_to_billing"), call("refund", '{"order": "4711"}'), "Your money is on its way. RESOLVED"],
    model_info={
        "vision": False,
        "function_calling": True,
        "json_output": False,
        "structured_output": False,
        "family": "unknown",
    },
)
triage = AssistantAgent("triage", model, handoffs=["billing"])
billing = AssistantAgent("billing", model, tools=[refund], reflect_on_tool_use=True)
team = Swarm([triage, billing], termination_condition=TextMentionTermination("RESOLVED") | MaxMessageTermination(10))

if __name__ == "__main__":
    asyncio.run(Console(team.run_stream(task="I was charged twice for order 4711.")))
