"""Imports and uses of AutoGen's names, renamed to ours. What is missing here stays as it is, and is noted.

A plain import binds a package's name (``import autogen_core.models`` binds ``autogen_core``). Where the text binds that
name, or ours, in another way too, the import is renamed and its uses are not: ``import symposia.core as autogen_core``.
So are imports of AutoGen 0.2, whose programs say ``autogen.`` everywhere. Annotations in quotes follow the uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from typing_extensions import override

from symposia._autogen_names import ROOTS
from symposia.migration._bindings import binding_counts
from symposia.migration._findings import FindingKind, Note, Use
from symposia.migration._names import V02_ROOT, is_theirs, resolved
from symposia.migration._source import Edit, Source, cst, dotted_name
from symposia.migration._syntax import is_expression

_DOTTED = re.compile(r"(?:autogen|autogen_core|autogen_agentchat|autogen_ext)(?:\.\w+)+", re.ASCII)
_TYPE_COMMENT = re.compile(r"#\s*type:")
_IMPORTERS = ("getLogger", "import_module", "importorskip", "find_spec")
_LOGGERS = (
    "autogen_core",
    "autogen_core.events",
    "autogen_core.trace",
    "autogen_agentchat",
    "autogen_agentchat.events",
)


@dataclass(frozen=True)
class Renaming:
    """The edits of a text, what it names that is not here, and the uses of AutoGen's names and of attributes."""

    edits: Sequence[Edit]
    notes: Sequence[Note]
    uses: Sequence[Use]


def renaming(source: Source) -> Renaming:
    """What to change in a text so that it imports ours."""
    names = _Names(source)
    source.wrapper.visit(names)
    plain = _PlainImports(source, names, frozenset(binding_counts(source.code) if names.plain else ()))
    edits = [*names.from_imports, *names.strings, *plain.edits()]
    return Renaming(edits, [*names.notes, *plain.notes], names.uses)


