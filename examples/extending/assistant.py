"""An assistant with a part of its loop replaced: which calls are made. This one makes the same call once only."""

import asyncio
from collections.abc import Sequence

from symposia.agentchat.agents import AssistantAgent, AvailableTools, CallDecision, refuse_call
from symposia.agentchat.messages import ToolCallExecutionEvent
from symposia.core import FunctionCall
from symposia.core.models import CreateResult, ModelInfo, RequestUsage
from symposia.ext.models.replay import ReplayChatCompletionClient


class OnceOnly(AssistantAgent):
    """Refuses a call that was made before, with the same arguments."""

    async def decide_calls(self, calls: Sequence[FunctionCall], tools: AvailableTools) -> Sequence[CallDecision]:
        made = [
            (call.name, call.arguments)
            for message in await self.model_context.get_messages()
            if message.type == "AssistantMessage" and not isinstance(message.content, str)
            for call in message.content
        ]
        decisions = await super().decide_calls(calls, tools)
        return [
            refuse_call(call, "You have the answer to this call already.")
            if (call.name, call.arguments) in made
            else decision
            for call, decision in zip(calls, decisions, strict=True)
        ]


def price(of: str) -> str:
    """Look up a price, which costs money."""
    return f"{of}: 4.20"


def asks_for_price(of: str) -> CreateResult:
    call = FunctionCall(id=of, name="price", arguments=f'{{"of": "{of}"}}')
    return CreateResult(finish_reason="function_calls", content=[call], usage=RequestUsage(9, 3), cached=False)


async def main() -> None:
    able = ModelInfo(vision=False, function_calling=True, json_output=True, family="unknown", structured_output=True)
    answers = [asks_for_price("tea"), asks_for_price("tea"), asks_for_price("milk"), "Tea and milk are 4.20 each."]
    buyer = OnceOnly(
        "buyer", ReplayChatCompletionClient(answers, model_info=able), tools=[price], max_tool_iterations=5
    )
    result = await buyer.run(task="What do tea and milk cost?")
    for message in result.messages:
        if isinstance(message, ToolCallExecutionEvent):
            print(message.content[0].content)
    print(result.messages[-1].to_text())


if __name__ == "__main__":
    asyncio.run(main())
