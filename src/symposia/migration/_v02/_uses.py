"""The uses of certain names in a parsed text."""

from __future__ import annotations

from typing_extensions import override

from symposia.migration._source import cst, dotted_name


class Calls(cst.CSTVisitor):
    """Collects the calls of functions and methods with certain names."""

    def __init__(self, names: set[str]) -> None:
        super().__init__()
        self._names = names
        self.found: list[tuple[cst.Call, str]] = []

    @override
    def visit_Call(self, node: cst.Call) -> None:
        called = node.func.attr if isinstance(node.func, cst.Attribute) else node.func
        if isinstance(called, cst.Name) and called.value in self._names:
            self.found.append((node, called.value))


class Mentions(cst.CSTVisitor):
    """Collects the uses of names: whole dotted expressions that begin with one of them."""

    def __init__(self, names: set[str]) -> None:
        super().__init__()
        self._names = names
        self.found: list[tuple[cst.CSTNode, str]] = []

    @override
    def visit_Import(self, node: cst.Import) -> bool:
        return False

    @override
    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        return False

    @override
    def visit_AssignTarget(self, node: cst.AssignTarget) -> bool:
        return not isinstance(node.target, cst.Name)

    @override
    def visit_AnnAssign(self, node: cst.AnnAssign) -> bool:
        for part in (node.annotation, node.value, None if isinstance(node.target, cst.Name) else node.target):
            if part is not None:
                part.visit(self)
        return False

    @override
    def visit_Arg(self, node: cst.Arg) -> bool:
        node.value.visit(self)
        return False

    @override
    def visit_Attribute(self, node: cst.Attribute) -> bool:
        name = dotted_name(node)
        if name.partition(".")[0] in self._names:
            self.found.append((node, name))
        elif not name:
            node.value.visit(self)
        return False

    @override
    def visit_Name(self, node: cst.Name) -> None:
        if node.value in self._names:
            self.found.append((node, node.value))
