"""What a name of AutoGen is here, or what is known of one that is missing.

A missing name is planned (AutoGen has it), private in AutoGen, of the previews of 0.4, or unknown. Only for the last
two another name is suggested: the one that is most similar to a planned name is not a substitute for it.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys

from symposia._autogen_names import (
    PAGES_02,
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


def is_here(theirs: str) -> bool:
    """Whether a module or name can be imported. Looks at one package after another, since a look imports its parent."""
    module, _, leaf = theirs.rpartition(".")
    if theirs in catalogue().homes:
        return True
    if not module:
        return exists(renamed(theirs))
    if is_private(theirs) or not is_here(module):
        return False
    ours = renamed(theirs)
    try:
        package = importlib.import_module(ours.rpartition(".")[0])
        return hasattr(package, leaf) or (hasattr(package, "__path__") and importlib.util.find_spec(ours) is not None)
    except ImportError:  # an extra is not installed: the name is here, and importing it names the extra
        return True


def public_name(theirs: str) -> str:
    """The public name of what AutoGen defines under a private path, or a module of it imports, where it has one."""
    module, _, leaf = theirs.rpartition(".")
    home = catalogue().homes.get(module, {}).get(leaf) or catalogue().imported.get(module, {}).get(leaf)
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
    page = f" {PAGES_02}" if is_of_02(name) else ""
    return f"Neither AutoGen {version} nor Symposia has {name}. {_suggestion(module, leaf)}{page}"


def short_state(name: str) -> str:
    """The same in a few words."""
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
