"""The parts of a program for AutoGen 0.2: what it assigns, constructs, begins, registers and stops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from symposia.migration._source import Edit, Source, cst


@dataclass(frozen=True)
class Place:
    """Where a statement is: in which block and function, and whether it may run several times."""

    block: int = 0
    function: cst.FunctionDef | None = None
    may_repeat: bool = False

    @property
    def is_async(self) -> bool:
        """Whether the statement can await."""
        return self.function is not None and self.function.asynchronous is not None


@dataclass(frozen=True)
class Assigned:
    """``target = value``, or ``target: annotation = value``."""

    target: cst.Name
    value: cst.BaseExpression
    annotation: cst.BaseExpression | None = None

    def edits(self, source: Source, target: str, value: str) -> Iterator[Edit]:
        """The edits that put another target and value in their places, without the annotation, which is of 0.2."""
        yield source.replaced(self.target, target)
        if self.annotation is not None:
            yield Edit(source.end(self.target), source.end(self.annotation), "")
        yield source.replaced(self.value, value)


@dataclass(frozen=True)
class Construct:
    """``variable = autogen.Kind(…)``."""

    assigned: Assigned
    kind: str
    call: cst.Call
    statement: cst.SimpleStatementLine
    place: Place

    @property
    def variable(self) -> str:
        """The variable that holds it."""
        return self.assigned.target.value


@dataclass(frozen=True)
class Chat:
    """``initiator.initiate_chat(…)``; the result is kept in `target`, or is dropped."""

    initiator: str
    call: cst.Call
    whole: cst.BaseExpression
    target: str
    statement: cst.SimpleStatementLine
    place: Place


@dataclass(frozen=True)
class Registration:
    """A function that a caller's model may call: by a call of `register_function`, or by decorators.

    A decorator may be called with the function: it is then in `call`, as the function that is called there.
    """

    node: cst.SimpleStatementLine | cst.FunctionDef
    place: Place
    call: cst.Call | None = None
    decorators: Sequence[cst.Decorator] = ()


@dataclass(frozen=True)
class Stop:
    """``executor.stop()``."""

    variable: str
    call: cst.Call
    place: Place
