"""What is shown of a team's check before its run."""

import io

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.checks import TeamCheck
from symposia.agentchat.teams import RoundRobinGroupChat
from symposia.cli._check import check_lines
from symposia.cli._plain_view import PlainView
from symposia.ext.models.replay import ReplayChatCompletionClient


def check(max_turns: int | None = None) -> TeamCheck:
    writer = AssistantAgent("writer", ReplayChatCompletionClient([]), system_message="Write.")
    return RoundRobinGroupChat([writer], max_turns=max_turns).check()


def test_the_forecast_is_shown_and_what_may_be_wrong() -> None:
    forecast, error = check_lines(check())

    assert forecast.startswith("Forecast: a run takes 1 or more turns, ")
    assert error.startswith("error: RoundRobinGroupChat: No run ends by itself")


def test_with_recorded_models_there_is_no_forecast() -> None:
    assert check_lines(check(max_turns=3), recorded=True) == []
    assert len(check_lines(check(), recorded=True)) == 1


def test_the_plain_view_writes_the_lines_and_nothing_where_there_are_none() -> None:
    out = io.StringIO()
    view = PlainView(out)

    view.tell([])
    view.tell(["one", "two"])

    assert out.getvalue() == "one\ntwo\n\n"
