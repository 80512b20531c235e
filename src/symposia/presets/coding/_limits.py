from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from symposia.core.code_executor import MIB, RunStatus, SandboxPolicy
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


LIMIT_OPTIONS: Final[dict[RunStatus, str]] = {
    "timeout": "--time-limit S",
    "out_of_memory": "--memory SIZE",
    "disk_full": "--disk SIZE",
}
"""How the command line raises the limit that ended a program."""


def limit_met(status: RunStatus, policy: SandboxPolicy) -> str:
    """Name the limit that ended a program, with its value; nothing where none did."""
    match status:
        case "timeout":
            return f"the time limit of {policy.time_limit:g} s"
        case "out_of_memory":
            return f"the memory limit of {_mib(policy.memory_bytes)}"
        case "disk_full":
            return f"the disk limit of {_mib(policy.work_bytes)} (or {policy.work_inodes:,} files)"
        case "output_limit":
            return f"the output limit of {_mib(policy.output_limit_bytes)}"
        case _:
            return ""


def _mib(size: int) -> str:
    return f"{size / MIB:,.4g} MiB"
