"""The two members of `sys.meta_path`: one that answers to AutoGen's names, and one that says what is not there."""

import importlib
import importlib.util
import sys
from collections.abc import Iterable
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING

from typing_extensions import override

from symposia._autogen._missing import of_a_private_module, of_a_public_name
from symposia._autogen._roots import ROOTS, our_name, their_name

if TYPE_CHECKING:
    from importlib.metadata import Distribution, DistributionFinder


class AliasFinder(MetaPathFinder):
    """Finds our module under AutoGen's name. It stands first, so that it goes before an installed AutoGen."""

    @override
    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Where the module that answers to `fullname` comes from; None where there is none.

        Raises:
            ModuleNotFoundError: It is a private module of AutoGen.
        """
        ours = our_name(fullname)
        if ours is None:
            return None
        if _is_private(fullname):  # left to the finders behind, it would be found in our package's folder
            raise ModuleNotFoundError(of_a_private_module(fullname), name=fullname)
        found = importlib.util.find_spec(ours)
        if found is None:
            return None
        spec = ModuleSpec(fullname, _AliasLoader(ours), origin=found.origin)
        spec.submodule_search_locations = found.submodule_search_locations
        return spec

    def find_distributions(self, context: "DistributionFinder.Context") -> "Iterable[Distribution]":
        """What `importlib.metadata` is told when it asks for a distribution of AutoGen by name."""
        from symposia._autogen._distribution import stand_ins  # noqa: PLC0415 - importlib.metadata is slow to import

        return stand_ins(context.name)


class MissingFinder(MetaPathFinder):
    """Raises what is worth knowing about a name that nobody has found. It stands last.

    A ``from package import name`` that finds no attribute looks for a submodule of that name, so names arrive here too,
    spelled as ours, since that is what the package calls itself.
    """

    @override
    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """None where somebody only asks.

        Raises:
            ModuleNotFoundError: An import statement, or `import_module`, is about to fail.
        """
        theirs = fullname if our_name(fullname) else their_name(fullname)
        if theirs is None or not _is_import():
            return None
        # Named as the program spells it: an error named as the package spells it would be swallowed by the `from` form.
        raise ModuleNotFoundError(of_a_public_name(theirs), name=theirs)


class _AliasLoader(Loader):
    """Hands out our module itself, imported under its own name, so that it is executed once and is one object.

    The import system stamps what `create_module` returns with the alias's spec, which `exec_module` takes off again: a
    module's own spec is what relative imports, reloading and pickling go by. (Putting our module into `sys.modules`
    from `exec_module` is the other way, but then a second thread can see the empty module that stood there before.)
    """

    def __init__(self, ours: str) -> None:
        self._ours = ours
        self._own_spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self._ours)
        self._own_spec = module.__spec__
        if spec.name in ROOTS and not hasattr(module, "__version__"):
            module.__version__ = ROOTS[spec.name].version  # type: ignore[attr-defined]  # AutoGen's packages have it
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._own_spec


def _is_private(name: str) -> bool:
    return any(part.startswith("_") and not part.endswith("__") for part in name.split("."))


def _is_import() -> bool:
    """Whether the finder is asked by an import, which an error may explain, or by `find_spec`, which wants None."""
    frame = sys._getframe(2)  # noqa: SLF001 - the finder's caller; the finders' interface does not tell who asks
    while frame.f_back is not None and frame.f_code.co_name == "_find_spec":
        frame = frame.f_back
    return frame.f_code.co_name == "_find_and_load_unlocked"
