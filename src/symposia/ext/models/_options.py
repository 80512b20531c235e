"""The options of a client: checked, and sorted by their purpose."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self, cast

from pydantic import BaseModel, SecretStr

from symposia._lazy import is_installed
from symposia.core import ComponentModel
from symposia.core.exceptions import ArgumentTypeError, CredentialsError, InvalidArgumentError, MissingExtraError
from symposia.ext.models._wire_format import JsonOutput


@dataclass(frozen=True, kw_only=True, slots=True)
class OptionNames:
    """The names of a client's options, by their purpose.

    Attributes:
        connection: For the SDK's client.
        behaviour: For ours.
        arguments: Sent with every request.
        later_arguments: Arguments of the installed SDK that were added after this version of symposia.
    """

    connection: frozenset[str]
    behaviour: frozenset[str]
    arguments: frozenset[str]
    later_arguments: frozenset[str]

    @property
    def suggested(self) -> frozenset[str]:
        return self.connection | self.behaviour | self.arguments


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientOptions:
    """The options that a client was given, sorted.

    Attributes:
        model: The name of the model.
        connection: The keywords for the SDK's client.
        behaviour: The keywords for ours.
        arguments: Sent with every request, ``model`` among them.
    """

    model: str
    connection: dict[str, Any]  # Any: each is of its parameter's type
    behaviour: dict[str, Any]
    arguments: dict[str, object]

    @classmethod
    def read(
        cls,
        client: object,
        given: Mapping[str, object],
        *,
        sdk: str,
        extra: str | None = None,
        names: Callable[[], OptionNames],
    ) -> Self:
        """Check and sort the options of a client.

        Args:
            client: The client, which errors name.
            given: Its options.
            sdk: The module of the vendor's SDK.
            extra: The extra that installs it, if it is called otherwise.
            names: Imports the SDK, to read the names of its arguments.

        Raises:
            MissingExtraError: The SDK is not installed.
            InvalidArgumentError: The client has no such option, of which the text suggests the nearest; or no model is
                named, which is checked before a key is looked up.
            ArgumentTypeError: ``timeout`` or ``max_retries`` is no number.
        """
        name = type(client).__name__
        if not is_installed(sdk):
            raise MissingExtraError(name, extra or sdk)
        known = names()
        check_known(name, given.keys() - known.later_arguments, known.suggested)
        ours = known.connection | known.behaviour
        _check_numbers(name, given)
        return cls(
            model=check_model(name, given.get("model")),
            connection={key: given[key] for key in given if key in known.connection and _is_given(key, given[key])},
            behaviour={key: given[key] for key in given if key in known.behaviour},
            arguments={key: given[key] for key in given if key not in ours},
        )


def check_installed(package: str, feature: str, extra: str) -> None:
    """Check that a package is installed which an SDK needs for some of its clients.

    Raises:
        MissingExtraError: It is not.
    """
    if not is_installed(package):
        raise MissingExtraError(feature, extra)


def _check_numbers(owner: str, given: Mapping[str, object]) -> None:
    """Check the options that the SDKs only look at when a request is sent; a program may have read them from a file."""
    seconds, retries = given.get("timeout"), given.get("max_retries")
    if isinstance(seconds, str | bytes | bool):  # the HTTP clients have types of their own for several limits
        raise ArgumentTypeError(f"timeout of {owner} is {seconds!r}: give seconds, such as 60.0.")
    if retries is not None and not isinstance(retries, int):
        raise ArgumentTypeError(f"max_retries of {owner} is {retries!r}: give a whole number.")


def _is_given(name: str, value: object) -> bool:
    """None means that no value is given; as a timeout it means no limit."""
    return value is not None or name == "timeout"


def check_known(owner: str, given: Iterable[str], known: Collection[str]) -> None:
    """Check that every option is one that a client, or a group of its options, has.

    Raises:
        InvalidArgumentError: One is not; the text suggests the nearest.
    """
    for name in given:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f" Did you mean {nearest[0]!r}?" if nearest else f" It has: {', '.join(sorted(known))}."
            raise InvalidArgumentError(f"{owner} has no option {name!r}.{hint}")


def check_model(client: str, model: object) -> str:
    """Check that a model was named.

    Raises:
        InvalidArgumentError: None was.
    """
    if isinstance(model, str) and model.strip():
        return model
    raise InvalidArgumentError(f'{client} needs the name of a model, such as {client}(model="…"), not {model!r}.')


def missing_key(model: str, variable: str, *, options: str = "api_key=", more: str = "") -> CredentialsError:
    """The error of a client without a key.

    Args:
        model: The model.
        variable: The environment variable that can hold the key.
        options: The options that can, or another credential in its place.
        more: Sentences about other ways.
    """
    text = f"There is no API key for model {model!r}: set the environment variable {variable}, or give {options}."
    return CredentialsError(f"{text} {more}".rstrip())


def check_key(model: str, key: object, variable: str | None) -> None:
    """Check that a key can be sent, if it is a text: a key that was copied may have a line break or curly quotes.

    The HTTP clients refuse it only when a request is sent, with the key in the error, or an error of encoding.

    Args:
        model: The model, which the error names.
        key: The key, or what the SDK gets one from.
        variable: The environment variable that can hold it; None if only an option does.

    Raises:
        CredentialsError: It cannot be sent.
    """
    if isinstance(key, str) and not (key.isascii() and key.isprintable() and " " not in key):
        place = f", into the environment variable {variable} or to where the client is given it" if variable else ""
        raise CredentialsError(
            f"The API key for model {model!r} has a space, a line break or another character that no key has. Copy it "
            f"again, without quotes{place}."
        )


def as_arguments(config: BaseModel) -> BaseModel:
    """The configuration with values as constructors take them: secrets shown, and models of options as dictionaries."""
    values = {name: getattr(config, name) for name in config.model_fields_set}
    return config.model_copy(update={name: _as_argument(value) for name, value in values.items()})


def _as_argument(value: object) -> object:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, BaseModel) and not isinstance(value, ComponentModel):
        return value.model_dump(exclude_none=True)
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        return {name: _as_argument(one) for name, one in fields.items()}
    return value


def usual_form(response_format: object) -> JsonOutput:
    """The form of answers that a client's ``response_format`` asks for: a pydantic model, or as OpenAI has it."""
    if isinstance(response_format, Mapping):
        return cast("Mapping[str, object]", response_format).get("type") == "json_object"
    return cast("type[BaseModel] | None", response_format)
