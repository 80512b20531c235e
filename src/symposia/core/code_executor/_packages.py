"""Packages that a user allows in a sandbox beside those that it has, as names and versions that were checked."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, cast

from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError

_NAME: Final = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_CLAUSE: Final = r"(?:===|~=|==|!=|<=|>=|<|>) *[A-Za-z0-9.*+!_-]+"
# The names and version specifiers of PEP 508, and nothing else of it: an address or a marker is not a name.
_REQUIREMENT: Final = re.compile(
    rf"(?P<name>{_NAME}) *(?P<extras>\[ *{_NAME}(?: *, *{_NAME})* *\])? *(?P<versions>{_CLAUSE}(?: *, *{_CLAUSE})*)?"
)
_ARCHIVES: Final = (".whl", ".zip", ".gz", ".bz2", ".xz", ".tgz", ".tar")


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxPackages:
    """Packages to install for the sandboxes of a backend, before one starts; see `SandboxBackend.with_packages`.

    Attributes:
        requirements: Names, with or without versions: ``scipy``, ``scipy==1.14``, ``scikit-learn>=1.5,<2``. They are
            normalised and sorted, so that equal sets compare equal.
        wheels: A folder of the host that has all of them as wheels, with what they need; it is the only place that is
            searched. None: the package registry that pip is configured for. Whether the folder exists is checked when
            they are installed.

    Raises:
        ArgumentTypeError: `requirements` is not a tuple of texts, or `wheels` is not a `Path`.
        InvalidArgumentError: There is no requirement, or one is an option, an address or a path.
    """

    requirements: tuple[str, ...]
    wheels: Path | None = None

    def __post_init__(self) -> None:
        wheels = cast("object", self.wheels)
        if wheels is not None and not isinstance(wheels, Path):
            raise ArgumentTypeError(f"wheels of SandboxPackages is {wheels!r}: give a path, such as Path('wheels').")
        object.__setattr__(self, "requirements", tuple(sorted({*map(_normalised, _texts(self.requirements))})))

    @classmethod
    def given(cls, packages: Sequence[str], wheels: Path | str | None) -> Self | None:
        """The packages that arguments ask for; None where they ask for none.

        Args:
            packages: Their names, with or without versions; or one of them as a text.
            wheels: The folder that is searched for them, which may be relative.

        Raises:
            ArgumentTypeError: `packages` is not a list of texts.
            InvalidArgumentError: One is not the name of a package, or there is none to search `wheels` for.
        """
        if not packages:
            if wheels is not None:
                raise InvalidArgumentError("wheels is the folder that packages are searched in: give their names, too.")
            return None
        names = (packages,) if isinstance(packages, str) else tuple(packages)
        return cls(requirements=names, wheels=None if wheels is None else Path(wheels).absolute())

    @property
    def names(self) -> frozenset[str]:
        """The normalised names, without versions."""
        return frozenset(map(distribution_name, self.requirements))


def distribution_name(requirement: str) -> str:
    """The normalised name in a requirement: ``Scikit_Learn>=1`` is ``scikit-learn``."""
    name = re.split(r"[^A-Za-z0-9._-]", requirement.strip(), maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def _texts(given: object) -> Collection[str]:
    if not isinstance(given, tuple) or not all(isinstance(each, str) for each in cast("tuple[object, ...]", given)):
        raise ArgumentTypeError(f"packages are {given!r}: give a tuple of names, such as ('scipy', 'sympy==1.14').")
    if not given:
        raise InvalidArgumentError("There are no packages. Give a tuple of names, such as ('scipy', 'sympy==1.14').")
    return cast("tuple[str, ...]", given)


def _normalised(requirement: str) -> str:
    found = _REQUIREMENT.fullmatch(requirement.strip(" "))
    if found is None or found["name"].lower().endswith(_ARCHIVES):
        raise InvalidArgumentError(
            f"{requirement!r} is not the name of a package. Give a name, with versions if they matter, such as 'scipy' "
            "or 'scipy==1.14'; no option, no address and no path. Wheels of your own are found by the names of their "
            "packages, in a folder of wheels."
        )
    extras = (found["extras"] or "").replace(" ", "").lower()
    versions = ",".join(sorted((found["versions"] or "").replace(" ", "").split(",")))
    return f"{distribution_name(found['name'])}{extras}{versions}"
