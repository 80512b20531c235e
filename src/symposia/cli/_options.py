"""The options and arguments of the verbs, as ``--help`` shows them.

As in `_app.py`, nothing but typer is imported, and names and defaults of other packages are repeated; a test compares
them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

from typer import Argument, BadParameter, Option

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
    Option(
        "--model",
        metavar="M",
        help="gpt-…, claude-…, vendor/name, or openai-compatible:ADDRESS/name.",
        show_default="SYMPOSIA_MODEL, or by the key that is set",
    ),
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
Attack: TypeAlias = Annotated[
    bool, Option("--attack", help="Attack the sandboxes, and show what they stop; takes some minutes.")
]
SandboxToCheck: TypeAlias = Annotated[
    str, Option("--sandbox", metavar="NAME", help="Which sandbox to check or attack; auto: each.")
]
SandboxToShow: TypeAlias = Annotated[
    str, Argument(metavar="NAME", help="docker, bubblewrap, namespaces or local; or one that a package offers.")
]
SandboxToMeasure: TypeAlias = Annotated[
    str, Option("--sandbox", metavar="NAME", help=f"Which sandbox to measure: {SANDBOXES}.")
]
Starts: TypeAlias = Annotated[int, Option("--starts", min=1, metavar="N", help="How many sandboxes to start.")]
Blocks: TypeAlias = Annotated[int, Option("--blocks", min=1, metavar="N", help="How many blocks of each sort to run.")]
AsJson: TypeAlias = Annotated[bool, Option("--json", help="Print JSON, with durations in milliseconds.")]
WithPackages: TypeAlias = Annotated[
    list[str] | None,
    Option(
        "--with",
        metavar="PACKAGE",
        help="A package that the code may import, as scipy or scipy==1.14; installed before the sandbox starts. With a "
        "slash, as in ./wheels: the folder where wheels are searched. May be given several times.",
        show_default="numpy, pandas and matplotlib are there",
    ),
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
    Option("--processes", min=4, metavar="N", help="Processes and threads of one program.", show_default="64"),
]
Cpus: TypeAlias = Annotated[
    float | None, Option("--cpus", min=0.01, metavar="N", help="Processors of one program.", show_default="1")
]
AllowHost: TypeAlias = Annotated[
    list[str] | None,
    Option(
        "--allow-host",
        metavar="HOST",
        help="A host that the code may connect to, as api.test, '*.example.com' or example.com:8443; ports 80 and 443 "
        "where none is named. Addresses that are not public are refused. May be given several times.",
        show_default="no network",
    ),
]
AuditLog: TypeAlias = Annotated[
    Path | None,
    Option(
        "--audit-log",
        metavar="FILE",
        help="Gets a line of JSON for each program that ran, and for each connection that it tried.",
        show_default="none",
    ),
]

MagenticTaskText: TypeAlias = Annotated[
    str | None, Argument(metavar="TASK", help="What to do, in plain words. Without it, the bundled task runs.")
]
SharedFiles: TypeAlias = Annotated[
    list[Path] | None,
    Option("--data", metavar="FILE", readable=False, help="A file for the agents. May be given several times."),
]
MaxTurns: TypeAlias = Annotated[
    int | None, Option("--max-turns", min=1, metavar="N", help="Turns of the agents.", show_default="20")
]
MaxStalls: TypeAlias = Annotated[
    int | None,
    Option("--max-stalls", min=1, metavar="N", help="Stalls that lead to a new plan.", show_default="3"),
]
StartPage: TypeAlias = Annotated[
    str | None, Option("--start-page", metavar="URL", help="The browser's first page.", show_default="a search")
]
PrivateHosts: TypeAlias = Annotated[
    list[str] | None,
    Option(
        "--private-host",
        metavar="HOST",
        help="A host with a private address that the browser may visit, as wiki.local or 10.0.0.5:8080. May be given "
        "several times.",
        show_default="public addresses only",
    ),
]
ReviewPlan: TypeAlias = Annotated[bool, Option("--review-plan", help="Ask you to approve each plan.")]

Question: TypeAlias = Annotated[
    str | None, Argument(metavar="QUESTION", help="What to decide. Without it, a bundled debate runs.")
]
Positions: TypeAlias = Annotated[
    list[str] | None,
    Option("--position", metavar="TEXT", help="A position, as NAME: TEXT. It gets an advocate; give two or more."),
]
OpenPositions: TypeAlias = Annotated[
    list[str] | None,
    Option("--open-position", metavar="TEXT", help="A position without an advocate. May be given several times."),
]
Example: TypeAlias = Annotated[
    str | None,
    Option("--example", metavar="NAME", help="A bundled debate: ingestion or database.", show_default="ingestion"),
]
ModeratorModel: TypeAlias = Annotated[
    str | None, Option("--moderator-model", metavar="M", help="For the moderator.", show_default="as --model")
]
Rounds: TypeAlias = Annotated[
    int | None, Option("--rounds", min=1, metavar="N", help="The most rounds.", show_default="5")
]
Independent: TypeAlias = Annotated[
    int | None,
    Option("--independent", min=0, metavar="N", help="First rounds in which statements are hidden.", show_default="1"),
]


def _checked_share(share: float | None) -> float | None:
    if share is not None and not 0 < share <= 1:
        example = f"{share / 100:g} for {share:g} %" if 1 < share <= 100 else "0.8 for four of five"  # noqa: PLR2004 - percent
        raise BadParameter(f"{share:g} is no share of the votes. Give a number above 0 and at most 1: {example}.")
    return share


Quorum: TypeAlias = Annotated[
    float | None,
    Option(
        "--quorum",
        callback=_checked_share,
        metavar="SHARE",
        help="The share of the votes that decides: 0.8 for four of five.",
        show_default="consensus",
    ),
]

Script: TypeAlias = Annotated[
    Path | None,
    Option("--script", metavar="FILE", readable=False, help="What the people say, a line each; else you are asked."),
]
History: TypeAlias = Annotated[
    Path | None,
    Option("--history", metavar="FILE", readable=False, help="A file from which the conversation continues."),
]
Recorded: TypeAlias = Annotated[bool, Option("--example", help="Show a recorded conversation, without any model.")]
System: TypeAlias = Annotated[
    str | None, Option("--system", metavar="TEXT", help="The instructions of the assistant.", show_default="our own")
]
Docs: TypeAlias = Annotated[
    Path | None,
    Option("--docs", metavar="FOLDER", readable=False, help="Documents from which the assistant answers."),
]
ModelToShow: TypeAlias = Annotated[
    str | None, Argument(metavar="[NAME]", help="A model, as for --model; else the vendors are listed.")
]
Try: TypeAlias = Annotated[
    bool, Option("--try", help="Send the model one tiny request, which costs a few tokens; without NAME, the default.")
]
ModelsAsJson: TypeAlias = Annotated[bool, Option("--json", help="Print JSON.")]
ModelScript: TypeAlias = Annotated[
    Path, Argument(metavar="SCRIPT", readable=False, help="YAML: rules, and their answers.", show_default=False)
]
Served: TypeAlias = Annotated[
    str,
    Argument(
        metavar="FILE.json|FILE.py:NAME",
        help="A saved team, agent or workbench; or a team, tool or list of tools of a program.",
        show_default=False,
    ),
]
Host: TypeAlias = Annotated[str, Option("--host", metavar="H", help="The address to listen on.")]
Port: TypeAlias = Annotated[
    int, Option("--port", metavar="N", min=0, max=65535, help="The port.", show_default="a free one")
]
Lenient: TypeAlias = Annotated[bool, Option("--lenient", help="Answer requests too that the vendor would refuse.")]
MigratedPaths: TypeAlias = Annotated[
    list[Path],
    Argument(metavar="PATH...", readable=False, help="Programs, notebooks, component JSON; or folders of them."),
]
Yes: TypeAlias = Annotated[bool, Option("--yes", "-y", help="Write without asking.")]
DiffOnly: TypeAlias = Annotated[bool, Option("--diff", help="Show the changes, and write nothing.")]
Check: TypeAlias = Annotated[bool, Option("--check", help="Write nothing; exit with 1 if anything would change.")]
Report: TypeAlias = Annotated[
    bool, Option("--report", help="Say what would run as it is: missing names and known differences. Changes nothing.")
]
ReportAsJson: TypeAlias = Annotated[bool, Option("--json", help="With --report: print JSON.")]
To: TypeAlias = Annotated[
    str,
    Option(
        "--to",
        metavar="WHAT",
        help="v0.4: programs for AutoGen 0.2 are rewritten to the interface of 0.4 where that is certain; "
        "names: names only are changed.",
    ),
]
