"""``is_termination_msg`` as a termination condition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from typing_extensions import override

from symposia.migration._source import Edit, Source, cst, dotted_name, edited
from symposia.migration._v02._expressions import NotCertainError, constant, text_value
from symposia.migration._v02._program import Program

TEXT = "messages[-1].to_text()"
SOURCE = "messages[-1].source"


@dataclass(frozen=True)
class Condition:
    """When a chat ends.

    Attributes:
        mention: The text that a message has to have; empty for other conditions.
        predicate: An expression of `messages`; empty where `mention` is set.
    """

    mention: str = ""
    predicate: str = ""

    def expression(self, sources: Sequence[str]) -> tuple[str, str]:
        """The class of the condition, and the expression that makes it.

        Args:
            sources: Whose messages count; all messages if empty.
        """
        if self.mention:
            only = f", sources=[{', '.join(map(_quoted, sources))}]" if sources else ""
            return "TextMentionTermination", f"TextMentionTermination({_quoted(self.mention)}{only})"
        who = f"{SOURCE} in {[*sources]!r} and ".replace("'", '"') if len(sources) > 1 else ""
        who = f"{SOURCE} == {_quoted(sources[0])} and " if len(sources) == 1 else who
        return "FunctionalTermination", f"FunctionalTermination(lambda messages: {who}{self.predicate})"


DEFAULT = Condition(predicate=f'{TEXT} == "TERMINATE"')
"""What AutoGen 0.2 does without ``is_termination_msg``: the text of a message is this word, and nothing else."""


def condition_of(program: Program, arg: cst.Arg | None) -> Condition | None:
    """The condition of an argument ``is_termination_msg``; None if it is never met.

    Raises:
        NotCertainError: The function looks at more than the text and the sender of a message.
    """
    if arg is None or constant(arg.value) == "None":
        return DEFAULT
    if isinstance(arg.value, cst.Name) and arg.value.value in program.functions:
        return Condition(predicate=f'bool({arg.value.value}({{"content": {TEXT}, "name": {SOURCE}}}))')
    if not isinstance(arg.value, cst.Lambda) or len(arg.value.params.params) != 1:
        raise NotCertainError(arg, "The function of is_termination_msg is not in this file.")
    parameter, body = arg.value.params.params[0].name.value, arg.value.body
    if constant(body) == "False":
        return None
    if (
        isinstance(body, cst.BooleanOperation)
        and isinstance(body.operator, cst.And)
        and _has_text(body.left, parameter)
    ):
        body = body.right
    if mention := _mention(body, parameter):
        return Condition(mention=mention)
    return Condition(predicate=_predicate(program.source, body, parameter))


def _mention(body: cst.BaseExpression, parameter: str) -> str:
    """The text whose presence an expression asks for; empty if it asks for something else."""
    match body:
        case cst.Comparison(
            left=left, comparisons=[cst.ComparisonTarget(operator=cst.In(), comparator=comparator)]
        ) if _is_text(comparator, parameter):
            return text_value(left) or ""
        case cst.Comparison(
            left=cst.Call(func=cst.Attribute(value=value, attr=cst.Name(value="find")), args=[cst.Arg(value=found)]),
            comparisons=[cst.ComparisonTarget(operator=cst.GreaterThanEqual(), comparator=cst.Integer(value="0"))],
        ) if _is_text(value, parameter):
            return text_value(found) or ""
        case _:
            return ""


def _has_text(node: cst.BaseExpression, parameter: str) -> bool:
    """Whether an expression asks that the message has a text."""
    match node:
        case cst.Comparison(left=left, comparisons=[cst.ComparisonTarget(operator=cst.IsNot(), comparator=none)]):
            return constant(none) == "None" and _is_text(left, parameter)
        case _:
            return _is_text(node, parameter)


def _is_text(node: cst.BaseExpression, parameter: str) -> bool:
    """Whether an expression is the text of the message, or an empty one where it has none."""
    if isinstance(node, cst.BooleanOperation):
        return isinstance(node.operator, cst.Or) and _is_text(node.left, parameter) and text_value(node.right) == ""
    if isinstance(node, cst.Call) and dotted_name(node.func) == "str" and len(node.args) == 1:
        return _is_text(node.args[0].value, parameter)
    return _field(node, parameter) == "content"


def _field(node: cst.BaseExpression, parameter: str) -> str:
    """The key of ``message["key"]`` or ``message.get("key", …)``; empty for other expressions."""
    match node:
        case cst.Subscript(value=cst.Name(value=name), slice=[cst.SubscriptElement(slice=cst.Index(value=key))]) if (
            name == parameter
        ):
            return text_value(key) or ""
        case cst.Call(func=cst.Attribute(value=cst.Name(value=name), attr=cst.Name(value="get")), args=[first, *_]) if (
            name == parameter
        ):
            return text_value(first.value) or ""
        case _:
            return ""


def _predicate(source: Source, body: cst.BaseExpression, parameter: str) -> str:
    fields = _Fields(source, parameter)
    body.visit(fields)
    begin, end = source.start(body), source.end(body)
    before, after = source.code[:begin].decode(), source.code[end:].decode()
    text = edited(source, fields.edits).removeprefix(before).removesuffix(after)
    if "\n" in text:
        raise NotCertainError(body, "The function of is_termination_msg has several lines.")
    return f"({text})" if isinstance(body, (cst.BooleanOperation, cst.IfExp)) else text


class _Fields(cst.CSTVisitor):
    """The edits by which an expression reads a message of 0.4."""

    def __init__(self, source: Source, parameter: str) -> None:
        super().__init__()
        self._source = source
        self._parameter = parameter
        self.edits: list[Edit] = []

    @override
    def visit_Subscript(self, node: cst.Subscript) -> bool:
        return self._replace(node)

    @override
    def visit_Call(self, node: cst.Call) -> bool:
        return self._replace(node)

    @override
    def visit_Name(self, node: cst.Name) -> None:
        if node.value == self._parameter:
            raise NotCertainError(node, "The function of is_termination_msg looks at more than a message's text.")

    def _replace(self, node: cst.Subscript | cst.Call) -> bool:
        known = {"content": TEXT, "name": SOURCE}
        field = _field(node, self._parameter)
        if field in known:
            self.edits.append(self._source.replaced(node, known[field]))
        return field not in known


def _quoted(text: str) -> str:
    quoted = repr(text)
    return f'"{quoted[1:-1]}"' if quoted.startswith("'") and '"' not in text else quoted
