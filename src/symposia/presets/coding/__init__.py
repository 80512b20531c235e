"""The coding swarm behind ``symposia run``: planner, coder, executor and reviewer, from a task to checked results.

::

    result = await run_coding_swarm(
        CodingTask(text="Plot sales.csv by month", data=(Path("sales.csv"),)),
        models=SwarmModels(planner=model, coder=model, reviewer=model),
        sandbox=backend,
    )
"""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.presets._folder import RunFolderError
from symposia.presets._models import (
    AgentUsage,
    NamedModel,
    model_named,
)
from symposia.presets._recorded import RecordedChatCompletionClient, RecordedReply, RecordingError
from symposia.presets.coding._bundled import BundledName, BundledTask, bundled_task
from symposia.presets.coding._folder import RunFolder
from symposia.presets.coding._models import SwarmModels
from symposia.presets.coding._outcome import CodingOutcome
from symposia.presets.coding._pages import RECORDED_NOTE
from symposia.presets.coding._prompts import Plan, Review
from symposia.presets.coding._result import CodingResult
from symposia.presets.coding._rule import CodingRule
from symposia.presets.coding._swarm import SwarmLimits, run_coding_swarm
from symposia.presets.coding._task import CodingTask, DataFileError, EmptyTaskError

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = [
    "RECORDED_NOTE",
    "AgentUsage",
    "BundledName",
    "BundledTask",
    "CodingOutcome",
    "CodingResult",
    "CodingRule",
    "CodingTask",
    "DataFileError",
    "EmptyTaskError",
    "NamedModel",
    "Plan",
    "RecordedChatCompletionClient",
    "RecordedReply",
    "RecordingError",
    "Review",
    "RunFolder",
    "RunFolderError",
    "SwarmLimits",
    "SwarmModels",
    "bundled_task",
    "model_named",
    "run_coding_swarm",
]
