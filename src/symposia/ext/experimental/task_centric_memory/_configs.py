"""Configurations given as dictionaries, which programs mostly read from YAML."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from symposia.core.exceptions import InvalidArgumentError
from symposia.core.json_values import validation_faults

ConfigT = TypeVar("ConfigT", bound=Mapping[str, object])


def checked_config(config: ConfigT | None, schema: type[ConfigT]) -> ConfigT:
    """A configuration whose keys and values are those of its schema; without one, an empty one.

    Raises:
        InvalidArgumentError: It has a key that does not exist, or a value of another type.
    """
    try:
        return _adapter(schema).validate_python(dict(config or {}))
    except ValidationError as error:
        faults = "; ".join(validation_faults(error, "the configuration"))
        keys = ", ".join(schema.__annotations__)
        raise InvalidArgumentError(f"This {schema.__name__} cannot be used: {faults}. Its keys are {keys}.") from error


@lru_cache(maxsize=8)
def _adapter(schema: type[Any]) -> TypeAdapter[Any]:  # Any: each of the configurations
    return TypeAdapter(schema)
