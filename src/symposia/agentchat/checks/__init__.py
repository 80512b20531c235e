"""Checks of a team before it runs, without asking a model: mistakes, and a forecast of tokens and money."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.agentchat.checks._forecast import ANSWER_TOKENS, Estimate, Forecast, Range
    from symposia.agentchat.checks._report import TeamCheck, TeamCheckError, check_team
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_forecast": ["ANSWER_TOKENS", "Estimate", "Forecast", "Range"],
            "_report": ["TeamCheck", "TeamCheckError", "check_team"],
        },
    )

__all__ = [
    "ANSWER_TOKENS",
    "Estimate",
    "Forecast",
    "Range",
    "TeamCheck",
    "TeamCheckError",
    "check_team",
]
