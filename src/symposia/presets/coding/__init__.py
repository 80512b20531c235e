"""The coding swarm behind ``symposia run``: planner, coder, executor and reviewer, from a task to checked results.

result = await run_coding_swarm(
    CodingTask(text="Plot sales.csv by month", data=(Path("sales.csv"),)),
    models=SwarmModels(planner=model, coder=model, reviewer=model),
    sandbox=backend,
)
"""

from symposia.presets.coding._folder import RunFolder, RunFolderError, check_run_folder, default_run_folder
from symposia.presets.coding._models import (
    MissingKeyError,
    NamedModel,
    SwarmModels,
    UnknownVendorError,
    default_model_name,
    model_named,
)
from symposia.presets.coding._prompts import Plan, Review
from symposia.presets.coding._recorded import (
    BundledName,
    BundledTask,
    RecordedChatCompletionClient,
    RecordedReply,
    RecordingError,
    bundled_task,
)
from symposia.presets.coding._result import AgentUsage, CodingResult, Outcome
from symposia.presets.coding._rule import CodingRule, next_step
from symposia.presets.coding._swarm import SwarmLimits, run_coding_swarm
from symposia.presets.coding._task import CodingTask, DataFileError, EmptyTaskError, check_data_files

__all__ = [
    "AgentUsage",
    "BundledName",
    "BundledTask",
    "CodingResult",
    "CodingRule",
    "CodingTask",
    "DataFileError",
    "EmptyTaskError",
    "MissingKeyError",
    "NamedModel",
    "Outcome",
    "Plan",
    "RecordedChatCompletionClient",
    "RecordedReply",
    "RecordingError",
    "Review",
    "RunFolder",
    "RunFolderError",
    "SwarmLimits",
    "SwarmModels",
    "UnknownVendorError",
    "bundled_task",
    "check_data_files",
    "check_run_folder",
    "default_model_name",
    "default_run_folder",
    "model_named",
    "next_step",
    "run_coding_swarm",
]
