"""Conditions that count: messages, and tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symposia.agentchat import base
from symposia.agentchat._arguments import check_number
from symposia.agentchat.conditions._condition import StatefulCondition
from symposia.agentchat.messages import BaseChatMessage, Messages
from symposia.core.argument_checks import check_flag
from symposia.core.exceptions import InvalidArgumentError


@dataclass
class _Messages:
    """How many messages a run has had."""

    count: int = 0


@dataclass
class _Tokens:
    """How many tokens a run has taken."""

    prompt: int = 0
    completion: int = 0


class MaxMessageTermination(StatefulCondition[_Messages]):
    """Ends a run after a number of messages; those of its task count.

    Args:
        max_messages: How many.
        include_agent_event: Whether events count too.

    Raises:
        ArgumentTypeError: `max_messages` is no number, or `include_agent_event` no flag.
    """

    def __init__(self, max_messages: int, include_agent_event: bool = False) -> None:
        super().__init__(_Messages)
        check_number("max_messages", max_messages)
        check_flag("include_agent_event", "a MaxMessageTermination", include_agent_event)
        self._max_messages = max_messages
        self._include_agent_event = include_agent_event

    def check_outline(self, team: base.TeamProfile) -> base.ConditionOutline:
        """Met when the turns have added that many messages to the one of the task."""
        left, most = max(1, self._max_messages - 1), team.messages.high
        earliest = 1 if most is None or self._include_agent_event else -(-left // most)
        return base.ConditionOutline(turns=base.Bounds(earliest, -(-left // team.messages.low)), is_certain=True)

    async def look(self, messages: Messages) -> str | None:
        """Count."""
        counted = messages if self._include_agent_event else [m for m in messages if isinstance(m, BaseChatMessage)]
        self.state.count += len(counted)
        if self.state.count < self._max_messages:
            return None
        return f"Maximum number of messages {self._max_messages} reached, current message count: {self.state.count}"


class TokenUsageTermination(StatefulCondition[_Tokens]):
    """Ends a run when it has taken a number of tokens: those of its messages, and those of selecting its speakers.

    Args:
        max_total_token: In prompts and completions together.
        max_prompt_token: In prompts.
        max_completion_token: In completions.

    Raises:
        ArgumentTypeError: One is no number.
        InvalidArgumentError: None of them is given.
    """

    def __init__(
        self,
        max_total_token: int | None = None,
        max_prompt_token: int | None = None,
        max_completion_token: int | None = None,
    ) -> None:
        super().__init__(_Tokens)
        if max_total_token is None and max_prompt_token is None and max_completion_token is None:
            raise InvalidArgumentError(
                "At least one of max_total_token, max_prompt_token, or max_completion_token must be provided"
            )
        limits = {
            "max_total_token": max_total_token,
            "max_prompt_token": max_prompt_token,
            "max_completion_token": max_completion_token,
        }
        for name, limit in limits.items():
            if limit is not None:
                check_number(name, limit)
        self._max_total = max_total_token
        self._max_prompt = max_prompt_token
        self._max_completion = max_completion_token

    @classmethod
    def _to_autogen(cls, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """Each limit, since AutoGen requires all of them to be there, if only as None."""
        return {"max_total_token": None, "max_prompt_token": None, "max_completion_token": None, **config}

    def check_outline(self, team: base.TeamProfile) -> base.ConditionOutline:  # noqa: ARG002 - every team uses tokens
        """Met when the tokens are used up; how many in all, only where there is a limit of the total."""
        return base.ConditionOutline(tokens=self._max_total, is_certain=True)

    async def look(self, messages: Messages) -> str | None:
        """Add up."""
        for usage in (message.models_usage for message in messages):
            if usage is not None:
                self.state.prompt += usage.prompt_tokens
                self.state.completion += usage.completion_tokens
        total = self.state.prompt + self.state.completion
        if not (
            _reached(total, self._max_total)
            or _reached(self.state.prompt, self._max_prompt)
            or _reached(self.state.completion, self._max_completion)
        ):
            return None
        return (
            f"Token usage limit reached, total token count: {total}, prompt token count: {self.state.prompt}, "
            f"completion token count: {self.state.completion}."
        )


def _reached(count: int, limit: int | None) -> bool:
    return limit is not None and count >= limit
