"""A person's answers and approvals."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

from pydantic import BaseModel, JsonValue

from symposia.core.effects._kind import EffectKind, EffectRequest


class HumanRequest(EffectRequest):
    """A question to a person.

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


def ask_human(
    ask: Callable[[], Awaitable[HumanAnswer]], prompt: str, *, approval_of: JsonValue = None
) -> Awaitable[HumanAnswer]:
    """Ask a person, as an effect.

    Args:
        ask: Asks. Asking again does no harm.
        prompt: The question.
        approval_of: The object of an approval; see `HumanRequest`.
    """
    return HUMAN_EFFECT.perform(
        lambda: HumanRequest(prompt=prompt, approval_of=approval_of), ask, idempotency="idempotent"
    )
