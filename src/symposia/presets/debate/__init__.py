"""The debate behind ``symposia debate``: an advocate for each position, a critic and a moderator.

::

    task = DebateTask(question="Kafka or a nightly batch?", positions=(Position("kafka", "…"), Position("batch", "…")))
    run = await run_debate(task, models=dict.fromkeys(task.agents, model_named("gpt-5.5")))
    print(run.result.decision, run.result.dissent)
"""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.presets.debate._bundled import BundledDebate, BundledDebateName, bundled_debate
from symposia.presets.debate._outcome import DebateOutcome, DebateRun
from symposia.presets.debate._pages import RECORDED_NOTE, chart, chart_as_markdown, decision_page
from symposia.presets.debate._run import DebateFolder, DebateLimits, debate_team, run_debate
from symposia.presets.debate._task import MODERATOR, DebateTask, DebateTaskError, position_from

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = [
    "MODERATOR",
    "RECORDED_NOTE",
    "BundledDebate",
    "BundledDebateName",
    "DebateFolder",
    "DebateLimits",
    "DebateOutcome",
    "DebateRun",
    "DebateTask",
    "DebateTaskError",
    "bundled_debate",
    "chart",
    "chart_as_markdown",
    "debate_team",
    "decision_page",
    "position_from",
    "run_debate",
]
