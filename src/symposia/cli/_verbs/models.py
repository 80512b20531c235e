"""`symposia models` and `symposia mock-server`: their options and their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer
from typer import Argument, Option

from symposia.cli._exit import MEANING, Status, exit_statuses
from symposia.cli._verbs.verb import Verb

MODELS_MEANING: Final = {
    Status.VERIFIED: "the vendors or the model are shown, and a request was answered",
    Status.FAILED: MEANING[Status.FAILED],
    Status.USAGE: "an option or the file of SYMPOSIA_MODEL_PROFILES is wrong",
    **{status: MEANING[status] for status in (Status.UNKNOWN_VENDOR, Status.MISSING_KEY, Status.MISSING_EXTRA)},
    **{status: MEANING[status] for status in (Status.MODEL_FAILED, Status.INTERRUPTED)},
}

MOCK_SERVER_MEANING: Final = {
    Status.VERIFIED: "all requests were answered",
    Status.FAILED: "a request had no answer",
    Status.USAGE: "an option or the script is wrong, or the port is in use",
    Status.MISSING_EXTRA: MEANING[Status.MISSING_EXTRA],
}

ModelToShow: TypeAlias = Annotated[
    str | None, Argument(metavar="[NAME]", help="A model, as for --model; else the vendors are listed.")
]
Try: TypeAlias = Annotated[
    bool, Option("--try", help="Send the model one tiny request, which costs a few tokens; without NAME, the default.")
]
AsJson: TypeAlias = Annotated[bool, Option("--json", help="Print JSON.")]
ModelScript: TypeAlias = Annotated[
    Path, Argument(metavar="SCRIPT", readable=False, help="YAML: rules, and their answers.", show_default=False)
]
Host: TypeAlias = Annotated[str, Option("--host", metavar="H", help="The address to listen on.")]
Port: TypeAlias = Annotated[
    int, Option("--port", metavar="N", min=0, max=65535, help="The port.", show_default="a free one")
]
Lenient: TypeAlias = Annotated[bool, Option("--lenient", help="Answer requests too that the vendor would refuse.")]

app = typer.Typer()


@app.command(epilog=exit_statuses(MODELS_MEANING), cls=Verb)
def models(name: ModelToShow = None, try_it: Try = False, as_json: AsJson = False) -> None:
    """List the vendors of models and what each lacks here, or show what is known of a model: limits, abilities, price.

    What you state in the file of SYMPOSIA_MODEL_PROFILES is shown with it. Nothing is sent without --try.
    """
    from symposia.cli._models import models_and_show  # noqa: PLC0415 - imported when called

    models_and_show(name, send=try_it, as_json=as_json)


@app.command("mock-server", epilog=exit_statuses(MOCK_SERVER_MEANING), cls=Verb)
def mock_server(script: ModelScript, host: Host = "127.0.0.1", port: Port = 0, lenient: Lenient = False) -> None:
    """Serve a script as OpenAI, Anthropic, Gemini and Ollama, for programs that are tested without a model.

    Prints the environment variables that make the vendors' SDKs use this server, and for each request the rule that
    answers it, or why none does. Ctrl-C, or SIGTERM, ends the server, and prints the rules that were not used.
    """
    from symposia.cli._mock_server import serve_and_show  # noqa: PLC0415 - imported when called

    serve_and_show(script, host=host, port=port, strict=not lenient)
