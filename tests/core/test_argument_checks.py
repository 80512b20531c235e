"""Arguments of another type are errors when they are given, which name the argument and its owner."""

from collections.abc import Callable
from typing import Any

import pytest

from symposia.core.exceptions import ArgumentTypeError
from symposia.core.memory import ListMemory
from symposia.core.model_context import (
    BufferedChatCompletionContext,
    HeadAndTailChatCompletionContext,
    SummarizingChatCompletionContext,
    TokenLimitedChatCompletionContext,
    UnboundedChatCompletionContext,
)
from symposia.core.models import UserMessage
from symposia.core.tools import FunctionTool, StaticWorkbench
from symposia.ext.models.replay import ReplayChatCompletionClient

CLIENT = ReplayChatCompletionClient(["a"])
HELLO: Any = UserMessage(content="hello", source="user")


def double(number: int) -> int:
    return 2 * number


DOUBLE: Any = double
CLASS: Any = FunctionTool
TOOL: Any = FunctionTool(double, "Doubles.")
WRONG: Any = ["10"]  # Any: of the wrong type, as all arguments here

MISTAKES: dict[str, Callable[[], object]] = {
    "model of TokenLimitedChatCompletionContext": lambda: TokenLimitedChatCompletionContext(WRONG),
    "token_limit of TokenLimitedChatCompletionContext": lambda: TokenLimitedChatCompletionContext(
        CLIENT, token_limit=WRONG
    ),
    "tool_schema of TokenLimitedChatCompletionContext": lambda: TokenLimitedChatCompletionContext(
        CLIENT, tool_schema=TOOL
    ),
    "buffer_size of BufferedChatCompletionContext": lambda: BufferedChatCompletionContext(WRONG),
    "head_size of HeadAndTailChatCompletionContext": lambda: HeadAndTailChatCompletionContext(WRONG, 1),
    "tail_size of HeadAndTailChatCompletionContext": lambda: HeadAndTailChatCompletionContext(1, WRONG),
    "initial_messages of UnboundedChatCompletionContext .* not 'hello'": lambda: UnboundedChatCompletionContext(
        HELLO.content
    ),
    "initial_messages of UnboundedChatCompletionContext .* not '10'": lambda: UnboundedChatCompletionContext(WRONG),
    "initial_messages of BufferedChatCompletionContext": lambda: BufferedChatCompletionContext(2, HELLO),
    "model of SummarizingChatCompletionContext": lambda: SummarizingChatCompletionContext(WRONG, message_limit=3),
    "message_limit of SummarizingChatCompletionContext": lambda: SummarizingChatCompletionContext(
        CLIENT, message_limit=WRONG
    ),
    "keep of SummarizingChatCompletionContext": lambda: SummarizingChatCompletionContext(
        CLIENT, message_limit=3, keep=WRONG
    ),
    "name of ListMemory": lambda: ListMemory(WRONG),
    "memory_contents of ListMemory": lambda: ListMemory(memory_contents=HELLO.content),
    "description of FunctionTool": lambda: FunctionTool(double, WRONG),
    "name of FunctionTool": lambda: FunctionTool(double, "Doubles.", WRONG),
    "global_imports of FunctionTool": lambda: FunctionTool(double, "Doubles.", global_imports=HELLO.content),
    "strict of FunctionTool": lambda: FunctionTool(double, "Doubles.", strict=HELLO.content),
    "tools of StaticWorkbench are given as a list": lambda: StaticWorkbench(TOOL),
    r"tools of StaticWorkbench have to be tools, such as FunctionTool\(double, ": lambda: StaticWorkbench([DOUBLE]),
    "tools of StaticWorkbench have to be tools, not .*FunctionTool": lambda: StaticWorkbench([CLASS]),
    "tool_overrides of StaticWorkbench": lambda: StaticWorkbench([TOOL], WRONG),
    "A tool override is a ToolOverride": lambda: StaticWorkbench([TOOL], {"double": HELLO.content}),
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_constructor_refuses_an_argument_of_another_type(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match=text):
        MISTAKES[text]()


@pytest.mark.parametrize("messages", ["hello", HELLO, ["hello"], [{"role": "user", "content": "hello"}], None])
async def test_a_replay_client_is_given_a_list_of_messages(messages: Any) -> None:
    client = ReplayChatCompletionClient(["a"])
    with pytest.raises(ArgumentTypeError, match=r"list of .*UserMessage\(content="):
        await client.create(messages)
    with pytest.raises(ArgumentTypeError, match=r"list of .*UserMessage\(content="):
        async for _ in client.create_stream(messages):
            pass
    assert (await client.create([HELLO])).content == "a"  # no answer was used up
