from collections.abc import Awaitable, Callable
from typing import TypeAlias

from pydantic import BaseModel, ConfigDict

from symposia.core.models import LLMMessage


class ApprovalRequest(BaseModel):
    """May this code run?

    Attributes:
        code: The blocks, as Markdown.
        context: The conversation that led to them, where the agent wrote them itself.
    """

    model_config = ConfigDict(defer_build=True)

    code: str
    context: list[LLMMessage]


class ApprovalResponse(BaseModel):
    """The answer to an `ApprovalRequest`: it holds for exactly that code, once.

    Attributes:
        approved: Whether the code may run.
        reason: Why, or why not; the agent's conversation is told of a refusal.
    """

    model_config = ConfigDict(defer_build=True)

    approved: bool
    reason: str


SyncApprovalFunc: TypeAlias = Callable[[ApprovalRequest], ApprovalResponse]
AsyncApprovalFunc: TypeAlias = Callable[[ApprovalRequest], Awaitable[ApprovalResponse]]
ApprovalFuncType: TypeAlias = SyncApprovalFunc | AsyncApprovalFunc
"""Decides about code. A plain function runs in a thread, so it may ask a person."""
