"""A tool of one's own: a class where a function is not enough, here because it keeps a stock between calls."""

import asyncio
from typing import Annotated

from pydantic import BaseModel, Field

from symposia.agentchat.agents import AssistantAgent
from symposia.core import CancellationToken, FunctionCall
from symposia.core.models import CreateResult, ModelInfo, RequestUsage
from symposia.core.tools import BaseToolWithState
from symposia.ext.models.replay import ReplayChatCompletionClient


class Withdrawal(BaseModel):
    item: Annotated[str, Field(description="what is taken")]
    count: Annotated[int, Field(description="how many", gt=0)] = 1


class Stock(BaseModel):
    items: dict[str, int]


class Warehouse(BaseToolWithState[Withdrawal, str, Stock]):
    """Takes items out of a stock, which is saved and loaded with the agent."""

    def __init__(self, items: dict[str, int]) -> None:
        super().__init__(Withdrawal, str, Stock, "take", "Take items out of the warehouse.")
        self._items = dict(items)

    async def run(self, args: Withdrawal, cancellation_token: CancellationToken) -> str:
        left = self._items.get(args.item, 0) - args.count
        if left < 0:
            raise ValueError(f"There are only {left + args.count} of {args.item!r}.")  # the model reads this
        self._items[args.item] = left
        return f"Taken. {left} are left."

    def save_state(self) -> Stock:
        return Stock(items=self._items)

    def load_state(self, state: Stock) -> None:
        self._items = dict(state.items)


def call(arguments: str) -> CreateResult:
    """What a model's answer with one call of the tool is."""
    return CreateResult(
        finish_reason="function_calls",
        content=[FunctionCall(id="1", name="take", arguments=arguments)],
        usage=RequestUsage(prompt_tokens=0, completion_tokens=0),
        cached=False,
    )


async def main() -> None:
    able = ModelInfo(vision=False, function_calling=True, json_output=True, structured_output=True, family="unknown")
    model = ReplayChatCompletionClient(
        [call('{"item": "lamp", "count": 5}'), call('{"item": "lamp", "count": 2}'), "You have two lamps."],
        model_info=able,
    )
    clerk = AssistantAgent("clerk", model, tools=[Warehouse({"lamp": 3})], max_tool_iterations=5)
    result = await clerk.run(task="I need five lamps.")
    for message in result.messages:
        print(f"{type(message).__name__}: {message.to_text()}")


if __name__ == "__main__":
    asyncio.run(main())
