"""Checking what a client was constructed with."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from symposia.core.exceptions import InvalidArgumentError


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


def sort_options(
    client: str, given: Mapping[str, object], names: OptionNames
) -> tuple[dict[str, Any], dict[str, Any], dict[str, object]]:  # Any: passed on as keywords of other types
    """The options for the connection, for the behaviour and for the requests.

    Raises:
        InvalidArgumentError: The client has no such option; the text suggests the nearest.
    """
    _check_names(client, given.keys() - names.later_arguments, names.suggested)
    connection = {name: value for name, value in given.items() if name in names.connection and _is_given(name, value)}
    behaviour = {name: value for name, value in given.items() if name in names.behaviour}
    arguments = {name: value for name, value in given.items() if name not in names.connection | names.behaviour}
    return connection, behaviour, arguments


def _is_given(name: str, value: object) -> bool:
    """None means that no value is given; as a timeout it means no limit."""
    return value is not None or name == "timeout"


def _check_names(client: str, given: Iterable[str], known: Collection[str]) -> None:
    """Check that every option is one that the client has.

    Raises:
        InvalidArgumentError: One is not; the text suggests the nearest.
    """
    for name in given:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f" Did you mean {nearest[0]!r}?" if nearest else f" It has: {', '.join(sorted(known))}."
            raise InvalidArgumentError(f"{client} has no option {name!r}.{hint}")


def check_model(client: str, model: object) -> str:
    """Check that a model was named.

    Raises:
        InvalidArgumentError: None was.
    """
    if isinstance(model, str) and model.strip():
        return model
    raise InvalidArgumentError(f'{client} needs the name of a model, such as {client}(model="…"), not {model!r}.')
