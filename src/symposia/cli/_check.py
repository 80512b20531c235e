"""The check of a team as a verb prints it before the run."""

from __future__ import annotations

from symposia.agentchat.checks import TeamCheck
from symposia.core.terminal_text import printable


def check_lines(check: TeamCheck, *, recorded: bool = False) -> list[str]:
    """The lines that a verb prints before it runs a team: the forecast, and the errors and warnings.

    A verb gives the lines to `View.tell` once the team is made::

        view.tell(check_lines(team.check(task), recorded=models.recorded))

    Args:
        check: The result of `team.check()`.
        recorded: Whether the models' answers are recorded. The forecast is then left out.
    """
    lines: list[str] = []
    if check.forecast is not None and not recorded:
        unpriced = ", ".join(check.forecast.unknown_prices)
        lines.append(f"Forecast: {check.forecast}{f' (the price of {unpriced} is not known)' if unpriced else ''}")
    lines += [str(finding) for finding in check.findings if finding.severity != "note"]
    return [printable(line) for line in lines]
