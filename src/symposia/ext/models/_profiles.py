"""Profiles of models, found by name. Each vendor's are data in a module of its own."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from symposia.core.models import ModelCapabilities, ModelInfo, TokenPrice, validate_model_info


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
    """

    def __init__(
        self, vendor: str, models: Mapping[str, P], *, otherwise: P, prices: Mapping[str, TokenPrice] = {}
    ) -> None:
        self._vendor = vendor
        self._prices = prices
        self._models = models
        self._otherwise = otherwise
        # The longest first: "gpt-4o-mini" begins with "gpt-4o" and with "gpt-4" as well.
        self._names = sorted(models, key=len, reverse=True)

    def find(self, model: str) -> P:
        """The profile of a model, or of the one that it resembles."""
        likeness = self._likeness(model)
        return self._otherwise if likeness is None else self._models[likeness]

    def describe(
        self,
        model: str,
        model_info: ModelInfo | None,
        model_capabilities: ModelCapabilities | None,
        *,
        stacklevel: int,
    ) -> tuple[P, ModelInfo]:
        """The profile of a model, and its abilities: those that the user gives, or else those of the profile.

        A model that is not in the catalog gets a warning that says what is assumed of it, unless the user says it.

        Raises:
            ValueError: `model_info` lacks a field.
        """
        profile = self.find(model)
        if model_info is not None:
            validate_model_info(model_info)
            return profile, model_info
        if model_capabilities is not None:
            return profile, {**profile.as_model_info(), **model_capabilities}
        self.warn_if_unknown(model, stacklevel=stacklevel + 1)
        return profile, profile.as_model_info()

    def knows(self, model: str) -> bool:
        """Whether a model is in the catalog, under this name or with a date or variant after it."""
        likeness = self._likeness(model)
        return likeness is not None and _bare(model)[len(likeness) :][:1] in _BOUNDARIES

    def price(self, model: str) -> TokenPrice | None:
        """The list price of a model, also under a name with a date.

        A variant may share its profile with a model, and not its price: ``gpt-5-mini`` does not cost what ``gpt-5``
        does. So there is no likeness here.
        """
        return self._prices.get(_DATE.sub("", _bare(model)))

    def warn_if_unknown(self, model: str, *, stacklevel: int) -> None:
        """Warn about the profile that is assumed for a model that is not in the catalog."""
        if self.knows(model):
            return
        likeness = self._likeness(model)
        profile = self.find(model)
        like = "is taken to have the usual abilities" if likeness is None else f"is taken to be like {likeness!r}"
        subject = f"{self._vendor} model {model!r} is not known to this version of symposia and {like}"
        warnings.warn(UnknownModelWarning(subject, profile), stacklevel=stacklevel + 1)

    def _likeness(self, model: str) -> str | None:
        return next(filter(_bare(model).startswith, self._names), None)


class UnknownModelWarning(UserWarning):
    """A model is in no catalog, so that its abilities are assumed. The text says which, and how a program gives others.

    Attributes:
        assumption: The same in words, without the advice, for those who cannot change the program.
    """

    def __init__(self, subject: str, profile: ModelProfile) -> None:
        info, context = profile.as_model_info(), f"{profile.context:,} tokens of context"
        super().__init__(f"{subject}: {info}, {context}. Give model_info= if that is wrong.")
        abilities = [name.replace("_", " ").replace("json", "JSON") for name, has in info.items() if has is True]
        self.assumption = f"{subject}: {', '.join([*abilities, context])}."


_DATE: Final = re.compile(r"-(\d{4}-?\d{2}-?\d{2}|latest)$")
_BOUNDARIES: Final = ("", "-", "@", ":")


def _bare(model: str) -> str:
    """The name without the vendor or region that gateways put before it."""
    return model.rpartition("/")[2]
