"""Facts about models as data: the files that come with this version, and what a user states instead.

All of them are TOML. A user's file has a section for each vendor, by the vendor's name in the registry::

    [openai."acme-tuned"]
    like = "gpt-4o"       # the model whose profile holds for what is not stated
    context = 64_000
    price = { prompt = 3.75, completion = 15 }
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, TypeAlias, TypeVar

from pydantic import TypeAdapter, ValidationError

from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.models import TokenPrice

VARIABLE: Final = "SYMPOSIA_MODEL_PROFILES"
"""The environment variable that may name a user's file."""

T = TypeVar("T")
Table: TypeAlias = Mapping[str, Any]  # Any: of the type of the key's field, checked when that is made
Statements: TypeAlias = Mapping[str, Mapping[str, Table]]
"""What is stated of models, by vendor and model."""


def shipped_profiles(vendor: str) -> Table:
    """The profiles of a vendor that come with this version: ``source``, ``date``, ``otherwise`` and ``models``."""
    return _shipped("profiles", vendor)


@cache
def shipped_prices(vendor: str) -> Mapping[str, TokenPrice]:
    """The list prices of a vendor that come with this version, by the names of the models."""
    prices: dict[str, TokenPrice] = {}
    for table in _shipped("prices", vendor)["models"]:
        price = make_price({key: table[key] for key in table if key != "names"}, f"A price of {vendor}")
        prices |= dict.fromkeys(table["names"], price)
    return prices


@cache
def _shipped(kind: str, vendor: str) -> Table:
    place = resources.files("symposia.ext.models").joinpath("_data", kind, f"{vendor}.toml")
    return tomllib.loads(place.read_text(encoding="utf-8"))


class FactSource(NamedTuple):
    """Where facts are from, and of which day."""

    name: str
    date: date


def shipped_source(kind: Literal["profiles", "prices"], vendor: str) -> FactSource:
    """The source of a vendor's profiles or prices that come with this version."""
    data = _shipped(kind, vendor)
    return FactSource(data["source"], data["date"])


class Statement(NamedTuple):
    """What a user states of a model, and in which file or call."""

    table: Table
    where: str


_stated: dict[str, dict[str, Statement]] = {}


def use_model_profiles(given: str | Path | Statements) -> None:
    """State the limits, abilities and prices of models, in place of those that symposia knows or guesses.

    Clients that exist already do not change. The environment variable ``SYMPOSIA_MODEL_PROFILES`` may name a file too;
    what is given here comes first.

    Args:
        given: The path of a TOML file with a section for each vendor, or the same as a dictionary:
            ``{"openai": {"acme-tuned": {"like": "gpt-4o", "context": 64_000}}}``. The fields of a model are those of
            the vendor's profiles, ``like`` and ``price``.

    Raises:
        ArgumentTypeError: It is neither.
        InvalidArgumentError: The file cannot be read, or is not of this shape.
    """
    in_dictionary = isinstance(given, Mapping)
    stated = _checked(given, "use_model_profiles") if in_dictionary else _read(given)
    where = "use_model_profiles" if in_dictionary else str(given)
    for vendor, models in stated.items():
        _stated.setdefault(vendor, {}).update({model: Statement(table, where) for model, table in models.items()})


def forget_model_profiles() -> None:
    """Forget what `use_model_profiles` was given in this process."""
    _stated.clear()


def stated_profiles(vendor: str) -> Mapping[str, Statement]:
    """What the user states of the models of a vendor.

    Raises:
        InvalidArgumentError: The user's file cannot be read, or is not of the shape that `use_model_profiles` says.
    """
    path = os.environ.get(VARIABLE)
    return {**(_file_of_user(path).get(vendor, {}) if path else {}), **_stated.get(vendor, {})}


def stated_vendors() -> list[str]:
    """The names of the vendors of whose models the user states something.

    Raises:
        InvalidArgumentError: See `stated_profiles`.
    """
    path = os.environ.get(VARIABLE)
    return list(dict.fromkeys([*(_file_of_user(path) if path else ()), *_stated]))


@cache
def _file_of_user(path: str) -> Mapping[str, Mapping[str, Statement]]:
    why = f" (by the environment variable {VARIABLE})"
    return {
        vendor: {model: Statement(table, f"{path}{why}") for model, table in models.items()}
        for vendor, models in _read(path, why).items()
    }


def _read(given: object, why: str = "") -> Statements:
    if not isinstance(given, str | Path):
        raise ArgumentTypeError(f"use_model_profiles takes the path of a TOML file or a dictionary, not {given!r}.")
    where = f"{given}{why}"
    try:
        return _checked(tomllib.loads(Path(given).read_text(encoding="utf-8")), where)
    except OSError as error:
        raise InvalidArgumentError(f"The model profiles cannot be read: {where}: {error.strerror}.") from error
    except ValueError as error:  # of TOML, or of the encoding
        raise InvalidArgumentError(f"The model profiles are no TOML: {where}: {error}") from error


def _checked(given: Mapping[str, object], where: str) -> Statements:
    try:
        return TypeAdapter(dict[str, dict[str, dict[str, Any]]]).validate_python(given)
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        wanted = '[vendor."model"] with fields such as context = 64_000'
        raise InvalidArgumentError(
            f"The model profiles of {where} have no table at {place}. Write {wanted}."
        ) from error


def make_price(table: Table, what: str) -> TokenPrice:
    """Make a price of a table with the fields of `TokenPrice`. Errors begin with `what`.

    Raises:
        InvalidArgumentError: A field is unknown, missing, or of a wrong type.
    """
    return validated(TokenPrice, dict(table), what)


def validated(wanted: type[T], table: Mapping[str, object], what: str) -> T:
    """An object of a class, made of a table.

    Raises:
        InvalidArgumentError: A field is unknown, missing, or of a wrong type; the text begins with `what`.
    """
    try:
        return _adapter(wanted).validate_python(table)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidArgumentError(f"{what}: {'.'.join(map(str, first['loc']))}: {first['msg']}.") from error


_adapter = cache(TypeAdapter)
