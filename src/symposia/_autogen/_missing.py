"""The text of an `ImportError` about a name of AutoGen.

It distinguishes names that are planned (AutoGen has them), names that are private in AutoGen, names of the previews of
0.4, and unknown names. Only for the last two kinds it suggests another name: the one that is most similar to a planned
name is not a substitute for it.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import linecache
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, ModuleType

from symposia._autogen_names import (
    PAGE_02,
    PREVIEW_MODULES,
    ROOTS,
    catalogue,
    exists,
    is_of_02,
    is_private,
    our_name,
    planned,
    preview_module,
    renamed,
)


def message_of(theirs: str) -> str:
    """The text about a name of AutoGen that cannot be imported, with the other missing names of the same program."""
    name = public_name(theirs)
    others = [f"{other} ({_short_state(other)})" for other in _missing_beside(name)]
    beside = f" Also missing among the imports of this file: {', '.join(others)}." if others else ""
    return state_of(name) + beside


def public_name(theirs: str) -> str:
    """The public name of what AutoGen defines under a private path, where it has one."""
    module, _, leaf = theirs.rpartition(".")
    home = catalogue().homes.get(module, {}).get(leaf)
    return f"{home}.{leaf}" if home else theirs


def state_of(name: str) -> str:
    """The text about a missing name: planned, private, of a preview, or unknown to AutoGen too."""
    module, _, leaf = name.rpartition(".")
    if text := planned(name):
        return text
    if is_private(name):
        return _private_state(name, module)
    if preview := preview_module(name):
        return _preview_state(name, preview)
    version = ROOTS[name.partition(".")[0]].version
    page = f" {PAGE_02}" if is_of_02(name) else ""
    return f"Neither AutoGen {version} nor Symposia has {name}. {_suggestion(module, leaf)}{page}"


def _short_state(name: str) -> str:
    if planned(name):
        return "not here" if is_of_02(name) else "planned"
    if is_private(name):
        return "private in AutoGen"
    there = PREVIEW_MODULES.get(name) or _modules_with(name)
    return f"in {there[0]}" if there else "not in AutoGen"


def _private_state(name: str, module: str) -> str:
    known = catalogue().homes
    offered = sorted(known.get(module, ())) or sorted(known.get(name, ()))
    there = f"The public names that {module if known.get(module) else name} defines are: {', '.join(offered)}."
    public = ".".join(name.split(".")[: next(i for i, part in enumerate(name.split(".")) if part.startswith("_"))])
    return f"{name} is private in AutoGen, and Symposia has AutoGen's public names only. " + (
        there if offered else f"Look for a public one in {public}."
    )


def _preview_state(name: str, preview: str) -> str:
    if name == preview:
        there = " and ".join(PREVIEW_MODULES[preview])
        return f"{name} was a module of the previews of AutoGen 0.4. Its names are in {there} now."
    there = next(iter(_modules_with(name)), "")
    return f"{name} was a name of the previews of AutoGen 0.4. " + (
        f"Import it from {there}." if there else "AutoGen 0.7.5 does not have it."
    )


def _modules_with(name: str) -> list[str]:
    """The public modules of AutoGen that export what a dotted name ends with, those of its own version first."""
    leaf = name.rpartition(".")[2]
    modules = (public for public, names in catalogue().exports.items() if leaf in names)
    return sorted(modules, key=lambda public: (is_of_02(public) != is_of_02(name), public))


def _suggestion(module: str, leaf: str) -> str:
    if elsewhere := _modules_with(f"{module}.{leaf}"):
        return f"There is one in {elsewhere[0]}."
    from symposia._missing_names import likely_names, names_in  # noqa: PLC0415 - only an error needs it

    if not module:
        return likely_names(module, leaf, {root for root, entry in ROOTS.items() if exists(entry.ours)})
    # Of AutoGen's names only: a program that was written for it means none that Symposia has beside them.
    below = f"{module}."
    children = {other.removeprefix(below).partition(".")[0] for other in catalogue().exports if other.startswith(below)}
    theirs = catalogue().exports.get(module, frozenset()) | children
    return likely_names(module, leaf, theirs or names_in(sys.modules.get(our_name(module) or module)))


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
    return [name for name in dict.fromkeys(map(public_name, wanted)) if name != theirs and not _is_here(name)]


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


def _is_here(theirs: str) -> bool:
    """Whether a module or name can be imported. Looks at one package after another, since a look imports its parent."""
    module, _, leaf = theirs.rpartition(".")
    if theirs in catalogue().homes:
        return True
    if not module:
        return exists(renamed(theirs))
    if is_private(theirs) or not _is_here(module):
        return False
    ours = renamed(theirs)
    try:
        package = importlib.import_module(ours.rpartition(".")[0])
        return hasattr(package, leaf) or (hasattr(package, "__path__") and importlib.util.find_spec(ours) is not None)
    except ImportError:  # an extra is not installed: the name is here, and importing it names the extra
        return True
