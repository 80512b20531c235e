"""A Python text, parsed by libcst, and edits of it.

A text is changed by edits of spans, and not by writing the tree anew: what no edit covers stays byte for byte, also
what the tree does not keep, such as form feeds.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from symposia.migration._syntax import TOO_DEEP, syntax_problem

try:
    import libcst as cst
    from libcst.metadata import ByteSpanPositionProvider, CodeSpan, MetadataWrapper
except ImportError:
    from symposia.core.exceptions import MissingExtraError

    raise MissingExtraError("symposia migrate", "migrate") from None

__all__ = ["Edit", "Source", "SourceError", "cst", "dotted_name", "edited", "parsed"]


class SourceError(ValueError):
    """A text is no Python.

    Args:
        message: What is wrong.
        line: Where, from 1.
    """

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, order=True)
class Edit:
    """A span of UTF-8 bytes, and the text that takes its place."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Source:
    """A parsed text.

    Attributes:
        code: The text as UTF-8.
        wrapper: The tree, with its metadata.
        spans: Where each node is in what the tree holds of the text.
        places: Where each byte that the tree holds is in `code`, and the end of it.
    """

    code: bytes
    wrapper: MetadataWrapper
    spans: Mapping[cst.CSTNode, CodeSpan]
    places: Sequence[int]

    @property
    def module(self) -> cst.Module:
        """The tree."""
        return self.wrapper.module

    @property
    def newline(self) -> str:
        """How lines end."""
        return self.module.default_newline

    def start(self, node: cst.CSTNode) -> int:
        """Where a node begins."""
        return self.places[self.spans[node].start]

    def end(self, node: cst.CSTNode) -> int:
        """Where a node ends."""
        span = self.spans[node]
        return self.places[span.start + span.length - 1] + 1 if span.length else self.places[span.start]

    def line(self, node: cst.CSTNode) -> int:
        """The line of a node, from 1."""
        return self.line_at(self.start(node))

    def line_at(self, offset: int) -> int:
        """The line of a byte, from 1."""
        return bisect_right(self._line_starts, offset)

    def text(self, node: cst.CSTNode) -> str:
        """A node as it is written."""
        return self.code[self.start(node) : self.end(node)].decode()

    def replaced(self, node: cst.CSTNode, text: str) -> Edit:
        """The edit that puts a text in place of a node."""
        return Edit(self.start(node), self.end(node), text)

    def removed_line(self, node: cst.CSTNode) -> Edit:
        """The edit that removes a statement, with its line where nothing else stands there."""
        start, end = self.start(node), self.end(node)
        if not self.is_first_in_line(node) or self.code[end : end + 1] not in {b"\n", b"\r"}:
            rest = self.code[end:]
            return Edit(start, end + len(rest) - len(rest.lstrip(b" \t")), "")
        newline = 2 if self.code[end : end + 2] == b"\r\n" else 1
        return Edit(start - len(self._line_before(start).encode()), end + newline, "")

    def indent(self, node: cst.CSTNode) -> str:
        """The white space with which the line of a node begins."""
        return self.indent_at(self.start(node))

    def indent_at(self, offset: int) -> str:
        """The white space with which the line of a byte begins."""
        before = self._line_before(offset)
        return before[: len(before) - len(before.lstrip())]

    def line_start(self, offset: int) -> str:
        """What ends a line, and then the white space with which the line of a byte begins."""
        return self.newline + self.indent_at(offset)

    def is_first_in_line(self, node: cst.CSTNode) -> bool:
        """Whether only white space is before a node in its line."""
        return not self._line_before(self.start(node)).strip()

    def statement_start(self, node: cst.CSTNode) -> int:
        """Where the statement or decorator begins, on a line of its own, that a node is in."""
        offset = self.start(node)
        before = self._statements[: bisect_right(self._statements, (offset, len(self.code)))]
        return next((start for start, end in reversed(before) if offset <= end), 0)

    @cached_property
    def _statements(self) -> Sequence[tuple[int, int]]:
        """The beginnings and ends of the statements and decorators that have lines of their own, in order."""
        statements = (each for each in self.spans if isinstance(each, (cst.BaseStatement, cst.Decorator)))
        return sorted((self.start(each), self.end(each)) for each in statements if self.is_first_in_line(each))

    def _line_before(self, offset: int) -> str:
        return self.code[self._line_starts[self.line_at(offset) - 1] : offset].decode()

    @cached_property
    def _line_starts(self) -> Sequence[int]:
        return [0, *(end.end() for end in re.finditer(rb"\r\n|\r|\n", self.code))]


def parsed(text: str) -> Source:
    """Parse a text.

    Raises:
        SourceError: It is no Python, or is nested too deeply.
    """
    if problem := syntax_problem(text):
        raise SourceError(problem[1], problem[0])
    try:
        wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
        spans = wrapper.resolve(ByteSpanPositionProvider)
    except cst.ParserSyntaxError as error:
        raise SourceError("It has syntax that libcst does not know yet.", error.raw_line) from None
    except RecursionError:
        raise SourceError(TOO_DEEP, 1) from None
    code = text.encode()
    return Source(code, wrapper, spans, _places(code, wrapper.module.code.encode()))


def _places(code: bytes, held: bytes) -> Sequence[int]:
    """Where the bytes that a tree holds are in the text: it lacks form feeds between tokens.

    Raises:
        SourceError: It lacks something else.
    """
    if code == held:
        return range(len(code) + 1)
    places: list[int] = []
    place = 0
    for byte in held:
        while code[place : place + 1] == b"\f" and byte != ord("\f"):
            place += 1
        if code[place : place + 1] != bytes([byte]):
            raise SourceError("It has characters that would not be kept.", 1 + code.count(b"\n", 0, place))
        places.append(place)
        place += 1
    return [*places, len(code)]


def edited(source: Source, edits: Iterable[Edit]) -> str:
    """The text with the edits made. They must not overlap."""
    parts: list[bytes] = []
    place = 0
    for edit in sorted(set(edits)):
        parts += [source.code[place : edit.start], edit.text.encode()]
        place = edit.end
    return b"".join([*parts, source.code[place:]]).decode()


def dotted_name(node: cst.BaseExpression | None) -> str:
    """The text of ``a.b.c``; empty for other expressions."""
    match node:
        case cst.Name(value=value):
            return value
        case cst.Attribute(value=value, attr=attr):
            before = dotted_name(value)
            return f"{before}.{attr.value}" if before else ""
        case _:
            return ""
