"""The changes of a model context, folded, give its state."""

import asyncio
import copy
import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symposia.core.changes import apply, save_changes
from symposia.core.model_context import (
    BufferedChatCompletionContext,
    ChatCompletionContext,
    SummarizingChatCompletionContext,
    UnboundedChatCompletionContext,
)
from symposia.core.models import LLMMessage, UserMessage
from symposia.ext.models.replay import ReplayChatCompletionClient


class Trimming(UnboundedChatCompletionContext):
    """Takes old messages out of its own list, in place."""

    async def get_messages(self) -> list[LLMMessage]:
        del self._messages[:-2]
        return list(self._messages)


class Rewriting(UnboundedChatCompletionContext):
    """Saves its state in a way of its own."""

    async def save_state(self) -> dict[str, object]:
        return {"texts": [str(message.content) for message in self._messages[-3:]]}


MAKERS: list[Callable[[], ChatCompletionContext]] = [
    UnboundedChatCompletionContext,
    lambda: BufferedChatCompletionContext(2),
    lambda: SummarizingChatCompletionContext(ReplayChatCompletionClient(lambda _: "summary"), message_limit=3),
    Trimming,
    Rewriting,
]


async def do(context: ChatCompletionContext, action: str) -> None:
    match action:
        case "add":
            await context.add_message(UserMessage(content="hi", source="user"))
        case "read":
            await context.get_messages()
        case "clear":
            await context.clear()
        case _:
            if not isinstance(context, Rewriting):
                await context.load_state(await context.save_state())


@settings(deadline=None)
@given(
    st.sampled_from(MAKERS),
    st.lists(st.lists(st.sampled_from(["add", "add", "add", "read", "clear", "load"]), max_size=4), max_size=8),
)
def test_r02_folding_the_changes_of_a_context_gives_its_state(
    make: Callable[[], ChatCompletionContext], steps: list[list[str]]
) -> None:
    async def play() -> None:
        context = make()
        state, mark = None, None
        for step in steps:
            for action in step:
                await do(context, action)
            change, mark = await save_changes(context, mark)
            state = apply(state, copy.deepcopy(change))
            assert json.dumps(state, sort_keys=True) == json.dumps(await context.save_state(), sort_keys=True)

    asyncio.run(play())


@pytest.mark.parametrize("make", MAKERS[:3])
async def test_r02_a_message_added_costs_that_message(make: Callable[[], ChatCompletionContext]) -> None:
    context = make()
    await context.add_message(UserMessage(content="one", source="user"))
    _, mark = await save_changes(context, None)
    await context.add_message(UserMessage(content="two", source="user"))
    change, _ = await save_changes(context, mark)

    new = {"content": "two", "source": "user", "type": "UserMessage"}
    assert change == {"update": {"messages": {"extend": [new]}}}
