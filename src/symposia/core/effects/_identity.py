"""The identities of implementations in requests of effects. Apart from the machinery, which only handlers need."""

from __future__ import annotations

import sys
from itertools import takewhile
from typing import Literal, TypeAlias

from pydantic import JsonValue

Idempotency: TypeAlias = Literal["pure", "idempotent", "unknown"]
"""What may be done with an effect whose outcome is not known, because the process ended in the middle of it.

``pure``: the outcome depends on the request alone. ``idempotent``: doing it again does no harm. ``unknown``: only a
person can tell.
"""


def class_identity(value: object) -> dict[str, JsonValue]:
    """The name of a value's class, for requests: ``{"class": "module.Name"}``.

    The module is the public one that exports the class, if there is one: a record outlives the release that made it,
    and any release may rename a private module.
    """
    cls = type(value)
    module = cls.__module__
    public = ".".join(takewhile(lambda part: not part.startswith("_"), module.split(".")))
    exported = getattr(sys.modules.get(public), cls.__qualname__, None)
    return {"class": f"{public if exported is cls else module}.{cls.__qualname__}"}
