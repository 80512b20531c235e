"""Checking what a client was constructed with."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

from symposia.core.exceptions import InvalidArgumentError


def check_names(client: str, given: Iterable[str], known: Collection[str]) -> None:
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
