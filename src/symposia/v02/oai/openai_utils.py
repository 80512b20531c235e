"""Configuration lists: from JSON, environment variables and files of keys, and filtered."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

from symposia.core.exceptions import InvalidArgumentError, MissingExtraError
from symposia.v02.oai._cached_answers import NOT_IN_KEYS, key_of
from symposia.v02.oai._gpt_assistants import (
    create_gpt_assistant,
    create_gpt_vector_store,
    detect_gpt_assistant_api_version,
    retrieve_assistants_by_name,
    update_gpt_assistant,
)
from symposia.v02.oai._settings import Config

__all__ = [
    "DEFAULT_AZURE_API_VERSION",
    "NON_CACHE_KEY",
    "config_list_from_dotenv",
    "config_list_from_json",
    "config_list_from_models",
    "config_list_gpt4_gpt35",
    "config_list_openai_aoai",
    "create_gpt_assistant",
    "create_gpt_vector_store",
    "detect_gpt_assistant_api_version",
    "filter_config",
    "get_config",
    "get_config_list",
    "get_key",
    "retrieve_assistants_by_name",
    "update_gpt_assistant",
]

NON_CACHE_KEY: Final = sorted(NOT_IN_KEYS)
"""What the key of a cached answer leaves out."""
DEFAULT_AZURE_API_VERSION: Final = "2024-02-01"

FilterDict = Mapping[str, Any]  # Any: a value, or several of them
_DOTENV_MODELS: Final = ("gpt-4", "gpt-3.5-turbo")

_logger = logging.getLogger(__name__)


def get_key(config: Mapping[str, Any]) -> str:  # Any: JSON
    """The JSON of a request, without credentials and addresses: the key of its answer in a cache."""
    return key_of(config)


def filter_config(
    config_list: Sequence[Config],
    filter_dict: FilterDict | None,
    exclude: bool = False,
) -> list[Config]:
    """The entries that have one of the accepted values under every key.

    A value that is a list, such as ``tags``, needs one element in common with the accepted ones. A key that is missing
    has no value: None among the accepted ones does not stand for it.

    Args:
        config_list: The entries.
        filter_dict: The accepted values of each key; without any, all entries are kept.
        exclude: Keep the entries that have an accepted value under none of the keys instead.
    """
    if not filter_dict:
        return cast("list[Config]", config_list)  # whatever a file has
    kept: list[Config] = []
    for entry in config_list:
        has = [_is_accepted(entry.get(key), accepted) for key, accepted in filter_dict.items()]
        if not any(has) if exclude else all(has):
            kept.append(entry)
    return kept


def _is_accepted(value: Any, accepted: Any) -> bool:  # Any: JSON
    if value is None:
        return False
    several = _as_collection(accepted)
    return any(each in several for each in _as_collection(value))


def _as_collection(value: Any) -> Collection[Any]:  # Any: JSON
    return cast("Collection[Any]", value) if isinstance(value, list | set | tuple | frozenset) else [value]


def config_list_from_json(
    env_or_file: str, file_location: str | None = "", filter_dict: FilterDict | None = None
) -> list[Config]:
    """Read a configuration list.

    Args:
        env_or_file: The name of an environment variable that has the JSON, or the path of a file with it; or else the
            name of a file.
        file_location: The folder of that file.
        filter_dict: As for `filter_config`.

    Raises:
        FileNotFoundError: There is neither such a variable nor such a file.
        json.JSONDecodeError: It is not JSON.
    """
    variable = os.environ.get(env_or_file)
    if variable and not Path(variable).is_file():
        return filter_config(json.loads(variable), filter_dict)
    path = Path(variable) if variable else Path(file_location or "") / env_or_file
    return filter_config(json.loads(path.read_text(encoding="utf-8")), filter_dict)


def get_config(
    api_key: str | None, base_url: str | None = None, api_type: str | None = None, api_version: str | None = None
) -> Config:
    """An entry without a model. What is not given is left out."""
    given = {"base_url": base_url, "api_type": api_type, "api_version": api_version}
    return {"api_key": api_key, **{name: value for name, value in given.items() if value}}


def get_config_list(
    api_keys: Sequence[str],
    base_urls: Sequence[str] | None = None,
    api_type: str | None = None,
    api_version: str | None = None,
) -> list[Config]:
    """An entry for each key.

    Args:
        api_keys: The keys; those that are blank are left out.
        base_urls: An address for each.
        api_type: The vendor of all.
        api_version: The version of all.

    Raises:
        AssertionError: There are not as many addresses as keys.
    """
    if base_urls is not None and len(api_keys) != len(base_urls):
        raise AssertionError("The length of api_keys must match the length of base_urls")
    urls: Iterable[str | None] = base_urls or [None] * len(api_keys)
    return [
        get_config(key.strip(), url, api_type, api_version)
        for key, url in zip(api_keys, urls, strict=True)
        if key and key.strip()
    ]


def config_list_openai_aoai(
    key_file_path: str | None = ".",
    openai_api_key_file: str | None = "key_openai.txt",
    aoai_api_key_file: str | None = "key_aoai.txt",
    openai_api_base_file: str | None = "base_openai.txt",
    aoai_api_base_file: str | None = "base_aoai.txt",
    exclude: str | None = None,
) -> list[Config]:
    """An entry for each key of OpenAI and of Azure, from environment variables, or else from files with a line each.

    The variables are ``OPENAI_API_KEY``, ``OPENAI_API_BASE``, ``AZURE_OPENAI_API_KEY`` and ``AZURE_OPENAI_API_BASE``.

    Args:
        key_file_path: The folder of the files; None for variables alone.
        openai_api_key_file: The file of OpenAI's keys.
        aoai_api_key_file: The file of Azure's keys.
        openai_api_base_file: The file of OpenAI's addresses.
        aoai_api_base_file: The file of Azure's addresses.
        exclude: ``"openai"`` or ``"aoai"`` leaves that vendor out.

    Raises:
        AssertionError: There are not as many addresses as keys.
    """

    def lines(variable: str, file: str | None) -> list[str]:
        value = os.environ.get(variable)
        if not value and key_file_path is not None and file is not None:
            path = Path(key_file_path) / file
            value = path.read_text(encoding="utf-8") if path.is_file() else ""
        return [line for line in (value or "").split("\n") if line.strip()]

    entries: list[Config] = []
    if exclude != "openai":
        keys, urls = lines("OPENAI_API_KEY", openai_api_key_file), lines("OPENAI_API_BASE", openai_api_base_file)
        entries += get_config_list(keys, urls or None)
    if exclude != "aoai":
        keys = lines("AZURE_OPENAI_API_KEY", aoai_api_key_file)
        urls = lines("AZURE_OPENAI_API_BASE", aoai_api_base_file)
        entries += get_config_list(keys, urls or None, api_type="azure", api_version=DEFAULT_AZURE_API_VERSION)
    return entries


def config_list_from_models(
    key_file_path: str | None = ".",
    openai_api_key_file: str | None = "key_openai.txt",
    aoai_api_key_file: str | None = "key_aoai.txt",
    aoai_api_base_file: str | None = "base_aoai.txt",
    exclude: str | None = None,
    model_list: Sequence[str] | None = None,
) -> list[Config]:
    """The entries of `config_list_openai_aoai` for each model of a list; without one, as they are."""
    entries = config_list_openai_aoai(
        key_file_path=key_file_path,
        openai_api_key_file=openai_api_key_file,
        aoai_api_key_file=aoai_api_key_file,
        aoai_api_base_file=aoai_api_base_file,
        exclude=exclude,
    )
    return [{**entry, "model": model} for model in model_list for entry in entries] if model_list else entries


def config_list_gpt4_gpt35(
    key_file_path: str | None = ".",
    openai_api_key_file: str | None = "key_openai.txt",
    aoai_api_key_file: str | None = "key_aoai.txt",
    aoai_api_base_file: str | None = "base_aoai.txt",
    exclude: str | None = None,
) -> list[Config]:
    """The entries of `config_list_from_models` for ``gpt-4`` and ``gpt-3.5-turbo``."""
    return config_list_from_models(
        key_file_path, openai_api_key_file, aoai_api_key_file, aoai_api_base_file, exclude, list(_DOTENV_MODELS)
    )


def config_list_from_dotenv(
    dotenv_file_path: str | None = None,
    model_api_key_map: Mapping[str, str | Mapping[str, str]] | None = None,
    filter_dict: Mapping[str, Collection[str | None]] | None = None,
) -> list[Config]:
    """An entry for each model, with keys from a file of environment variables.

    Args:
        dotenv_file_path: The file; by default ``.env``, in the working directory or above it.
        model_api_key_map: The variable of each model's key, or a dictionary with it under ``api_key_env_var`` and with
            ``base_url``, ``api_type`` and ``api_version``. ``gpt-4`` and ``gpt-3.5-turbo`` are added.
        filter_dict: As for `filter_config`.

    Raises:
        MissingExtraError: The library ``python-dotenv`` is not installed.
        InvalidArgumentError: A model has neither.
    """
    _load_variables(dotenv_file_path)
    entries: list[Config] = []
    models = {**(model_api_key_map or {})}
    for model in _DOTENV_MODELS:
        models.setdefault(model, "OPENAI_API_KEY")
    for model, wanted in models.items():
        given = _entry_options(model, wanted)
        variable = given.pop("api_key_env_var", "OPENAI_API_KEY")
        key = given.pop("api_key", None) or os.environ.get(variable, "")
        if not key.strip():
            _logger.warning("There is no key for model %s: set the environment variable %s.", model, variable)
            continue
        entries.append({**get_config(key, **given), "model": model})
    kept = filter_config(entries, filter_dict)
    if not kept:
        _logger.error("No configuration was read.")
    return kept


def _entry_options(model: str, wanted: Any) -> dict[str, Any]:  # Any: of the program
    if isinstance(wanted, str):
        return {"api_key_env_var": wanted}
    if isinstance(wanted, Mapping):
        return dict(cast("Mapping[str, Any]", wanted))
    raise InvalidArgumentError(f"The key of model {model!r} is {wanted!r}: give the name of an environment variable.")


def _load_variables(path: str | None) -> None:
    try:
        from dotenv import find_dotenv, load_dotenv  # noqa: PLC0415 - only this function needs it
    except ImportError as error:
        raise MissingExtraError("config_list_from_dotenv", "dotenv") from error
    if path and not Path(path).is_file():
        _logger.warning("There is no file %s: the environment variables are read as they are.", path)
        return
    found = path or find_dotenv(usecwd=True)
    if found:
        load_dotenv(found)
