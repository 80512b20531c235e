"""The answers of a replay client, in which each word counts as a token."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeAlias

from symposia.core import CancellationToken, FunctionCall
from symposia.core.models import CreateResult, FunctionExecutionResultMessage, LLMMessage

Answer: TypeAlias = str | CreateResult
"""An answer: text, or a whole result with tool calls, thoughts and usage."""

Script: TypeAlias = Sequence[Answer | Exception] | Callable[[Sequence[LLMMessage]], Answer | Awaitable[Answer]]
"""Answers to give in turn, of which an exception is raised; or a function that answers a conversation, each time."""


class Player(Protocol):
    """Gives the answers of a script."""

    async def answer(self, messages: Sequence[LLMMessage], cancellation_token: CancellationToken | None) -> Answer:
        """The answer to this conversation."""
        ...

    def rewind(self) -> None:
        """Begin again."""
        ...


class ListPlayer:
    """Gives answers one after another."""

    def __init__(self, answers: Sequence[Answer | Exception]) -> None:
        self._answers = answers
        self._next = 0

    async def answer(self, messages: Sequence[LLMMessage], cancellation_token: CancellationToken | None) -> Answer:  # noqa: ARG002 - the answers are fixed
        """The next answer.

        Raises:
            ValueError: All answers are given.
        """
        if self._next >= len(self._answers):
            # The beginning is AutoGen's text, which programs compare.
            count = len(self._answers)
            raise ValueError(
                f"No more mock responses available: all {count} of the replay client are used. A team that runs longer "
                "than planned mostly lacks a termination condition or max_turns."
            )
        answer = self._answers[self._next]
        self._next += 1
        if isinstance(answer, Exception):
            raise answer
        return answer

    def rewind(self) -> None:
        """Begin with the first answer again."""
        self._next = 0


class FunctionPlayer:
    """Calls a function for each answer."""

    def __init__(self, function: Callable[[Sequence[LLMMessage]], Answer | Awaitable[Answer]]) -> None:
        self._function = function

    async def answer(self, messages: Sequence[LLMMessage], cancellation_token: CancellationToken | None) -> Answer:
        """The answer of the function."""
        answer = self._function(messages)
        if not inspect.isawaitable(answer):
            return answer
        task = asyncio.ensure_future(answer)
        if cancellation_token is not None:
            cancellation_token.link_future(task)
        return await task

    def rewind(self) -> None:
        """Do nothing: the function keeps its own count."""


def count_words(messages: Sequence[LLMMessage]) -> int:
    """The words in messages: of text, of arguments of tool calls and of their results. Images have none."""
    return sum(map(_words_in_message, messages))


def words_in(content: str | Sequence[object]) -> int:
    """The words in the content of a message or of an answer."""
    if isinstance(content, str):
        return len(content.split())
    return sum(map(_words_in_part, content))


def _words_in_message(message: LLMMessage) -> int:
    if isinstance(message, FunctionExecutionResultMessage):
        return sum(words_in(result.content) for result in message.content)
    return words_in(message.content)


def _words_in_part(part: object) -> int:
    if isinstance(part, FunctionCall):
        return len(part.arguments.split())
    return len(part.split()) if isinstance(part, str) else 0
