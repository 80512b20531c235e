"""Functions of the application that ask a person, and the one way to call them."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import TypeAlias, cast

from symposia.core import CancellationToken, call_function
from symposia.core.exceptions import ArgumentTypeError

SyncInputFunc: TypeAlias = Callable[[str], str]
AsyncInputFunc: TypeAlias = Callable[[str, CancellationToken | None], Awaitable[str]]
InputFuncType: TypeAlias = SyncInputFunc | AsyncInputFunc


async def call_input_function(function: InputFuncType, prompt: str, token: CancellationToken | None) -> str:
    """Ask a person: a plain function runs in a worker thread, a coroutine function is awaited.

    Args:
        function: The function.
        prompt: The question.
        token: Given to the function if it can take two arguments.

    Raises:
        ArgumentTypeError: The function returned something else than a text.
        Exception: The error of the function.
    """
    if _takes_token(function):
        answer = await call_function(cast("AsyncInputFunc", function), prompt, token)
    else:
        answer = await call_function(cast("SyncInputFunc", function), prompt)
    if not isinstance(answer, str):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
        raise ArgumentTypeError(f"the input function returned {answer!r}, and has to return a str")
    return answer


def _takes_token(function: InputFuncType) -> bool:
    """Whether the function can be called with a prompt and a token.

    Its signature decides, and not whether it is a coroutine function: that one may take the prompt alone.
    """
    try:
        inspect.signature(function).bind("", None)
    except (TypeError, ValueError):  # it takes another number; or, being built in, does not say
        return False
    return True
