"""Questions to a person: what is asked, the functions that ask, and what their replies mean."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal, Self, TypeAlias, cast

from pydantic import BaseModel, JsonValue
from typing_extensions import TypeVar

from symposia.core._cancellation_token import CancellationToken, cancelled_by
from symposia.core._worker_threads import call_function
from symposia.core.effects._kind import EffectKind, EffectRequest
from symposia.core.effects._terminal import BUILTIN_INPUT, ask_on_terminal
from symposia.core.exceptions import ArgumentTypeError, HumanInputError, InputEndedError
from symposia.core.terminal_text import printable

_CONSENT: Final = frozenset({"y", "yes", "ok", "okay", "approve", "approved", "go", "go ahead"})
_BARE_REFUSAL: Final = frozenset({"", "n", "no"})

_PASSES: Final = 32
"""Passes of the event loop before a person is asked, in which the reader of a team's stream shows what was said before.

An item takes three passes for each level of nested teams (measured), so this is enough for ten levels. Together they
take a tenth of a millisecond. Without them, the question stands between a message and its header, or before the message
that it is about. A timer was rejected: functions that decide without a person would be slow. A `UserInputManager` waits
for the reader itself, however slow it is.
"""


class HumanRequest(EffectRequest):
    """A question to a person, as effect handlers see it.

    Attributes:
        prompt: The question.
        approval_of: The object of an approval, exactly: code, or a tool call with its arguments. None asks for an
            answer in words.
    """

    kind: Literal["human"] = "human"
    prompt: str
    approval_of: JsonValue = None


class HumanAnswer(BaseModel, defer_build=True):
    """The answer of a person.

    Attributes:
        text: The answer in words; of an approval, its reason.
        approved: Whether it was approved; None where nothing was to be.
    """

    text: str
    approved: bool | None = None


HUMAN_EFFECT = EffectKind("human", HumanRequest, HumanAnswer)


class HumanQuestion(str):  # noqa: SLOT000 - it has attributes, and so have its subclasses
    """A question to a person: a text, which a function can print, send or give to `input`.

    Control characters in the text are replaced by their pictures (`symposia.core.terminal_text`), since models write
    parts of it. `approval_of` is unchanged.

    A `str`, so that AutoGen's functions, which take a prompt, are functions for questions of every kind.

    Args:
        text: The question.
        approval_of: See the attribute.
        source: See the attribute.

    Attributes:
        approval_of: The object of an approval, exactly, as JSON. None asks for an answer in words.
        source: The name of the agent that asks; None if the question is not that of an agent.
    """

    approval_of: JsonValue
    source: str | None

    def __new__(cls, text: str, *, approval_of: JsonValue = None, source: str | None = None) -> Self:
        question = super().__new__(cls, printable(text))
        question.approval_of = approval_of
        question.source = source
        return question

    def __reduce__(self) -> tuple[Any, ...]:  # Any: as in `object`
        # By default, a copy would be made by `__new__` with the text alone, which subclasses make themselves.
        return str.__new__, (type(self), str(self)), dict(vars(self))

    def argument_of(self, function: Callable[..., object]) -> object:  # noqa: ARG002 - for questions that depend on it
        """What a function is given: this question. A subclass may have another form of it for some functions."""
        return self

    def read_reply(self, reply: object) -> HumanAnswer:
        """What the reply of a function means.

        Where words are asked for, the reply is a text or a `HumanAnswer`. Where an approval is, it is True, False, a
        `HumanAnswer` with `approved`, or a text. A text approves if it is "y", "yes", "ok", "okay", "approve",
        "approved", "go" or "go ahead", in any case. Any other text refuses. It is the reason, unless it is empty, "n"
        or "no". Text that merely contains such a word refuses, since "yes, but only 5" consents to something else.

        Raises:
            ArgumentTypeError: The reply is something else.
        """
        if isinstance(reply, HumanAnswer):
            if self.approval_of is None or reply.approved is not None:
                return reply
            reply = reply.text
        if isinstance(reply, str):
            return HumanAnswer(text=str(reply)) if self.approval_of is None else _approval(str(reply))
        if isinstance(reply, bool) and self.approval_of is not None:
            return HumanAnswer(text="", approved=reply)
        wanted = "a str" if self.approval_of is None else "True, False, a str"
        raise ArgumentTypeError(f"the reply is {reply!r}, and has to be {wanted} or a HumanAnswer")


def _approval(text: str) -> HumanAnswer:
    words = " ".join(text.split()).rstrip(" .!").lower()
    return HumanAnswer(text="" if words in _BARE_REFUSAL else text, approved=words in _CONSENT)


QuestionT = TypeVar("QuestionT", default=HumanQuestion)
HumanReply: TypeAlias = str | bool | HumanAnswer
"""The reply of a function that asks; `HumanQuestion.read_reply` says what it means."""

HumanFunction: TypeAlias = (
    Callable[[QuestionT], HumanReply | Awaitable[HumanReply]]
    | Callable[[QuestionT, CancellationToken | None], HumanReply | Awaitable[HumanReply]]
)
"""A function of the application that asks a person.

