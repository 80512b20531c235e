"""The options that several verbs have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

from typer import Option

SANDBOXES = "auto, docker, bubblewrap or namespaces; or local, which is this machine, unprotected"
Model: TypeAlias = Annotated[
    str | None,
    Option(
        "--model",
        metavar="M",
        help="gpt-…, claude-…, vendor/name, or openai-compatible:ADDRESS/name.",
        show_default="SYMPOSIA_MODEL, or by the key that is set",
    ),
]
Sandbox: TypeAlias = Annotated[str, Option("--sandbox", metavar="NAME", help=f"Where the code runs: {SANDBOXES}.")]
Timeout: TypeAlias = Annotated[
    float | None, Option("--timeout", min=1, metavar="S", help="Seconds of the whole run.", show_default="900")
]
MaxTokens: TypeAlias = Annotated[
    int | None,
    Option("--max-tokens", min=1, metavar="N", help="Tokens of all model calls.", show_default="no limit"),
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
