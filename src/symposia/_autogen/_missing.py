"""The text of an `ImportError` about a name of AutoGen.

It says what is known of the name, and which others the program imports that are missing too.
"""

from __future__ import annotations

import ast
import importlib
import linecache
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, ModuleType

from symposia._autogen_names import our_name
from symposia._autogen_states import is_here, public_name, short_state, state_of


def message_of(theirs: str) -> str:
    """The text about a name of AutoGen that cannot be imported, with the other missing names of the same program."""
    name = public_name(theirs)
    others = [f"{other} ({short_state(other)})" for other in _missing_beside(name)]
    beside = f" Also missing among the imports of this file: {', '.join(others)}." if others else ""
    return state_of(name) + beside


def _missing_beside(theirs: str) -> list[str]:
    """The other names of AutoGen that the importing file mentions and Symposia does not have, in order."""
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - the import system does not name the importing module
    here = str(Path(__file__).parent)
    wanted: list[str] = []
    while frame is not None and _is_machinery(frame, here):
        wanted += _from_list(frame)
        frame = frame.f_back
    if frame is not None:
        source = "".join(linecache.getlines(frame.f_code.co_filename, frame.f_globals))
        wanted += _autogen_imports(source)
    return [name for name in dict.fromkeys(map(public_name, wanted)) if name != theirs and not is_here(name)]


def _is_machinery(frame: FrameType, here: str) -> bool:
    file = frame.f_code.co_filename
    return file.startswith(("<frozen importlib", here)) or file == importlib.__file__


def _from_list(frame: FrameType) -> list[str]:
    """The names of a ``from`` import that is being carried out, for programs whose source cannot be read."""
    module, names = frame.f_locals.get("module"), frame.f_locals.get("fromlist")
    if frame.f_code.co_name != "_handle_fromlist" or not isinstance(module, ModuleType) or not names:
        return []
    theirs = next((name for name, each in sys.modules.items() if each is module and our_name(name)), None)
    return [f"{theirs}.{name}" for name in names] if theirs else []


def _autogen_imports(source: str) -> Iterator[str]:
    try:
        tree = ast.parse(source)
    except SyntaxError:  # not Python, such as a notebook's cell with magic commands
        return
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module if alias.name == "*" else f"{node.module}.{alias.name}" for alias in node.names]
        yield from (name for name in names if our_name(name))