A plain function runs in a worker thread; it cannot be stopped, and its reply after a cancellation is dropped. A
coroutine function is awaited and cancelled. Python's `input` asks on the terminal, as `ask_on_terminal` does.

A second parameter receives the cancellation token if it has no default, or if its default is None and the function is a
coroutine function, as in AutoGen.
"""


async def ask_human(
    function: HumanFunction[Any],  # Any: the question's class is that of the caller
    question: str,
    cancellation_token: CancellationToken | None = None,
    *,
    approval_of: JsonValue = None,
) -> HumanAnswer:
    """Ask a person, as an idempotent effect: a run that is resumed may ask again.

    Args:
        function: Asks.
        question: The question. A text becomes a `HumanQuestion`.
        cancellation_token: Cancelling it ends the question.
        approval_of: The object of an approval, for a question that is a text.

    Returns:
        The answer. A person has approved only if its `approved` is True; None answers a question for words.

    Raises:
        InputEndedError: The function raised `EOFError`: there is no more input.
        HumanInputError: The function raised another error, or returned something that is no answer.
        asyncio.CancelledError: The token or the task was cancelled.
    """
    asked = question if isinstance(question, HumanQuestion) else HumanQuestion(question, approval_of=approval_of)

    async def ask() -> HumanAnswer:
        try:
            return asked.read_reply(await call_human_function(function, asked, cancellation_token))
        except asyncio.CancelledError as error:
            if _is_cancelled(cancellation_token):
                raise
            raise _failed(asked, error) from error
        except Exception as error:
            raise _failed(asked, error) from error

    with cancelled_by(cancellation_token or CancellationToken()):
        return await HUMAN_EFFECT.perform(
            lambda: HumanRequest(prompt=str(asked), approval_of=asked.approval_of), ask, idempotency="idempotent"
        )


async def call_human_function(
    function: HumanFunction[Any],  # Any: as in `ask_human`
    question: str,
    cancellation_token: CancellationToken | None = None,
) -> object:
    """Call a function that asks, and return its reply unchecked.

    For a function around another one that is itself called by `ask_human`, which makes the effect and reads the reply.

    Raises:
        Exception: The error of the function.
    """
    for _ in range(_PASSES):
        await asyncio.sleep(0)
    if function is BUILTIN_INPUT:
        return await ask_on_terminal(question)
    argument = question.argument_of(function) if isinstance(question, HumanQuestion) else question
    if _takes_token(function):
        return await call_function(cast("Callable[..., object]", function), argument, cancellation_token)
    return await call_function(cast("Callable[..., object]", function), argument)


def _takes_token(function: Callable[..., object]) -> bool:
    """Whether the second argument of a function is the token.

    A plain function may have a parameter with a default for something else, as ``lambda prompt, user=user: …`` has.
    Whether it can be called with two arguments is no criterion: that user would be replaced by the token.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # built in, and without a signature
        return False
    is_coroutine = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)
    if any(each.kind is each.VAR_POSITIONAL for each in parameters[:2]):
        return is_coroutine
    positional = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    defaults = [each.default for each in parameters[1:2] if each.kind in positional]
    return defaults == [inspect.Parameter.empty] or (defaults == [None] and is_coroutine)


def _is_cancelled(token: CancellationToken | None) -> bool:
    """Whether the cancellation is that of the question, and not of something that the function awaited."""
    task = asyncio.current_task()
    return (token is not None and token.is_cancelled()) or task is None or task.cancelling() > 0


def _failed(question: HumanQuestion, error: BaseException) -> HumanInputError:
    first_line, _, _ = question.partition("\n")
    where = f"agent '{question.source}'" if question.source else f"the question: {first_line}"
    if isinstance(error, EOFError):
        reason = str(error) or "the input ended without an answer"
        return InputEndedError(f"Failed to get user input: {reason} ({where})")
    reason = str(error) or type(error).__name__
    return HumanInputError(f"Failed to get user input: {reason} ({where})")
