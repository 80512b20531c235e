"""The identities of implementations in requests of effects. Apart from the machinery, which only handlers need."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import JsonValue

Idempotency: TypeAlias = Literal["pure", "idempotent", "unknown"]
"""What may be done with an effect whose outcome is not known, because the process ended in the middle of it.

``pure``: the outcome depends on the request alone. ``idempotent``: doing it again does no harm. ``unknown``: only a
person can tell.
"""


def class_identity(value: object) -> dict[str, JsonValue]:
    """The name of a value's class, for requests: ``{"class": "module.Name"}``."""
    return {"class": f"{type(value).__module__}.{type(value).__qualname__}"}
