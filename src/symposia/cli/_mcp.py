"""`symposia mcp serve`: tools, an agent or a team as an MCP server on standard input and output."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import sys
import traceback
from collections.abc import Generator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, Final, cast

from symposia.agentchat.base import ChatAgent, Team
from symposia.cli._exit import Status, fail, status_of_error
from symposia.core.exceptions import InvalidArgumentError, SymposiaError
from symposia.core.tools import BaseTool, Workbench
from symposia.ext.tools.mcp import serve_mcp_tools

_KINDS: Final = {"team": Team, "agent": ChatAgent, "workbench": Workbench, "tool": BaseTool}
_PROGRAM: Final = "symposia_served_program"
"""The name of the program's module, which no other module has."""


def serve(target: str) -> None:
    """Serve what `target` names, until the input ends.

    Raises:
        typer.Exit: With a status other than 0, if it cannot be served.
    """
    try:
        path, name = _parted(target)
        with _printing_to_stderr():
            served = _from_program(path, name) if name else _from_json(path)
        asyncio.run(serve_mcp_tools(served, name or _portable(path.stem)))
    except SymposiaError as error:
        fail(str(error), status_of_error(error))
    except (OSError, ValueError) as error:
        fail(f"{target} cannot be served: {error}", Status.USAGE)
    except KeyboardInterrupt:
        pass  # the usual end of a server in a terminal


@contextmanager
def _printing_to_stderr() -> Generator[None]:
    """Send what this process and its children print to the standard error: the standard output is for messages."""
    sys.stdout.flush()
    messages = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(messages, 1)
        os.close(messages)


def _parted(target: str) -> tuple[Path, str]:
    """The file, and what of a program is served; empty for a saved component.

    Raises:
        InvalidArgumentError: There is no such file, or it is of another kind.
    """
    file, _, name = target.rpartition(":") if ".py:" in target else (target, "", "")
    path = Path(file)
    if not path.is_file():
        raise InvalidArgumentError(f"There is no file {file}.")
    if path.suffix == ".py" and not name:
        raise InvalidArgumentError(f"Say what of {path} is served: {path}:NAME, a tool, a list of tools, or a team.")
    if not name and path.suffix != ".json":
        raise InvalidArgumentError(f"{path} cannot be served: give FILE.json, a saved component, or FILE.py:NAME.")
    return path, name


def _from_json(path: Path) -> Any:  # Any: as the file says
    try:
        saved: object = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InvalidArgumentError(f"{path} is no JSON: {error}.") from error
    kind = cast("dict[str, object]", saved).get("component_type") if isinstance(saved, dict) else None
    if kind not in _KINDS:
        found = f"is a component of the type {kind!r}" if kind else "is no saved component"
        raise InvalidArgumentError(f"{path} {found}: give a team, an agent, a workbench or a tool.")
    base: Any = _KINDS[str(kind)]
    return base.load_component(saved)


def _from_program(path: Path, name: str) -> Any:  # Any: as the program says
    """The value of `name` after the program was imported, with the modules of its folder at hand, as when it is run."""
    spec = importlib.util.spec_from_file_location(_PROGRAM, path)
    assert spec is not None  # noqa: S101 - as for each .py file
    assert spec.loader is not None  # noqa: S101
    module = sys.modules[_PROGRAM] = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except SymposiaError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever the program raises, its own traceback says where
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename != str(path.absolute()):
            trace = trace.tb_next
        traceback.print_exception(type(error), error, trace)
        fail(f"{path} failed, so that nothing is served.", Status.FAILED)
    if not hasattr(module, name):
        raise InvalidArgumentError(f"{path} has no {name!r}.")
    return getattr(module, name)


def _portable(name: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)[:64] or "symposia"
