"""Which names a text binds other than by imports, so that an import can be renamed with all its uses."""

from __future__ import annotations

from libcst.metadata import ExpressionContext, ExpressionContextProvider
from typing_extensions import override

from symposia.migration._source import Source, cst


def bound_names(source: Source) -> frozenset[str]:
    """The names that a text assigns, takes as parameters, declares global, or gives to functions and classes."""
    collector = _Bindings()
    source.wrapper.visit(collector)
    return frozenset(collector.names)


class _Bindings(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (ExpressionContextProvider,)

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    @override
    def visit_Name(self, node: cst.Name) -> None:
        if self.get_metadata(ExpressionContextProvider, node, None) in {ExpressionContext.STORE, ExpressionContext.DEL}:
            self.names.add(node.value)

    @override
    def visit_Attribute(self, node: cst.Attribute) -> bool:
        node.value.visit(self)
        return False  # `object.name = value` binds no name

    @override
    def visit_Param(self, node: cst.Param) -> None:
        self.names.add(node.name.value)

    @override
    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self.names.add(node.name.value)

    @override
    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self.names.add(node.name.value)

    @override
    def visit_AsName(self, node: cst.AsName) -> None:
        if isinstance(node.name, cst.Name):
            self.names.add(node.name.value)

    @override
    def visit_NameItem(self, node: cst.NameItem) -> None:
        self.names.add(node.name.value)

    @override
    def visit_MatchAs(self, node: cst.MatchAs) -> None:
        if node.name is not None:
            self.names.add(node.name.value)
