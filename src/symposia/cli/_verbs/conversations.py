"""`symposia chat` and `symposia support`: their options and their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer
from typer import Option

from symposia.cli._exit import MEANING, Status, exit_statuses
from symposia.cli._verbs.options import Model
from symposia.cli._verbs.verb import Verb

CONVERSATION_MEANING: Final = {
    Status.VERIFIED: "the conversation has ended",
    **{status: MEANING[status] for status in (Status.FAILED, Status.USAGE)},
    Status.DATA_FILE: "the documents of --docs cannot be read",
    Status.UNKNOWN_VENDOR: MEANING[Status.UNKNOWN_VENDOR],
    **{status: MEANING[status] for status in (Status.MISSING_KEY, Status.MISSING_EXTRA)},
    Status.HISTORY: "the file of --history cannot be read or written, or is no history",
    **{status: MEANING[status] for status in (Status.MODEL_FAILED, Status.INTERRUPTED)},
}

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

app = typer.Typer()


@app.command(epilog=exit_statuses(CONVERSATION_MEANING), cls=Verb)
def chat(
    model: Model = None,
    system: System = None,
    docs: Docs = None,
    history: History = None,
    script: Script = None,
    example: Recorded = False,
) -> None:
    """Talk with one assistant, line by line, in the terminal or from a script.

    With --docs it answers from your files. Without a key, a recorded conversation is shown.
    """
    from symposia.cli._conversation import ConversationArguments, chat_and_show  # noqa: PLC0415 - imported when called

    arguments = ConversationArguments(
        model=model, system=system, docs=docs, history=history, script=script, example=example
    )
    chat_and_show(arguments)


@app.command(epilog=exit_statuses(CONVERSATION_MEANING), cls=Verb)
def support(model: Model = None, history: History = None, script: Script = None, example: Recorded = False) -> None:
    """Talk with a support team as its customer: triage, billing, technical, and a colleague who is a person.

    You are the colleague too, where the agents hand over to one, or where a refund needs consent. The shop and its
    orders are an example: 4711, 4712 and 4713. Without a key, a recorded conversation is shown.
    """
    from symposia.cli._conversation import ConversationArguments, support_and_show  # noqa: PLC0415 - imported when called

    support_and_show(ConversationArguments(model=model, history=history, script=script, example=example))
