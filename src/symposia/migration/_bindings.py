"""Which names a text binds other than by imports, so that an import can be renamed with all its uses."""

from __future__ import annotations

from collections import Counter

from libcst.metadata import ExpressionContext, ExpressionContextProvider
from typing_extensions import override

from symposia.migration._source import Source, cst


def bound_names(source: Source) -> frozenset[str]:
    """The names that a text assigns, takes as parameters, declares global, or gives to functions and classes."""
    return frozenset(binding_counts(source))


def binding_counts(source: Source) -> Counter[str]:
    """How often a text binds each of these names."""
    collector = _Bindings()
    source.wrapper.visit(collector)
    return collector.names


class _Bindings(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (ExpressionContextProvider,)

    def __init__(self) -> None:
        super().__init__()
        self.names: Counter[str] = Counter()

    @override
    def visit_Name(self, node: cst.Name) -> None:
        if self.get_metadata(ExpressionContextProvider, node, None) in {ExpressionContext.STORE, ExpressionContext.DEL}:
            self.names[node.value] += 1

    @override
    def visit_Attribute(self, node: cst.Attribute) -> bool:
        node.value.visit(self)
        return False  # `object.name = value` binds no name

    @override
    def visit_Param(self, node: cst.Param) -> None:
        self.names[node.name.value] += 1

    @override
    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self.names[node.name.value] += 1

    @override
    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self.names[node.name.value] += 1

    @override
    def visit_AsName(self, node: cst.AsName) -> None:
        if isinstance(node.name, cst.Name):
            self.names[node.name.value] += 1

    @override
    def visit_NameItem(self, node: cst.NameItem) -> None:
        self.names[node.name.value] += 1

    @override
    def visit_MatchAs(self, node: cst.MatchAs) -> None:
        if node.name is not None:
            self.names[node.name.value] += 1
