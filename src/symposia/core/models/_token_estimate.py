"""How many tokens a request takes, guessed without a tokenizer and without a network.

The guess is one token for each four bytes of UTF-8, which is what OpenAI and Anthropic give as the rule of thumb for
English; other scripts take more bytes a character, as they take more tokens. To it come the frame around each message
and each call, as OpenAI's cookbook counts them, and the price of a picture of the common size of 1024 by 1024 pixels in
OpenAI's documentation. It is good for leaving room, not for billing: vendors say afterwards what they counted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Final

from symposia.core._function_call import FunctionCall
from symposia.core._image import Image
from symposia.core.models._messages import AssistantMessage, FunctionExecutionResultMessage, LLMMessage
from symposia.core.tools import Tool, ToolSchema

BYTES_A_TOKEN: Final = 4
"""OpenAI's help page "What are tokens and how to count them?" gives four characters a token for English, and
Anthropic's glossary about 3.5. Rounding down on tokens would overfill a context, rounding up leaves room, so each text
is rounded up."""

TOKENS_A_FRAME: Final = 4
"""OpenAI's cookbook "How to count tokens with tiktoken" counts 3 for each message and 3 for the answer's beginning; one
more stands for the role. Schemas of tools are counted as their JSON, which takes somewhat more than vendors' forms."""

TOKENS_AN_IMAGE: Final = 765
"""OpenAI's guide "Images and vision" counts 85 for an image and 170 for each of its tiles of 512 pixels: four tiles for
1024 by 1024. The size of an image is not looked at, since that needs its pixels decoded."""


def estimate_text_tokens(text: str) -> int:
    """About how many tokens a text is."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", errors="replace"))
    return -(-size // BYTES_A_TOKEN)


def estimate_tokens(
    messages: Sequence[LLMMessage],
    *,
    tools: Sequence[Tool | ToolSchema] = (),
    count_text: Callable[[str], int] = estimate_text_tokens,
) -> int:
    """About how many tokens a request with these messages and tools takes.

    Args:
        messages: The messages.
        tools: The tools.
        count_text: Counts the tokens of a text, by a tokenizer for example.
    """
    return sum(_message(message, count_text) for message in messages) + sum(_tool(tool, count_text) for tool in tools)


def _message(message: LLMMessage, count: Callable[[str], int]) -> int:
    if isinstance(message, FunctionExecutionResultMessage):
        return sum(TOKENS_A_FRAME + count(result.content) for result in message.content)
    thought = message.thought if isinstance(message, AssistantMessage) else None
    tokens = TOKENS_A_FRAME + count(thought or "")
    if isinstance(message.content, str):
        return tokens + count(message.content)
    return tokens + sum(_part(part, count) for part in message.content)


def _tool(tool: Tool | ToolSchema, count: Callable[[str], int]) -> int:
    schema = tool if isinstance(tool, dict) else tool.schema  # a test for the protocol takes twenty times as long
    return TOKENS_A_FRAME + count(json.dumps(schema, ensure_ascii=False))


def _part(part: str | Image | FunctionCall, count: Callable[[str], int]) -> int:
    if isinstance(part, str):
        return count(part)
    if isinstance(part, Image):
        return TOKENS_AN_IMAGE
    return TOKENS_A_FRAME + count(part.name) + count(part.arguments)
