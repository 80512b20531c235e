"""The functions that a model is told of, in the configuration of an agent's model."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Literal, cast

from symposia.v02.agentchat._model_replies import checked_name

Config = dict[str, Any]  # Any: the options of many model vendors
Signature = Mapping[str, Any]  # Any: a JSON schema
Style = Literal["tool", "function"]

_KEYS: Mapping[Style, str] = {"tool": "tools", "function": "functions"}


def update_signature(config: object, style: Style, signature: str | Signature, *, is_remove: bool) -> None:
    """Tell a model of a function, or no longer.

    Args:
        config: The configuration, which is changed.
        style: Whether the function is a tool, or one of OpenAI's older interface.
        signature: The function as JSON; to remove it, its name is enough.
        is_remove: Whether it is removed.

    Raises:
        AssertionError: There is no configuration, or none of the function that is to be removed.
        ValueError: The signature is no dict, or its name is none of a function.
    """
    if not isinstance(config, dict):
        raise AssertionError(f"To update a {style} signature, agent must have an llm_config")  # noqa: TRY004 - as in AutoGen 0.2
    if is_remove:
        _remove(cast("Config", config), style, signature)
    else:
        _add(cast("Config", config), style, signature)


def _name(style: Style, signature: Signature) -> str:
    return str(signature["function"]["name"] if style == "tool" else signature["name"])


def _remove(config: Config, style: Style, signature: str | Signature) -> None:
    key = _KEYS[style]
    name = signature if isinstance(signature, str) else _name(style, signature)
    present: list[Signature] = config.get(key, [])
    kept = [each for each in present if _name(style, each) != name]
    if len(kept) == len(present):
        raise AssertionError(f"The agent config doesn't have {style} {name}.")
    if kept:
        config[key] = kept
    else:
        del config[key]


def _add(config: Config, style: Style, signature: str | Signature) -> None:
    if not isinstance(signature, dict):
        raise ValueError(  # noqa: TRY004 - as in AutoGen 0.2
            f"The {style} signature must be of the type dict. Received {style} signature type {type(signature)}"
        )
    name = checked_name(_name(style, signature))
    key = _KEYS[style]
    present: list[Signature] = config.get(key, [])
    others = [each for each in present if _name(style, each) != name]
    if len(others) < len(present):
        warnings.warn(f"Function '{name}' is being overridden.", UserWarning, stacklevel=4)
    config[key] = [*others, signature]


def described(function: Callable[..., Any], name: str | None, description: str | None) -> tuple[str, str]:
    """The name and the description of a function for a model, which it keeps for further registrations.

    Args:
        function: The function.
        name: Its name; by default that of an earlier registration, or its own.
        description: Its description; by default that of an earlier registration.

    Raises:
        ValueError: There is no description.
    """
    name = name or cast("str | None", getattr(function, "_name", None)) or function.__name__
    description = description or cast("str | None", getattr(function, "_description", None))
    if description is None:
        raise ValueError("Function description is required, none found.")
    with suppress(AttributeError):  # a method, which keeps nothing
        function._name, function._description = name, description  # noqa: SLF001 # pyright: ignore[reportFunctionMemberAccess] - AutoGen 0.2's names
    return name, description
