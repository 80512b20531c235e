"""The import hook: two members of `sys.meta_path`.

The first answers to AutoGen's names, the last says what is missing.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import warnings
from collections.abc import Iterable
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import TYPE_CHECKING

from typing_extensions import override

from symposia._autogen._imported_names import add_imported_names
from symposia._autogen._missing import message_of
from symposia._autogen._private_modules import PrivateModule, PrivateModuleLoader, add_autogens_names
from symposia._autogen_names import (
    ROOTS,
    AutogenFinder,
    catalogue,
    exists,
    hook_is_installed,
    is_private,
    our_name,
    renamed,
    their_name,
)

if TYPE_CHECKING:
    from importlib.metadata import Distribution, DistributionFinder


def install() -> None:
    """Let AutoGen's names resolve to Symposia in this process. Installing twice is harmless.

    Raises:
        UsageError: The real AutoGen has been imported already, so there would be two of each class.
    """
    if hook_is_installed():
        return
    answered = [root for root in ROOTS if exists(ROOTS[root].ours)]
    _refuse_if_imported(answered)
    sys.meta_path.insert(0, _ALIASES)
    sys.meta_path.append(_MISSING)
    _warn_if_shadowing(answered)


def uninstall() -> None:
    """Undo `install`: later imports of AutoGen's names do not reach Symposia; imported modules stay imported."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if finder not in (_ALIASES, _MISSING)]
    for name in [name for name in sys.modules if _is_alias(name)]:
        del sys.modules[name]


class AliasFinder(AutogenFinder):
    """Finds our module under AutoGen's name. First in `sys.meta_path`, before the finder of an installed AutoGen."""

    @override
    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """The spec of the module that answers to `fullname`; None where there is none.

        Raises:
            ModuleNotFoundError: It is a private module of AutoGen that defines no public name.
        """
        ours = our_name(fullname)
        if ours is None:
            return None
        if is_private(fullname):
            return _private_spec(fullname)
        found = importlib.util.find_spec(ours)
        if found is None:
            return None
        return _package_spec(fullname, _AliasLoader(fullname), found)

    def find_distributions(self, context: DistributionFinder.Context) -> Iterable[Distribution]:
        """The distributions of AutoGen that `importlib.metadata` asks for by name."""
        from symposia._autogen._distribution import stand_ins  # noqa: PLC0415 - importlib.metadata is slow to import

        return stand_ins(context.name)


class MissingFinder(MetaPathFinder):
    """Raises the error for a name that no other finder has found. It is last in `sys.meta_path`.

    A ``from package import name`` that finds no attribute looks for a submodule of that name, so names arrive here too,
    spelled as ours, since that is the package's own name.
    """

    @override
    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """None for callers that do not import, such as `importlib.util.find_spec`.

        Raises:
            ModuleNotFoundError: An import statement, or `import_module`, is about to fail.
        """
        theirs = fullname if our_name(fullname) else their_name(fullname)
        if theirs is None or not _is_import():
            return None
        if theirs in catalogue().homes:  # `from package import _module`: importing that sets the attribute
            importlib.import_module(theirs)
            return None
        # Named as the program spells it: an error named as the package spells it would be swallowed by the `from` form.
        raise ModuleNotFoundError(message_of(theirs), name=theirs)


class _AliasLoader(Loader):
    """Loads our module itself, imported under its own name, so that it is executed once and is one object.

    The import system stamps what `create_module` returns with the alias's spec, which `exec_module` takes off again: a
    module's own spec is what relative imports, reloading and pickling go by. (Putting our module into `sys.modules`
    from `exec_module` is the other way, but then a second thread can see the empty module that stood there before.)
    """

    def __init__(self, theirs: str) -> None:
        self._theirs = theirs
        self._own_spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(renamed(self._theirs))
        self._own_spec = module.__spec__
        if spec.name in ROOTS and not hasattr(module, "__version__"):
            module.__version__ = ROOTS[spec.name].version  # type: ignore[attr-defined]  # AutoGen's packages have it
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._own_spec
        add_imported_names(module, self._theirs)
        if self._theirs == "autogen_core":
            _let_pillow_have_its_images()
        for theirs in catalogue().private_modules_of(self._theirs):  # `from package import _module` finds ours
            own = vars(module).get(theirs.rpartition(".")[2])
            if own is None and catalogue().private_modules_of(theirs) and exists(renamed(theirs)):
                own = importlib.import_module(renamed(theirs))  # left to Python, it would come without AutoGen's names
            if isinstance(own, ModuleType):
                add_autogens_names(own, theirs)


