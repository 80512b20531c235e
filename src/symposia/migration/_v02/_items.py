"""The items between two brackets, some of them changed or dropped. White space and comments around them stay."""

from __future__ import annotations

import re
from collections.abc import Sequence

from symposia.migration._source import Edit, Source, cst

_SHORT = 90

Items = Sequence[tuple[cst.CSTNode, str | None]]
"""The items in order, each with the text that takes its place; None drops it, but keeps its comment."""


def call_arguments(source: Source, call: cst.Call, items: Items, extra: Sequence[str] = ()) -> str:
    """The arguments of a call, without the parentheses."""
    begin = source.code.index(b"(", source.end(call.func)) + 1
    return _rewritten(source, begin, source.end(call) - 1, items, extra)


def arguments_text(arguments: Sequence[str], line_start: str) -> str:
    """Arguments without their parentheses: on one line if they are short, else on a line each.

    Args:
        arguments: The arguments.
        line_start: A line feed, and the white space of the line in which the call begins.
    """
    short = ", ".join(arguments)
    if len(short) <= _SHORT and "\n" not in short:
        return short
    return "".join(f"{line_start}    {each}," for each in arguments) + line_start


def dict_as_arguments(source: Source, node: cst.Dict, items: Items, extra: Sequence[str] = ()) -> str:
    """The elements of a dictionary, without the braces."""
    return _rewritten(source, source.start(node) + 1, source.end(node) - 1, items, extra)


def comments_in(node: cst.CSTNode) -> Sequence[str]:
    """The comments inside a node."""
    collector = _Comments()
    node.visit(collector)
    return collector.found


def removed_construct(source: Source, call: cst.Call, statement: cst.CSTNode) -> Edit:
    """The edit that removes a statement with a call, and leaves the comments that stand in the call."""
    comments = comments_in(call)
    if not comments:
        return source.removed_line(statement)
    return source.replaced(statement, (source.newline + source.indent(statement)).join(comments))


def _rewritten(source: Source, begin: int, end: int, items: Items, extra: Sequence[str]) -> str:
    code = source.code
    if not {b"\n", b"\r"} & {code[place : place + 1] for place in range(begin, end)}:
        return arguments_text([*(new for _, new in items if new is not None), *extra], source.line_start(begin))
    starts = [source.start(node) for node, _ in items]
    text = code[begin : starts[0] if starts else end].decode()
    for index, (node, new) in enumerate(items):
        is_last = index + 1 == len(items)
        after = code[source.end(node) : end if is_last else starts[index + 1]].decode()
        if new is not None:
            text += new + after
            continue
        rest = after.lstrip().removeprefix(",")
        if "#" in rest:
            text += rest.lstrip()
        elif is_last:
            text = text.rstrip() + (rest if "\n" in rest else "")
            text = text if "\n" in rest else text.removesuffix(",")
    return _with_extra(text, extra)


def _with_extra(text: str, extra: Sequence[str]) -> str:
    if not extra:
        return text
    body = text.rstrip()
    closing = text[len(body) :]
    is_commented = "#" in body.rsplit("\n", 1)[-1]
    if not body:
        return ", ".join(extra)
    if "\n" not in closing and not is_commented:
        return f"{body.removesuffix(',')}, {', '.join(extra)}{closing}"
    indents = re.findall(r"\n([ \t]*)(?=[^\s#])", text)
    between = "\n" + (indents[0] if indents else "    ")
    if not is_commented and not body.endswith(","):
        body += ","
    return body + "".join(f"{between}{each}," for each in extra) + (closing if "\n" in closing else "\n")


class _Comments(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def visit_Comment(self, node: cst.Comment) -> None:  # noqa: N802 - libcst's name
        self.found.append(node.value)
