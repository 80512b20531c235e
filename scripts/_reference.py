"""The API reference: a page for each public module, made from docstrings as MkDocs builds (a hook of ``mkdocs.yml``).

A name that several modules export is on one page only: that of the module below which it is defined.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any, Protocol

import symposia

TITLE = "Reference"
GROUPS = {
    "agentchat": "AgentChat",
    "core": "Core",
    "ext": "Extensions",
    "presets": "Presets",
    "testing": "Testing",
    "": "Command line and import hook",
}
"""The packages in the order of the navigation; the last one has the modules beside them."""

INTRODUCTION = """\
# Reference

Every public name, by the module that it is imported from. A leading underscore marks what is private.

| module | |
|---|---|
"""


class Config(Protocol):
    """What this hook needs of MkDocs' configuration. MkDocs itself is not installed where types are checked."""

    nav: list[object] | None


class Files(Protocol):
    """Likewise of its collection of files."""

    def append(self, file: object) -> None:
        """Add a file."""


def public_modules() -> Iterator[str]:
    """The modules of the package that have no private part in their names, each after the package that it is in."""
    for module in pkgutil.walk_packages(symposia.__path__, "symposia."):
        if not any(part.startswith("_") for part in module.name.split(".")):
            yield module.name


def names_by_module() -> dict[str, list[str]]:
    """The names that each module's page has: every public name on exactly one."""
    exporters: dict[tuple[str, int], list[str]] = {}
    for module in public_modules():
        loaded = importlib.import_module(module)
        for name in loaded.__all__:
            exporters.setdefault((name, id(getattr(loaded, name))), []).append(module)
    pages: dict[str, list[str]] = {}
    for (name, _), modules in sorted(exporters.items()):
        pages.setdefault(_home(name, modules), []).append(name)
    return pages


def _home(name: str, modules: list[str]) -> str:
    """The module that a name belongs to: the innermost one around its definition, else the first that exports it."""
    defined_in = str(getattr(getattr(importlib.import_module(modules[0]), name), "__module__", ""))
    around = [module for module in modules if f"{defined_in}.".startswith(f"{module}.")]
    return max(around, key=len) if around else modules[0]


def page_path(module: str) -> str:
    """Where the page of a module is, below the folder of the documentation."""
    return f"reference/{module.removeprefix('symposia.')}.md"


def page_text(module: str, names: list[str]) -> str:
    """The page of a module, in which mkdocstrings puts the docstrings.

    A class of another package is named alone: mkdocstrings reads the sources of this one.
    """
    others = [name for name in names if _is_of_another_package(module, name)]
    sentences = "".join(f"`{name}` is a class of the package that the extra installs.\n\n" for name in others)
    members = "".join(f"        - {name}\n" for name in names if name not in others)
    return f"# `{module}`\n\n{sentences}::: {module}\n    options:\n      members:\n{members}"


def _is_of_another_package(module: str, name: str) -> bool:
    value = getattr(importlib.import_module(module), name)
    return isinstance(value, type) and not value.__module__.startswith("symposia.")


def index_text(pages: dict[str, list[str]]) -> str:
    """The page that leads to the others."""
    rows = (
        f"| [`{module}`]({page_path(module).removeprefix('reference/')}) | {summary(module)} |\n"
        for module in sorted(pages)
    )
    return INTRODUCTION + "".join(rows)


def summary(module: str) -> str:
    """The first line of a module's docstring."""
    return (importlib.import_module(module).__doc__ or "").strip().partition("\n")[0].replace("|", "\\|")


def group_of(module: str) -> str:
    """The package of the navigation that a module is in."""
    package = module.split(".")[1]
    return package if package in GROUPS else ""


def on_config(config: Config) -> Config:
    """Put the pages into the navigation."""
    pages = sorted(names_by_module())
    entries: list[object] = ["reference/index.md"]
    for group, title in GROUPS.items():
        inside = [
            {module.removeprefix("symposia."): page_path(module)} for module in pages if group_of(module) == group
        ]
        entries.append({title: inside})
    if config.nav is not None:
        config.nav.append({TITLE: entries})
    return config


def on_files(files: Files, config: Config) -> Files:
    """Put the pages beside those that are written by hand."""
    file: Any = importlib.import_module("mkdocs.structure.files").File
    pages = names_by_module()
    files.append(file.generated(config, "reference/index.md", content=index_text(pages)))
    for module, names in pages.items():
        files.append(file.generated(config, page_path(module), content=page_text(module, names)))
    return files