def _let_pillow_have_its_images() -> None:
    """Let ``import PIL`` be enough for ``PIL.Image``.

    AutoGen imports that module with its core, and programs of its guide rely on it. Here it is imported when it is
    asked for, since it takes longer than all of our core.
    """
    if importlib.util.find_spec("PIL") is not None:
        pillow = importlib.import_module("PIL")
        vars(pillow).setdefault("__getattr__", _pillow_attribute)


def _pillow_attribute(name: str) -> object:
    if name == "Image":
        return importlib.import_module("PIL.Image")
    raise AttributeError(f"module 'PIL' has no attribute {name!r}", name=name)


def _private_spec(fullname: str) -> ModuleSpec:
    """The spec of a private module. Left to the finders behind, it would be found in our package's folder.

    Raises:
        ModuleNotFoundError: AutoGen defines no public name there.
    """
    if fullname not in catalogue().homes:
        parent = sys.modules.get(fullname.rpartition(".")[0])
        # The `from` form swallows an error that is named as the package spells it, and this package has AutoGen's name.
        raise ModuleNotFoundError(message_of(fullname), name=None if isinstance(parent, PrivateModule) else fullname)
    return _package_spec(fullname, PrivateModuleLoader(), None)


def _package_spec(fullname: str, loader: Loader, found: ModuleSpec | None) -> ModuleSpec:
    """A spec of a package, also for a plain module: a missing name of a plain module never reaches the finders.

    The ``from`` form asks them only where the module has a ``__path__``; an empty one finds nothing.
    """
    spec = ModuleSpec(fullname, loader, origin=found.origin if found else None)
    spec.submodule_search_locations = (found.submodule_search_locations if found else None) or []
    return spec


def _is_import() -> bool:
    """Whether the finder is called by an import, which an error may explain, or by `find_spec`, which expects None."""
    frame = sys._getframe(2)  # noqa: SLF001 - the finder's caller; the finders' interface does not name the caller
    while frame.f_back is not None and frame.f_code.co_name == "_find_spec":
        frame = frame.f_back
    return frame.f_code.co_name == "_find_and_load_unlocked"


def _is_alias(name: str) -> bool:
    ours = our_name(name)
    return ours is not None and (
        sys.modules[name] is sys.modules.get(ours) or isinstance(sys.modules[name], PrivateModule)
    )


def _refuse_if_imported(roots: list[str]) -> None:
    too_early = [root for root in roots if root in sys.modules and not _is_alias(root)]
    if too_early:
        from symposia.core.exceptions import UsageError  # noqa: PLC0415 - the hook itself imports nothing of ours

        message = f"{', '.join(too_early)} was imported before symposia.autogen, and is AutoGen's own. "
        raise UsageError(message + "Import symposia.autogen first, or start with `python -m symposia.autogen`.")


def _warn_if_shadowing(roots: list[str]) -> None:
    found = {root: PathFinder.find_spec(root) for root in roots}
    shadowed = [root for root, spec in found.items() if spec and spec.origin]  # a folder without modules has none
    if shadowed:
        message = f"AutoGen is installed ({', '.join(shadowed)}), and symposia.autogen goes before it: "
        warnings.warn(message + "programs get Symposia's modules.", UserWarning, stacklevel=3)


_ALIASES = AliasFinder()
_MISSING = MissingFinder()
