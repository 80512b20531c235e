"""`symposia mcp serve`: tools, an agent or a team as an MCP server on standard input and output."""

from __future__ import annotations

import asyncio
import json
import runpy
from pathlib import Path
from typing import Any, Final, cast

from symposia.agentchat.base import ChatAgent, Team
from symposia.cli._exit import Status, fail, status_of_error
from symposia.core.exceptions import InvalidArgumentError, SymposiaError
from symposia.core.tools import BaseTool, Workbench
from symposia.ext.tools.mcp import serve_mcp_tools

_KINDS: Final = {"team": Team, "agent": ChatAgent, "workbench": Workbench, "tool": BaseTool}


def serve(target: str) -> None:
    """Serve what `target` names, until the input ends.

    Raises:
        typer.Exit: With a status other than 0, if it cannot be served.
    """
    try:
        path, _, name = target.partition(":") if ".py:" in target else (target, "", "")
        served = _from_json(Path(path)) if path.endswith(".json") else _from_program(Path(path), name)
        asyncio.run(serve_mcp_tools(served, name or _portable(Path(path).stem)))
    except InvalidArgumentError as error:
        fail(str(error), Status.USAGE)
    except SymposiaError as error:
        fail(str(error), status_of_error(error))
    except (OSError, ValueError) as error:
        fail(f"{target} cannot be served: {error}", Status.USAGE)
    except KeyboardInterrupt:
        pass  # the usual end of a server in a terminal


def _from_json(path: Path) -> Any:  # Any: as the file says
    saved: object = json.loads(path.read_text(encoding="utf-8"))
    kind = str(cast("dict[str, object]", saved).get("component_type")) if isinstance(saved, dict) else "no object"
    if kind not in _KINDS:
        raise InvalidArgumentError(f"{path} is a component of the type {kind!r}: give a team, an agent or a workbench.")
    base: Any = _KINDS[kind]
    return base.load_component(saved)


def _from_program(path: Path, name: str) -> Any:  # Any: as the program says
    values = runpy.run_path(str(path))
    if not name:
        raise InvalidArgumentError(f"Say what of {path} is served: {path}:NAME, a tool, a list of tools, or a team.")
    if name not in values:
        raise InvalidArgumentError(f"{path} has no {name!r}.")
    return values[name]


def _portable(name: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)[:64] or "symposia"
