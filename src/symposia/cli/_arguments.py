"""The arguments of `symposia run` as they were given; see `_plan` for what they come to."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelNames:
    """The models that the command line names."""

    model: str | None = None
    planner: str | None = None
    reviewer: str | None = None

    @property
    def any(self) -> bool:
        """Whether it names one."""
        return bool(self.model or self.planner or self.reviewer)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunLimits:
    """When the run gives up; see `SwarmLimits`, whose defaults stand in for None."""

    max_messages: int | None = None
    timeout: float | None = None
    max_tokens: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ProgramLimits:
    """What one program may use; see `SandboxPolicy`, whose defaults stand in for None."""

    time_limit: float | None = None
    memory: str | None = None
    disk: str | None = None
    processes: int | None = None
    cpus: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RunArguments:
    """The command line as it was given; every field may be missing."""

    text: str | None = None
    data: tuple[Path, ...] = ()
    bundled: str | None = None
    models: ModelNames = field(default_factory=ModelNames)
    sandbox: str = "auto"
    run_limits: RunLimits = field(default_factory=RunLimits)
    program_limits: ProgramLimits = field(default_factory=ProgramLimits)
    out: Path | None = None
