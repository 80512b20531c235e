"""Profiles of models, found by name. The profiles themselves are data: see `_profile_data`."""

from __future__ import annotations

import difflib
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final, Generic, TypeVar

from symposia._program_line import level_outside
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import ModelCapabilities, ModelInfo, TokenPrice, validate_model_info
from symposia.ext.models._profile_data import (
    FactSource,
    Statement,
    Table,
    make_price,
    shipped_prices,
    shipped_profiles,
    shipped_source,
    stated_profiles,
    validated,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelProfile:
    """The limits and abilities of a model.

    Attributes:
        family: See `symposia.core.models.ModelFamily`.
        context: Tokens that prompt and answer may take together.
        max_output: Most tokens of one answer.
        vision: It takes images.
        function_calling: It takes tools.
        json_output: It can answer in JSON of any shape.
        structured_output: It can answer in JSON of a given schema.
    """

    family: str
    context: int
    max_output: int
    vision: bool = True
    function_calling: bool = True
    json_output: bool = True
    structured_output: bool = True

    def as_model_info(self) -> ModelInfo:
        return ModelInfo(
            vision=self.vision,
            function_calling=self.function_calling,
            json_output=self.json_output,
            family=self.family,
            structured_output=self.structured_output,
            multiple_system_messages=True,
        )


P = TypeVar("P", bound=ModelProfile)

ADVICE: Final = "Give model_info= if that is wrong."
"""What a program does about the assumptions for an unknown model."""
_DATE: Final = re.compile(r"[-@](\d{4}-?\d{2}-?\d{2}|latest)$")


def usual_spellings(model: str) -> Sequence[str]:
    """A model's name without the vendor that gateways put before it, and the same without its date."""
    bare = model.rpartition("/")[2]
    return (bare, _DATE.sub("", bare))


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelFacts(Generic[P]):
    """What is taken to be true of a model, and why.

    Attributes:
        profile: Its limits and abilities.
        price: The price of its tokens; None if it is not known.
        known: Whether the catalog or the user knows it. Else the profile is assumed.
        like: The model in the catalog whose profile it has; None if there is none like it.
        profile_source: Where the profiles of the catalog are from; None where the program made them.
        price_source: Where its price is from; None where that is not known, or where the price is not.
        stated: What the user states of it.
        stated_in: The file or the function in which the user does; None if there is nothing.
    """

    profile: P
    price: TokenPrice | None
    known: bool
    like: str | None
    profile_source: FactSource | None
    price_source: FactSource | None
    stated: Table
    stated_in: str | None


class ModelCatalog(Generic[P]):
    """A vendor's models, found by the longest name in the catalog that the model's name begins with.

    ``gpt-4o-2024-08-06`` is ``gpt-4o``, and so is a gateway's ``openai/gpt-4o``. A name that goes on in the middle of a
    word or number (``gpt-5.9`` after ``gpt-5``) belongs to a model that the catalog does not know: it is taken to be
    like the one that it resembles, and like `otherwise` if it resembles none.

    Args:
        vendor: The vendor, as warnings name it.
        models: The profiles, by the names of the models.
        otherwise: The profile of a model that resembles none of them.
        prices: The list prices of those models whose price is known.
        name: The name of the vendor in the registry, by which users state profiles of their own; by default `vendor`.
        profile_source: Where the profiles are from, for `facts`.
        price_source: Where the prices are from.
        spellings: The names under which a model may be known, the most exact first.
    """

    def __init__(
        self,
        vendor: str,
        models: Mapping[str, P],
        *,
        otherwise: P,
        prices: Mapping[str, TokenPrice] = {},
        name: str | None = None,
        profile_source: FactSource | None = None,
        price_source: FactSource | None = None,
        spellings: Callable[[str], Sequence[str]] = usual_spellings,
    ) -> None:
        self._spellings = spellings
        self._vendor = vendor
        self._name = vendor if name is None else name
        self._profile_source = profile_source
        self._price_source = price_source
        self._prices = prices
        self._models = models
        self._otherwise = otherwise
        # The longest first: "gpt-4o-mini" begins with "gpt-4o" and with "gpt-4" as well.
        self._names = sorted(models, key=len, reverse=True)

    @property
    def name(self) -> str:
        """The name by which users state profiles of their own."""
        return self._name

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the models in the catalog."""
        return tuple(self._models)

    def find(self, model: str) -> P:
        """The profile of a model: that which the user states, or else its own or that of the model that it resembles.

        Raises:
            InvalidArgumentError: The user states a field that profiles lack, or a value of a wrong type.
        """
        statement = self._statement(model)
        if statement is None:
            return self._known(model)
        stated = statement.table
        base = self._known(str(stated.get("like", model)))
        own = {field: stated[field] for field in stated if field not in {"like", "price"}}
        return _make_profile(type(base), base, own, f"{statement.where}: The profile of {model!r}")

    def facts(self, model: str) -> ModelFacts[P]:
        """The profile and the price of a model, and where they are from.

        Raises:
            InvalidArgumentError: The user states a field that profiles lack, or a value of a wrong type.
        """
        statement = self._statement(model)
        stated: Table = {} if statement is None else statement.table
        price = self.price(model)
        return ModelFacts(
            profile=self.find(model),
            price=price,
            known=self.knows(model),
            like=self._likeness(str(stated.get("like", model))),
            profile_source=self._profile_source,
            price_source=None if price is None or "price" in stated else self._price_source,
            stated=stated,
            stated_in=None if statement is None else statement.where,
        )

    def _known(self, model: str) -> P:
        likeness = self._likeness(model)
        return self._otherwise if likeness is None else self._models[likeness]

    def _stated(self, model: str) -> Table | None:
        """What the user states of a model."""
        statement = self._statement(model)
        return None if statement is None else statement.table

    def _statement(self, model: str) -> Statement | None:
        """What the user states of a model, under this name or without its date."""
        stated = stated_profiles(self._name)
        return next((stated[name] for name in (model, *self._spellings(model)) if name in stated), None)

    def describe(
        self,
        model: str,
        model_info: ModelInfo | None = None,
        model_capabilities: ModelCapabilities | None = None,
        *,
        server: str | None = None,
        advice: str = ADVICE,
        stacklevel: int,
    ) -> tuple[P, ModelInfo]:
        """The profile of a model, and its abilities: those that the user gives, or else those of the profile.

        A model that is not in the catalog gets a warning that says what is assumed of it, unless the user says it.

        Args:
            model: The model.
            model_info: The abilities that the user gives.
            model_capabilities: The same under their former name.
            server: Who serves the model, as the warning names it, if that is not the vendor.
            advice: What to do if the assumption is wrong.
            stacklevel: As `warnings.warn` counts it.

        Raises:
            ValueError: `model_info` lacks a field.
        """
        profile = self.find(model)
        if model_info is not None:
            validate_model_info(model_info)
            return profile, model_info
        if model_capabilities is not None:
            return profile, {**profile.as_model_info(), **model_capabilities}
        self.warn_if_unknown(model, server=server, advice=advice, stacklevel=stacklevel + 1)
        return profile, profile.as_model_info()

    def knows(self, model: str) -> bool:
        """Whether a model is in the catalog, also with a date or variant after its name, or stated by the user."""
        if self._stated(model) is not None:
            return True
        resemblance = self._resemblance(model)
        return resemblance is not None and resemblance[1][:1] in _BOUNDARIES

    def price(self, model: str) -> TokenPrice | None:
        """The price that the user states, or the list price, also under a name with a date; None if it is not known.

        A variant may share its profile with a model, and not its price: ``gpt-5-mini`` does not cost what ``gpt-5``
        does. So there is no likeness here.

        Raises:
            InvalidArgumentError: The user states a price that is none.
        """
        statement = self._statement(model)
        stated: Table = {} if statement is None else statement.table
        if statement is not None and "price" in stated:
            return make_price(stated["price"], f"{statement.where}: The price of {model!r}")
        names = self._spellings(str(stated.get("like", model)))
        return next((self._prices[name] for name in names if name in self._prices), None)

    def warn_if_unknown(self, model: str, *, server: str | None = None, advice: str = ADVICE, stacklevel: int) -> None:
        """Warn about the profile that is assumed for a model that is not in the catalog; see `describe`."""
        if self.knows(model):
            return
        likeness = self._likeness(model)
        profile = self.find(model)
        like = "is taken to have the usual abilities" if likeness is None else f"is taken to be like {likeness!r}"
        named = f"{self._vendor} model {model!r}" if server is None else f"Model {model!r} of {server}"
        subject = f"{named} is not known to this version of symposia and {like}"
        near = None if likeness is not None else self._nearest(model)
        warning = UnknownModelWarning(subject, profile, advice=advice, near=near)
        warnings.warn(warning, stacklevel=level_outside(stacklevel + 1))

    def _nearest(self, model: str) -> str | None:
        """The model in the catalog whose name may have been meant."""
        near = (difflib.get_close_matches(name, self._names, n=1, cutoff=0.8) for name in self._spellings(model))
        return next((found[0] for found in near if found), None)

    def _likeness(self, model: str) -> str | None:
        resemblance = self._resemblance(model)
        return None if resemblance is None else resemblance[0]

    def _resemblance(self, model: str) -> tuple[str, str] | None:
        """The model in the catalog that one resembles, and the rest of its name."""
        return next(
            (
                (known, name[len(known) :])
                for name in self._spellings(model)
                for known in self._names
                if name.startswith(known)
            ),
            None,
        )


def shipped_catalog(
    name: str,
    title: str,
    profile_class: type[P],
    *,
    profiles: str | None = None,
    prices: str | None = None,
    spellings: Callable[[str], Sequence[str]] = usual_spellings,
) -> ModelCatalog[P]:
    """The catalog of a vendor whose profiles and prices come with this version.

    Args:
        name: The name of the vendor in the registry.
        title: The vendor, as warnings name it.
        profile_class: The class of its profiles.
        profiles: Whose profiles hold, if not the vendor's own, as far as `profile_class` has their fields.
        prices: Whose prices hold, if not those that the file of the profiles names, or those of `profiles`.
        spellings: See `ModelCatalog`.
    """
    file = profiles or name
    data = shipped_profiles(file)
    prices = prices or data.get("prices", file)
    taken = frozenset(field.name for field in fields(profile_class))

    def make(table: Table, what: str) -> P:
        own = table if profiles is None else {field: table[field] for field in table if field in taken}
        return _make_profile(profile_class, None, own, f"The profile of {what}")

    return ModelCatalog(
        title,
        {model: make(table, repr(model)) for model, table in data["models"].items()},
        otherwise=make(data["otherwise"], "others"),
        prices=shipped_prices(prices) if prices else {},
        name=name,
        profile_source=shipped_source("profiles", file),
        price_source=shipped_source("prices", prices) if prices else None,
        spellings=spellings,
    )


def _make_profile(profile_class: type[P], base: P | None, table: Table, what: str) -> P:
    """Make a profile of what a table states, and for the rest of what `base` says. Errors begin with `what`."""
    names = [field.name for field in fields(profile_class)]
    for name in table:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"It has: {', '.join(names)}, like, price."
            if isinstance(table[name], Mapping):  # TOML reads the dot in a name as the end of a table's name
                hint = 'A model whose name has a dot is written in quotes: [vendor."model"].'
            raise InvalidArgumentError(f"{what} has no field {name!r}. {hint}")
    known = {} if base is None else {name: getattr(base, name) for name in names}
    return validated(profile_class, {**known, **table}, what)


class UnknownModelWarning(UserWarning):
    """A model is in no catalog, so that its abilities are assumed. The text says which, and how a program gives others.

    Attributes:
        assumption: The same in words, without the advice, which is for programs.
    """

    def __init__(self, subject: str, profile: ModelProfile, *, advice: str, near: str | None) -> None:
        info, context = profile.as_model_info(), f"{profile.context:,} tokens of context"
        hint = "" if near is None else f" Did you mean {near!r}?"
        super().__init__(f"{subject}: {info}, {context}.{hint} {advice}")
        abilities = [name.replace("_", " ").replace("json", "JSON") for name, has in info.items() if has is True]
        self.assumption = f"{subject}: {', '.join([*abilities, context])}.{hint}"


_BOUNDARIES: Final = ("", "-", "@", ":")
