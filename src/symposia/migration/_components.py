"""Component JSON: the providers that AutoGen wrote, as ours. Nothing else in the file is changed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from pydantic import JsonValue

from symposia.migration._findings import FindingKind, Note, Use
from symposia.migration._names import is_theirs, resolved
from symposia.migration._python import MigratedText
from symposia.migration._syntax import TOO_DEEP

_PROVIDER = re.compile(r'("provider"\s*:\s*")(autogen_[\w.]+)(")')


def migrate_components(text: str) -> MigratedText:
    """Rename the providers in a JSON text. A text without components, or that is no JSON, stays as it is."""
    if not _PROVIDER.search(text):
        return MigratedText(text)
    try:
        providers = set(_providers(json.loads(text)))
    except RecursionError:
        return MigratedText(text, [Note(line=0, kind=FindingKind.UNREADABLE, text=TOO_DEEP)])
    except ValueError as error:
        return MigratedText(text, [Note(line=0, kind=FindingKind.UNREADABLE, text=f"It is no JSON: {error}.")])
    notes: list[Note] = []
    uses: list[Use] = []

    def renamed(found: re.Match[str]) -> str:
        name = found[2]
        if name not in providers:
            return found[0]
        line = 1 + text.count("\n", 0, found.start())
        uses.append(Use(line=line, name=name))
        here = resolved(name)
        if here.missing:
            notes.append(Note(line=line, kind=FindingKind.MISSING, text=here.reason, name=here.missing))
            return found[0]
        return f"{found[1]}{here.ours}{found[3]}"

    return MigratedText(_PROVIDER.sub(renamed, text), notes, uses)


def _providers(value: JsonValue) -> Iterator[str]:
    """The providers of the components in a JSON value."""
    if isinstance(value, list):
        for each in value:
            yield from _providers(each)
    elif isinstance(value, dict):
        provider = value.get("provider")
        if isinstance(provider, str) and is_theirs(provider) and "config" in value:
            yield provider
        for each in value.values():
            yield from _providers(each)
