"""The Magentic-One team behind ``symposia magentic``: files, the web and code, led by an orchestrator.

::

    task = MagenticTask(text="How many of these orders were late?", data=(Path("orders.csv"),))
    run = await run_magentic(task, model=model_named("gpt-5.5"), sandbox=AutoBackend(), folder=Path("out"))
    print(run.answer)
"""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.presets.magentic._bundled import RECORDED_NOTE, BundledMagenticTask, bundled_magentic_task
from symposia.presets.magentic._folder import MagenticFolder
from symposia.presets.magentic._outcome import MagenticOutcome, MagenticRun
from symposia.presets.magentic._run import MagenticLimits, MagenticTask, WebAccess, run_magentic

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = [
    "RECORDED_NOTE",
    "BundledMagenticTask",
    "MagenticFolder",
    "MagenticLimits",
    "MagenticOutcome",
    "MagenticRun",
    "MagenticTask",
    "WebAccess",
    "bundled_magentic_task",
    "run_magentic",
]
