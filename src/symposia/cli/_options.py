"""The options of `symposia run`, each with the words that ``--help`` shows.

typer checks no paths here (``readable=False``): what is wrong with one has a message and a status of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

from typer import Argument, Option

from symposia.cli._sandboxes import SandboxName
from symposia.presets.coding import BundledName

TaskText: TypeAlias = Annotated[
    str | None, Argument(metavar="TASK", help="What to do, in plain words. Without it, a bundled task runs.")
]
DataFiles: TypeAlias = Annotated[
    list[Path] | None,
    Option("--data", metavar="FILE", readable=False, help="A file for the code to read. May be given several times."),
]
OutFolder: TypeAlias = Annotated[
    Path | None,
    Option(
        "--out",
        metavar="DIR",
        readable=False,
        help="A new folder for the results.",
        show_default="symposia-runs/<time>-<task>",
    ),
]
Model: TypeAlias = Annotated[
    str | None,
    Option("--model", metavar="M", help="gpt-…, claude-…, or vendor/name.", show_default="by the key that is set"),
]
PlannerModel: TypeAlias = Annotated[
    str | None, Option("--planner-model", metavar="M", help="For the planner.", show_default="as --model")
]
ReviewerModel: TypeAlias = Annotated[
    str | None, Option("--reviewer-model", metavar="M", help="For the reviewer.", show_default="as --model")
]
Bundled: TypeAlias = Annotated[
    BundledName | None, Option("--task", help="A bundled task, with its data.", show_default=BundledName.SALES)
]
Sandbox: TypeAlias = Annotated[
    SandboxName, Option("--sandbox", help="Where the code runs. local is this machine, unprotected.")
]
MaxMessages: TypeAlias = Annotated[int, Option("--max-messages", min=1, metavar="N", help="Messages of the agents.")]
Timeout: TypeAlias = Annotated[float, Option("--timeout", min=1, metavar="S", help="Seconds of the whole run.")]
MaxTokens: TypeAlias = Annotated[
    int | None,
    Option("--max-tokens", min=1, metavar="N", help="Tokens of all model calls.", show_default="no limit"),
]
