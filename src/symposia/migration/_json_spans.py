"""Where the values of a JSON text are, so that one is replaced and every other character stays.

`json` reads the values; what is kept here are their places. The text has to be JSON: read it with `json.loads` first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class JsonSpan:
    """A value in a text.

    Attributes:
        text: The whole text.
        start: Where the value begins.
        end: Where it ends.
    """

    text: str
    start: int
    end: int

    @classmethod
    def whole(cls, text: str) -> JsonSpan:
        """The value of a text that is JSON."""
        return cls._at(text, _after_space(text, 0))

    @property
    def value(self) -> JsonValue:
        """The value."""
        return _DECODER.raw_decode(self.text, self.start)[0]

    @property
    def written(self) -> str:
        """The value as it is written."""
        return self.text[self.start : self.end]

    def elements(self) -> Sequence[JsonSpan]:
        """The elements of an array; nothing for another value."""
        return list(self._parts()) if self.text[self.start] == "[" else []

    def members(self) -> Mapping[str, JsonSpan]:
        """The values of an object by their keys: of a key that is repeated the last, as `json` has it."""
        if self.text[self.start] != "{":
            return {}
        found: dict[str, JsonSpan] = {}
        for key in self._parts():
            place = _after_space(self.text, key.end) + 1  # the colon
            found[str(key.value)] = self._at(self.text, _after_space(self.text, place))
        return found

    def _parts(self) -> Iterator[JsonSpan]:
        """The elements, or the keys."""
        text, is_object = self.text, self.text[self.start] == "{"
        place = _after_space(text, self.start + 1)
        while text[place] not in "]}":
            part = self._at(text, place)
            yield part
            end = part.end
            if is_object:
                end = self._at(text, _after_space(text, _after_space(text, end) + 1)).end
            place = _after_space(text, end)
            if text[place] == ",":
                place = _after_space(text, place + 1)

    @classmethod
    def _at(cls, text: str, start: int) -> JsonSpan:
        return cls(text, start, _DECODER.raw_decode(text, start)[1])


def with_lines(source: JsonSpan, text: str) -> str:
    """A text or an array of lines in JSON, written anew in the layout of the one before. Lines that were there stay.

    Args:
        source: The value before.
        text: The new text.
    """
    ascii_only = source.text.isascii()
    if not (lines := source.elements()):
        return json.dumps(text, ensure_ascii=ascii_only)
    before = [str(line.value) for line in lines]
    as_before = {line: span.written for line, span in zip(before, lines, strict=True)}
    is_split_everywhere = "".join(before).splitlines(keepends=True) == before
    after = text.splitlines(keepends=True) if is_split_everywhere else re.findall(r"[^\n]*\n|[^\n]+", text)
    written = [as_before.get(line) or json.dumps(line, ensure_ascii=ascii_only) for line in after]
    head, tail = source.text[source.start : lines[0].start], source.text[lines[-1].end : source.end]
    return head + _between(source, lines).join(written) + tail


def _between(source: JsonSpan, lines: Sequence[JsonSpan]) -> str:
    """What stands between two lines of an array."""
    if len(lines) > 1:
        return source.text[lines[0].end : lines[1].start]
    if space := source.text[source.start + 1 : lines[0].start]:
        return f",{space}"
    is_compact = source.text[source.start - 1] == ":"
    return "," if is_compact else ", "


def _after_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place
