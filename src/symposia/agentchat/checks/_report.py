"""The report of a check: findings and forecast, as data and as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from symposia.agentchat.base import Finding, Task, Team, TeamOutline, task_messages
from symposia.agentchat.checks._findings import team_findings
from symposia.agentchat.checks._forecast import ANSWER_TOKENS, Forecast, forecast
from symposia.agentchat.checks._prompts import Prompts
from symposia.core.exceptions import UsageError
from symposia.core.models import TokenPrice, estimate_tokens


class TeamCheckError(UsageError):
    """A check has found errors in a team.

    Attributes:
        check: The whole report.
    """

    def __init__(self, check: TeamCheck) -> None:
        super().__init__("\n".join(map(str, check.errors)))
        self.check = check


class TeamCheck(BaseModel):
    """The result of a check. `str()` gives the report as text, and `model_dump_json` as JSON.

    Attributes:
        team: The name of the team.
        findings: The errors, then the warnings, then the notes.
        forecast: The forecast of a run; None for a team without an outline.
    """

    model_config = ConfigDict(frozen=True)

    team: str
    findings: Sequence[Finding]
    forecast: Forecast | None

    @property
    def errors(self) -> Sequence[Finding]:
        """The findings that are errors."""
        return [finding for finding in self.findings if finding.severity == "error"]

    def raise_for_errors(self) -> None:
        """Raise an error if there are findings that are errors.

        Raises:
            TeamCheckError: There are errors. Its text lists them.
        """
        if self.errors:
            raise TeamCheckError(self)

    def summary(self) -> str:
        """The number of findings and the forecast, in one line."""
        counts = [(sum(each.severity == kind for each in self.findings), kind) for kind in ("error", "warning", "note")]
        found = ", ".join(f"{count} {kind}{'s' if count > 1 else ''}" for count, kind in counts if count)
        return f"{found or 'nothing found'}{'' if self.forecast is None else f'; {self.forecast}'}"

    def __str__(self) -> str:
        return "\n".join([f"Team {self.team!r}: {self.summary()}", *self.details()])

    def details(self) -> Iterator[str]:
        """The findings, one a line, and the assumptions of the forecast."""
        for finding in self.findings:
            yield f"  {finding}"
        if self.forecast is None:
            return
        yield f"  A turn takes {self.forecast.per_turn}, if an answer has {self.forecast.answer_tokens} tokens."
        if self.forecast.per_run.repeated_tokens:
            repeated = self.forecast.per_run.repeated_tokens
            yield f"  Up to {repeated:,} of the tokens repeat the prompt before, which vendors charge less for."
        for model, agents in self.forecast.unknown_prices.items():
            yield f"  The price of {model} ({', '.join(agents)}) is not known: give it as prices={{{model!r}: …}}."
        if self.forecast.unknown_agents:
            yield f"  Not counted, since it is not known what they ask: {', '.join(self.forecast.unknown_agents)}."


def check_team(
    team: Team,
    task: Task = None,
    *,
    answer_tokens: tuple[int, int] = ANSWER_TOKENS,
    prices: Mapping[str, TokenPrice] | None = None,
) -> TeamCheck:
    """Check a team before it runs, without asking a model. See `BaseGroupChat.check`."""
    outline = team.check_outline()
    if outline is None:
        return TeamCheck(team=team.name, findings=(), forecast=None)
    return check_outline(outline, task, answer_tokens=answer_tokens, prices=prices)


def check_outline(
    outline: TeamOutline,
    task: Task,
    *,
    answer_tokens: tuple[int, int] = ANSWER_TOKENS,
    prices: Mapping[str, TokenPrice] | None = None,
) -> TeamCheck:
    """Check the outline of a team."""
    given, prompts = estimate_tokens([message.to_model_message() for message in task_messages(task)]), Prompts()
    return TeamCheck(
        team=outline.name,
        findings=team_findings(outline, prompts, given),
        forecast=forecast(outline, prompts, given, answer_tokens=answer_tokens, prices=prices),
    )
