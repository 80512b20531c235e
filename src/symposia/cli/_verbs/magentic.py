"""`symposia magentic`: its options and its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer
from typer import Argument, Option

from symposia.cli._exit import MEANING, Status, exit_statuses
from symposia.cli._verbs.options import MaxTokens, Model, OutFolder, Sandbox, Timeout
from symposia.cli._verbs.verb import TextVerb

MAGENTIC_MEANING: Final = {
    Status.VERIFIED: "answered: the orchestrator judged the task to be done",
    **{status: MEANING[status] for status in (Status.FAILED, Status.USAGE, Status.EMPTY_TASK, Status.DATA_FILE)},
    **{status: MEANING[status] for status in (Status.RUN_FOLDER, Status.UNKNOWN_VENDOR, Status.MISSING_KEY)},
    **{status: MEANING[status] for status in (Status.NO_SANDBOX, Status.MISSING_EXTRA, Status.MODEL_FAILED)},
    **{status: MEANING[status] for status in (Status.SANDBOX_DIED, Status.TIME_LIMIT, Status.TOKEN_LIMIT)},
    Status.TURN_LIMIT: "--max-turns reached; the answer is made of the results so far",
    Status.NOT_APPROVED: "the plan was not approved",
    Status.BROWSER_FAILED: "the browser does not start",
    Status.INTERRUPTED: MEANING[Status.INTERRUPTED],
}

TaskText: TypeAlias = Annotated[
    str | None, Argument(metavar="TASK", help="What to do, in plain words. Without it, the bundled task runs.")
]
DataFiles: TypeAlias = Annotated[
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

app = typer.Typer()


@app.command(epilog=exit_statuses(MAGENTIC_MEANING), cls=TextVerb, context_settings={"allow_extra_args": True})
def magentic(
    task: TaskText = None,
    data: DataFiles = None,
    model: Model = None,
    sandbox: Sandbox = "auto",
    start_page: StartPage = None,
    private_hosts: PrivateHosts = None,
    review_plan: ReviewPlan = False,
    max_turns: MaxTurns = None,
    max_stalls: MaxStalls = None,
    timeout: Timeout = None,
    max_tokens: MaxTokens = None,
    out: OutFolder = None,
) -> None:
    """Let a Magentic-One team work on a task: it plans, reads files, browses, and runs code in a sandbox.

    The ledger of progress, the stalls and the answer are shown. The answer, the files and the transcript are left in a
    folder. A task of your own needs the key of a vendor, such as OPENAI_API_KEY or ANTHROPIC_API_KEY. The bundled task
    needs no key: without --model, the model's answers are recorded.
    """
    from symposia.cli._magentic import MagenticArguments, magentic_and_show  # noqa: PLC0415 - imported when called

    magentic_and_show(
        MagenticArguments(
            task=task,
            data=tuple(data or ()),
            model=model,
            sandbox=sandbox,
            start_page=start_page,
            private_hosts=tuple(private_hosts or ()),
            review_plan=review_plan,
            max_turns=max_turns,
            max_stalls=max_stalls,
            timeout=timeout,
            max_tokens=max_tokens,
            out=out,
        )
    )
