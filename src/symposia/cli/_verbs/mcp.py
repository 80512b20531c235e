"""The verbs of `symposia mcp`: their options and their help."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

import typer
from typer import Argument

from symposia.cli._exit import MEANING, Status, exit_statuses
from symposia.cli._verbs.verb import Verb

MCP_MEANING: Final = {
    Status.VERIFIED: "the input has ended",
    Status.FAILED: "an unexpected error, or the program failed",
    Status.USAGE: "there is no such file, or what it holds cannot be served",
    **{status: MEANING[status] for status in (Status.MISSING_KEY, Status.MISSING_EXTRA, Status.INTERRUPTED)},
}

Served: TypeAlias = Annotated[
    str,
    Argument(
        metavar="FILE.json|FILE.py:NAME",
        help="A saved team, agent or workbench; or a team, tool or list of tools of a program.",
        show_default=False,
    ),
]

app = typer.Typer(name="mcp", no_args_is_help=True, help="Serve tools, agents and teams to MCP clients.")


@app.command(epilog=exit_statuses(MCP_MEANING), cls=Verb)
def serve(target: Served) -> None:
    """Serve tools, an agent or a team as an MCP server on standard input and output, until the input ends.

    An agent or a team is one tool, whose argument is a task.
    """
    from symposia.cli._mcp import serve as serve_target  # noqa: PLC0415 - imported when called

    serve_target(target)
