"""Putting the finders into `sys.meta_path`, and taking them out."""

import sys
import warnings
from importlib.machinery import PathFinder

from symposia._autogen._finders import AliasFinder, MissingFinder
from symposia._autogen._roots import ROOTS, exists, our_name

_FIRST = AliasFinder()
_LAST = MissingFinder()


def install() -> None:
    """Let AutoGen's names resolve to Symposia, in this process, from now on. Installing twice is harmless.

    Raises:
        UsageError: The real AutoGen has been imported already, so there would be two of each class.
    """
    if _FIRST in sys.meta_path:
        return
    answered = [root for root in ROOTS if exists(root)]
    _refuse_if_imported(answered)
    sys.meta_path.insert(0, _FIRST)
    sys.meta_path.append(_LAST)
    _warn_if_installed(answered)


def uninstall() -> None:
    """Take back `install`: imports of AutoGen's names that follow do not reach Symposia; modules in use stay in use."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if finder not in (_FIRST, _LAST)]
    for name in [name for name in sys.modules if _is_alias(name)]:
        del sys.modules[name]


def _is_alias(name: str) -> bool:
    ours = our_name(name)
    return ours is not None and sys.modules[name] is sys.modules.get(ours)


def _refuse_if_imported(roots: list[str]) -> None:
    too_early = [root for root in roots if root in sys.modules and not _is_alias(root)]
    if too_early:
        from symposia.core.exceptions import UsageError  # noqa: PLC0415 - the hook itself imports nothing of ours

        message = f"{', '.join(too_early)} was imported before symposia.autogen, and is AutoGen's own. "
        raise UsageError(message + "Import symposia.autogen first, or start with `python -m symposia.autogen`.")


def _warn_if_installed(roots: list[str]) -> None:
    shadowed = [root for root in roots if PathFinder.find_spec(root)]
    if shadowed:
        message = f"AutoGen is installed ({', '.join(shadowed)}), and symposia.autogen goes before it: "
        warnings.warn(message + "programs get Symposia's modules.", UserWarning, stacklevel=3)
