"""Commands as errors, questions and records show them: without what may be a key."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_LAUNCHER: Final = re.compile(
    r"(python[\d.]*|pypy[\d.]*|node|npx|npm|pnpm|yarn|bunx?|deno|uvx?|pipx|docker|podman|java|dotnet|ruby|php)(\.\w+)?"
)
"""Commands that run another program. Of any other command, an argument may be anything."""
_SUBCOMMANDS: Final = frozenset({"run", "exec", "dlx", "tool", "x"})
_FLAG: Final = re.compile(r"-[yqsmuiBEIO]|-it|-jar|--yes|--rm|--init|--interactive|--quiet|--silent")
"""Options without a value, which may stand before the program."""
_PROGRAM: Final = re.compile(r"[\w@./\\~+-]+")
"""A file or a package. Other characters are those of settings, addresses and code."""
_HIDDEN: Final = "…"


def command_line(command: str, args: Sequence[str]) -> str:
    """A command and the program that it runs. An ellipsis stands for further arguments."""
    shown = _shown_arguments(command, args)
    return " ".join([command, *shown, *([_HIDDEN] if len(shown) < len(args) else [])])


def program_name(command: str, args: Sequence[str]) -> str:
    """The program without its folder and its ending. A launcher names it: ``npx -y @scope/server /folder``."""
    shown = _shown_arguments(command, args)
    is_program = bool(shown) and not shown[-1].startswith("-") and shown[-1] not in _SUBCOMMANDS
    return Path(shown[-1] if is_program else command).stem


def _shown_arguments(command: str, args: Sequence[str]) -> list[str]:
    """The arguments up to the program that the command runs; none if the command is the program."""
    shown: list[str] = []
    if not _LAUNCHER.fullmatch(Path(command).name):
        return shown
    for argument in args:
        if _FLAG.fullmatch(argument) or argument in _SUBCOMMANDS:
            shown.append(argument)
            continue
        if _PROGRAM.fullmatch(argument) and not argument.startswith("-"):
            shown.append(argument)
        break
    return shown
