from __future__ import annotations

from dataclasses import dataclass

from symposia.core.exceptions import InvalidArgumentError


@dataclass(frozen=True, kw_only=True, slots=True)
class SwarmLimits:
    """When a run ends without an answer.

    Attributes:
        max_messages: Messages of the agents.
        timeout: Seconds of the whole run, the setting-up of the sandbox not counted.
        max_tokens: Tokens of all model calls together, in and out; None for no limit.

    Raises:
        InvalidArgumentError: A limit is not above zero.
    """

    max_messages: int = 40
    timeout: float = 900.0
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        for name, limit in (
            ("max_messages", self.max_messages),
            ("timeout", self.timeout),
            ("max_tokens", self.max_tokens),
        ):
            if limit is not None and limit <= 0:
                raise InvalidArgumentError(f"{name} is {limit}, and has to be above 0.")
