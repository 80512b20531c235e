"""The options of the verbs, each with the words that ``--help`` shows.

typer checks no paths and no names here: what is wrong with one has a message and a status of its own. What another part
of the project decides (defaults, names) is written out, since asking for it would import that part; a test compares.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

from typer import Argument, Option

SANDBOXES = "auto, docker, bubblewrap or namespaces; or local, which is this machine, unprotected"

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
    str | None,
    Option(
        "--task",
        metavar="NAME",
        help="A bundled task, with its data: sales, products or sorting.",
        show_default="sales",
    ),
]
Sandbox: TypeAlias = Annotated[str, Option("--sandbox", metavar="NAME", help=f"Where the code runs: {SANDBOXES}.")]
SandboxToSetUp: TypeAlias = Annotated[
    str, Option("--sandbox", metavar="NAME", help="Which sandbox to make ready; auto: each that this machine can run.")
]
MaxMessages: TypeAlias = Annotated[
    int | None, Option("--max-messages", min=1, metavar="N", help="Messages of the agents.", show_default="40")
]
Timeout: TypeAlias = Annotated[
    float | None, Option("--timeout", min=1, metavar="S", help="Seconds of the whole run.", show_default="900")
]
MaxTokens: TypeAlias = Annotated[
    int | None,
    Option("--max-tokens", min=1, metavar="N", help="Tokens of all model calls.", show_default="no limit"),
]
TimeLimit: TypeAlias = Annotated[
    float | None, Option("--time-limit", min=1, metavar="S", help="Seconds of one program.", show_default="60")
]
Memory: TypeAlias = Annotated[
    str | None, Option("--memory", metavar="SIZE", help="Memory of one program: 800M, 2G.", show_default="512M")
]
Disk: TypeAlias = Annotated[
    str | None,
    Option("--disk", metavar="SIZE", help="Files that one program may write, held in memory.", show_default="64M"),
]
Processes: TypeAlias = Annotated[
    int | None,
    Option("--processes", min=1, metavar="N", help="Processes and threads of one program.", show_default="64"),
]
Cpus: TypeAlias = Annotated[
    float | None, Option("--cpus", min=0.1, metavar="N", help="Processors of one program.", show_default="1")
]
