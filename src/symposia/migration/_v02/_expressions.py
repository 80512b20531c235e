"""Expressions of a program: what is written in them, as far as it is known before the program runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symposia.migration._source import cst


class NotCertainError(Exception):
    """Code cannot be rewritten with certainty.

    Args:
        node: The code.
        reason: Why, as a sentence.
    """

    def __init__(self, node: cst.CSTNode, reason: str) -> None:
        super().__init__(reason)
        self.node = node


class DependsError(NotCertainError):
    """Code cannot be rewritten, since other code, for which there is a reason of its own, cannot."""


def arguments_of(call: cst.Call, positional: Sequence[str] = ()) -> Mapping[str, cst.Arg]:
    """The arguments of a call by name.

    Args:
        call: The call.
        positional: The names of the positional arguments that are understood.

    Raises:
        NotCertainError: There are other positional arguments, or packed ones.
    """
    found: dict[str, cst.Arg] = {}
    for index, arg in enumerate(call.args):
        if arg.star or (arg.keyword is None and index >= len(positional)):
            raise NotCertainError(call, "It has packed or positional arguments.")
        found[arg.keyword.value if arg.keyword else positional[index]] = arg
    return found


def text_value(node: cst.BaseExpression | None) -> str | None:
    """The text of a literal; None for other expressions."""
    if isinstance(node, (cst.SimpleString, cst.ConcatenatedString)) and isinstance(value := node.evaluated_value, str):
        return value
    return None


def int_value(node: cst.BaseExpression | None) -> int | None:
    """The number of an integer literal; None for other expressions."""
    return node.evaluated_value if isinstance(node, cst.Integer) else None


def constant(node: cst.BaseExpression | None) -> str:
    """``True``, ``False`` or ``None``, as it is written; empty for other expressions."""
    return node.value if isinstance(node, cst.Name) and node.value in {"True", "False", "None"} else ""


def number_of(arguments: Mapping[str, cst.Arg], key: str) -> int | None:
    """An integer among the arguments; None if it is not given.

    Raises:
        NotCertainError: It is not a literal.
    """
    if key not in arguments or constant(arguments[key].value) == "None":
        return None
    number = int_value(arguments[key].value)
    if number is None:
        raise NotCertainError(arguments[key], f"The {key} is known only when the program runs.")
    return number
