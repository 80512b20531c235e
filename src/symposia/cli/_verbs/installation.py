"""`symposia doctor` and `symposia setup`: their options and their help."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer
from typer import Option

from symposia.cli._verbs.verb import Verb

Attack: TypeAlias = Annotated[
    bool, Option("--attack", help="Attack the sandboxes, and show what they stop; takes some minutes.")
]
SandboxToCheck: TypeAlias = Annotated[
    str, Option("--sandbox", metavar="NAME", help="Which sandbox to check or attack; auto: each.")
]
SandboxToSetUp: TypeAlias = Annotated[
    str, Option("--sandbox", metavar="NAME", help="Which sandbox to make ready; auto: each that this machine can run.")
]

app = typer.Typer()


@app.command(cls=Verb)
def doctor(attack: Attack = False, sandbox: SandboxToCheck = "auto") -> None:
    """Show which sandboxes work here and why the others do not, which keys are set, and which versions are installed.

    Each sandbox is started, and runs a block.
    """
    from symposia.cli._sandboxes import check_sandbox_name  # noqa: PLC0415 - imported when called

    check_sandbox_name(sandbox)
    if attack:
        from symposia.cli._attack import attack_and_show  # noqa: PLC0415 - imported when called

        attack_and_show(sandbox)
        return
    from symposia.cli._doctor import show_findings  # noqa: PLC0415 - imported when called

    show_findings(sandbox)


@app.command(cls=Verb)
def setup(sandbox: SandboxToSetUp = "auto") -> None:
    """Make the Python environment and the image that generated code runs in.

    It has numpy, pandas and matplotlib, takes some ten seconds and 200 MB, and is made once. `symposia run` does it on
    its first use too.
    """
    from symposia.cli._sandboxes import set_up_and_show  # noqa: PLC0415 - imported when called

    set_up_and_show(sandbox)
