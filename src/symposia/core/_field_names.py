"""Names of pydantic fields for names that pydantic may reserve."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel


def field_names(names: Sequence[str]) -> dict[str, str]:
    """A pydantic field for each name: the name itself, unless pydantic keeps it (``_x``, ``schema``)."""
    fields: dict[str, str] = {}
    for name in names:
        field = name
        if name.startswith("_") or hasattr(BaseModel, name):
            field = f"field_{name.lstrip('_')}"
        while field != name and (field in names or field in fields.values()):
            field += "_"
        fields[name] = field
    return fields
