"""The live view alone, on a console that records."""

import io

from rich.console import Console

from symposia.agentchat.messages import SelectSpeakerEvent
from symposia.cli._live_view import LiveView
from symposia.core.models import RequestUsage


def test_a_choice_of_no_speaker_leaves_the_line_of_status() -> None:
    console = Console(file=io.StringIO(), width=60, force_terminal=True, record=True)
    with LiveView(console) as view:
        view.note("bob works")
        view.show(SelectSpeakerEvent(content=[], source="manager", models_usage=RequestUsage(5, 1)))

    assert "bob works" in console.export_text()