class _Names(cst.CSTVisitor):
    """Collects imports and uses, and makes the edits that no binding decides."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source
        self.plain: list[tuple[cst.ImportAlias, str]] = []
        self.uses: list[Use] = []
        self.chains: list[tuple[cst.BaseExpression, str]] = []
        self.notes: list[Note] = []
        self.from_imports: list[Edit] = []
        self.strings: list[Edit] = []
        self.quoted: list[cst.SimpleString | cst.Comment] = []
        self._aliases: dict[str, str] = {}
        self._left: set[cst.CSTNode] = set()
        self._in_annotation = 0

    @override
    def visit_Import(self, node: cst.Import) -> bool:
        for alias in node.names:
            name = dotted_name(alias.name)
            if not is_theirs(name):
                continue
            self._use(alias, name)
            if alias.asname is None:
                self.plain.append((alias, name))
            elif self._is_here(alias, name):
                self.from_imports.append(self._source.replaced(alias.name, resolved(name).ours))
                self._aliases[_bound(alias)] = name
        return False

    @override
    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        module = dotted_name(node.module)
        if node.relative or not is_theirs(module):
            return False
        if isinstance(node.names, cst.ImportStar):
            self._use(node, module)
            if self._is_here(node, module):
                self.from_imports += _module_edit(self._source, node, resolved(module).ours)
            return False
        groups: dict[str, list[cst.ImportAlias]] = {}
        for alias in node.names:
            name = f"{module}.{alias.name.value}"
            self._use(alias, name)
            found = self._is_here(alias, name)
            groups.setdefault(resolved(name).ours.rpartition(".")[0] if found else module, []).append(alias)
            self._aliases[_bound(alias)] = name
        self.from_imports += _from_edits(self._source, node, groups)
        return False

    @override
    def visit_Annotation(self, node: cst.Annotation) -> None:
        self._in_annotation += 1

    @override
    def leave_Annotation(self, original_node: cst.Annotation) -> None:
        self._in_annotation -= 1

    @override
    def visit_SimpleString(self, node: cst.SimpleString) -> None:
        text = node.raw_value
        if not self._in_annotation and _DOTTED.fullmatch(text):
            if node not in self._left and text not in _LOGGERS and not resolved(text).missing:
                self.strings.append(self._string(node, resolved(text).ours))
        elif _DOTTED.search(text) and (self._in_annotation or is_expression(text)):
            self.quoted.append(node)

    @override
    def visit_Comment(self, node: cst.Comment) -> None:
        if _TYPE_COMMENT.match(node.value) and _DOTTED.search(node.value):
            self.quoted.append(node)

    @override
    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        for base in node.bases:
            name = self._full_name(dotted_name(base.value))
            if is_theirs(name):
                self._use(base.value, name, ())

    @override
    def visit_Call(self, node: cst.Call) -> None:
        called = self._full_name(dotted_name(node.func))
        if is_theirs(called):
            self._use(node.func, called, node.args)
        name = called.rpartition(".")[2]
        argument = node.args[0].value if node.args else None
        if not isinstance(argument, cst.SimpleString):
            return
        text = argument.raw_value
        if name == "__import__" and is_theirs(text):
            self._left.add(argument)
            said = "__import__ returns the package of a module: use importlib.import_module."
            self.notes.append(Note(line=self._source.line(node), kind=FindingKind.NOTE, text=said))
        elif name in _IMPORTERS and (text in _LOGGERS or (text in ROOTS and not resolved(text).missing)):
            root, dot, rest = text.partition(".")
            self.strings.append(self._string(argument, ROOTS[root].ours + dot + rest))

    @override
    def visit_Arg(self, node: cst.Arg) -> bool:
        node.value.visit(self)
        return False  # without the keyword, which is a Name too

    @override
    def visit_Attribute(self, node: cst.Attribute) -> bool:
        name = dotted_name(node)
        self._use(node.attr, f".{node.attr.value}")
        if not name:
            node.value.visit(self)
            return False
        if is_theirs(name):
            self.chains.append((node, name))
        elif (full := self._full_name(name)) != name:
            self._use(node, full)
            if not resolved(self._aliases[_root(name)]).missing:
                self._is_here(node, full)
        return False

    @override
    def visit_Name(self, node: cst.Name) -> None:
        if node.value in ROOTS:
            self.chains.append((node, node.value))

    def _full_name(self, name: str) -> str:
        """A dotted name with what its first part was imported as."""
        root, dot, rest = name.partition(".")
        return self._aliases.get(root, root) + dot + rest

    def _is_here(self, node: cst.CSTNode, name: str) -> bool:
        found = resolved(name)
        if found.missing:
            self.notes.append(missing_note(self._source.line(node), name))
        return not found.missing

    def _use(self, node: cst.CSTNode, name: str, args: Sequence[cst.Arg] | None = None) -> None:
        arguments = (
            None
            if args is None
            else {
                arg.keyword.value if arg.keyword else "*": self._source.text(arg.value)
                for arg in args
                if arg.keyword or arg.star
            }
        )
        self.uses.append(Use(line=self._source.line(node), name=name, arguments=arguments))

    def _string(self, node: cst.SimpleString, value: str) -> Edit:
        return self._source.replaced(node, f"{node.prefix}{node.quote}{value}{node.quote}")


class _PlainImports:
    """``import autogen_core.models``: decides for each package whether its uses are renamed."""

    def __init__(self, source: Source, names: _Names, bound: frozenset[str]) -> None:
        self._source = source
        self._names = names
        self._bound = bound
        self._imported = {_root(name) for _, name in names.plain}
        self.notes: list[Note] = []
        self._kept = {_root(name) for node, name in names.plain if self._is_missing(node, name)}

    def edits(self) -> Iterator[Edit]:
        """The edits of the imports, and of the uses that are renamed with them."""
        chains = [(node, name) for node, name in self._names.chains if _root(name) in self._imported - self._bound]
        missing_imports = frozenset(self._kept)
        quoted = [(node, name) for node in self._names.quoted for name in _DOTTED.findall(self._source.text(node))]
        self._names.uses += [Use(line=self._source.line(node), name=name) for node, name in chains]
        for node, name in [*chains, *(each for each in quoted if _root(each[1]) in self._imported - self._bound)]:
            if _root(name) not in missing_imports and self._is_missing(node, name) and self._is_renamed(_root(name)):
                self._kept.add(_root(name))
        for node, name in self._names.plain:
            if _root(name) not in self._kept:
                yield self._source.replaced(node, self._import(name))
        for node, name in chains:
            if _root(name) not in self._kept and self._is_renamed(_root(name)):
                yield self._source.replaced(node, resolved(name).ours)
        for node in self._names.quoted:
            yield self._source.replaced(node, _DOTTED.sub(self._quoted, self._source.text(node)))

    def _quoted(self, found: re.Match[str]) -> str:
        """A name in quotes: renamed as its uses are, or where the text imports its package in no plain way."""
        name = found[0]
        is_bound = _root(name) in self._imported and (_root(name) in self._kept or not self._is_renamed(_root(name)))
        return name if is_bound else resolved(name).ours or name

    def _import(self, name: str) -> str:
        root, ours = _root(name), resolved(name).ours
        if self._is_renamed(root):
            return ours
        return f"{ROOTS[root].ours} as {root}" + (f", {ours}" if name != root else "")

    def _is_renamed(self, root: str) -> bool:
        return root != V02_ROOT and not {root, "symposia"} & self._bound

    def _is_missing(self, node: cst.CSTNode, name: str) -> bool:
        missing = bool(resolved(name).missing)
        if missing:
            self.notes.append(missing_note(self._source.line(node), name))
        return missing


def _bound(alias: cst.ImportAlias) -> str:
    """The name that an import binds."""
    name = alias.asname.name if alias.asname else alias.name
    return name.value if isinstance(name, cst.Name) else ""


def _root(name: str) -> str:
    return name.partition(".")[0]


def missing_note(line: int, name: str) -> Note:
    """The finding about a name that is not here."""
    found = resolved(name)
    return Note(line=line, kind=FindingKind.MISSING, text=found.reason, name=found.missing)


def _module_edit(source: Source, node: cst.ImportFrom, module: str) -> list[Edit]:
    return [] if node.module is None else [source.replaced(node.module, module)]


def _from_edits(source: Source, node: cst.ImportFrom, groups: Mapping[str, Sequence[cst.ImportAlias]]) -> list[Edit]:
    """Rename the module of a ``from`` import; split the import where its names are in several modules here."""
    if len(groups) == 1:
        [module] = groups
        return [] if module == dotted_name(node.module) else _module_edit(source, node, module)
    lines = [
        f"from {module} import {', '.join(source.text(alias) for alias in each)}" for module, each in groups.items()
    ]
    comments = [line[line.index("#") :] for line in source.text(node).splitlines() if "#" in line]
    if comments or source.is_first_in_line(node):
        between = source.newline + source.indent(node)
        return [source.replaced(node, between.join([*comments, *lines]))]
    return [source.replaced(node, "; ".join(lines))]
