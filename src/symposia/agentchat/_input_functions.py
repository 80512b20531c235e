"""Functions of the application that ask a person, and the one way to call them."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeAlias, cast

from symposia.core import CancellationToken, call_function
from symposia.core.effects import HumanAnswer
from symposia.core.exceptions import ArgumentTypeError

SyncInputFunc: TypeAlias = Callable[[str], str]
AsyncInputFunc: TypeAlias = Callable[[str, CancellationToken | None], Awaitable[str]]
InputFuncType: TypeAlias = SyncInputFunc | AsyncInputFunc
ReviewFuncType: TypeAlias = (
    Callable[[str], str | HumanAnswer | Awaitable[str | HumanAnswer]]
    | Callable[[str, CancellationToken | None], Awaitable[str | HumanAnswer]]
)
"""Shows something to a person and returns what it says: a text, or a `HumanAnswer` with ``approved``."""


async def call_input_function(function: InputFuncType, prompt: str, token: CancellationToken | None) -> str:
    """Ask a person for a text: a plain function runs in a worker thread, a coroutine function is awaited.

    Args:
        function: The function.
        prompt: The question.
        token: Given to the function if it can take two arguments.

    Raises:
        ArgumentTypeError: The function returned something else than a text.
        Exception: The error of the function.
    """
    answer = await _called(function, prompt, token)
    if not isinstance(answer, str):
        raise ArgumentTypeError(f"the input function returned {answer!r}, and has to return a str")
    return answer


async def call_review_function(function: ReviewFuncType, prompt: str, token: CancellationToken | None) -> HumanAnswer:
    """Ask a person for a review, as `call_input_function` does. A text is an answer without an approval.

    Raises:
        ArgumentTypeError: The function returned something else than a text or a `HumanAnswer`.
        Exception: The error of the function.
    """
    answer = await _called(function, prompt, token)
    if isinstance(answer, str):
        return HumanAnswer(text=answer)
    if not isinstance(answer, HumanAnswer):
        raise ArgumentTypeError(f"the review function returned {answer!r}, and has to return a str or a HumanAnswer")
    return answer


async def _called(function: InputFuncType | ReviewFuncType, prompt: str, token: CancellationToken | None) -> object:
    # The reader of the stream, which has been woken, shows what was said before. Without this, a function that prints
    # in its worker thread would print between a message and its header.
    await asyncio.sleep(0)
    if _takes_token(function):
        return await call_function(cast("AsyncInputFunc", function), prompt, token)
    return await call_function(cast("SyncInputFunc", function), prompt)


def _takes_token(function: Callable[..., object]) -> bool:
    """Whether the function can be called with a prompt and a token.

    Its signature decides, and not whether it is a coroutine function: that one may take the prompt alone.
    """
    try:
        inspect.signature(function).bind("", None)
    except (TypeError, ValueError):  # it takes another number; or, being built in, does not say
        return False
    return True
