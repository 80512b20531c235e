from __future__ import annotations

from pydantic import Field

from symposia.agentchat.base import TaskResult
from symposia.core.models import RequestUsage


class TeamResult(TaskResult):
    """How a team's run ended, and all the tokens that it took.

    Attributes:
        silent_usage: Tokens that stand in no message: those of choosing the speakers, here and in nested teams, unless
            the team emits its own events, which carry them.
    """

    silent_usage: RequestUsage = Field(RequestUsage(prompt_tokens=0, completion_tokens=0), repr=False)

    @property
    def usage(self) -> RequestUsage:
        """Every token of the run: those of its messages and the silent ones."""
        counted = [message.models_usage for message in self.messages if message.models_usage is not None]
        return sum_usage([*counted, self.silent_usage])


def sum_usage(usages: list[RequestUsage]) -> RequestUsage:
    """All of them together."""
    return RequestUsage(
        prompt_tokens=sum(usage.prompt_tokens for usage in usages),
        completion_tokens=sum(usage.completion_tokens for usage in usages),
    )
