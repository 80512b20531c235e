from __future__ import annotations

import warnings
from typing import Final, Required, TypedDict

from symposia.core.models._family import ModelFamily


class ModelCapabilities(TypedDict, total=False):
    """What a model can do: the former name of `ModelInfo`."""

    vision: Required[bool]
    function_calling: Required[bool]
    json_output: Required[bool]


class ModelInfo(TypedDict, total=False):
    """What a model can do.

    Attributes:
        vision: It takes images.
        function_calling: It takes tools.
        json_output: It can be told to answer in JSON of any shape.
        family: See `ModelFamily`; ``"unknown"`` will do.
        structured_output: It can be told to answer in JSON of a given schema.
        multiple_system_messages: It takes system messages that do not follow each other.
    """

    vision: Required[bool]
    function_calling: Required[bool]
    json_output: Required[bool]
    family: Required[ModelFamily.ANY | str]
    structured_output: Required[bool]
    multiple_system_messages: bool | None


_REQUIRED: Final = ("vision", "function_calling", "json_output", "family")


def validate_model_info(model_info: ModelInfo) -> None:
    """Check that a `ModelInfo` says all it must.

    AutoGen's programs of before 0.5 leave `structured_output` out; that gets a warning.

    Raises:
        ValueError: A field is missing.
    """
    missing = [field for field in _REQUIRED if field not in model_info]
    if missing:
        raise ValueError(f"Missing required field {', '.join(map(repr, missing))} in ModelInfo.")
    if "structured_output" not in model_info:
        warnings.warn(
            "Missing required field 'structured_output' in ModelInfo: say whether the model can keep to a schema.",
            stacklevel=2,
        )
