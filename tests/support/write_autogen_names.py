"""Write `src/symposia/_autogen_names.txt`: AutoGen's public names, and the module that defines each.

Usage: python tests/support/write_autogen_names.py SITE_PACKAGES SITE_PACKAGES_02

The first is a folder with AutoGen 0.7.5 in it, the second one with AutoGen 0.2.40. The sources are parsed and not
imported, so that no extra has to be installed. Only names are read.
"""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOTS = ("autogen_core", "autogen_agentchat", "autogen_ext")
ROOT_02 = "autogen"
TARGET = Path(__file__).parents[2] / "src/symposia/_autogen_names.txt"
HEADER = """\
# The public names of AutoGen 0.7.5, and below `autogen` those of 0.2.40, by the module that exports them and the module
# that defines them; a dot in front stands for the exporting module. Written by tests/support/write_autogen_names.py.
# A line that begins with "from" has names that a module of 0.2.40 imports from another one, and that one.
"""
NOT_OFFERED = {
    # In modules without __all__: type variables, generated constants, and aliases of types that have public names.
    "T", "DESCRIPTOR", "GRPC_VERSION", "GRPC_GENERATED_VERSION", "markitdown", "JSONSchema", "StreamOptions",
    "ThinkingConfigModel", "Page", "PageStack", "RecordDict",
    # The same in AutoGen 0.2, whose modules have no __all__ for the most part; and names of other libraries.
    "F", "P", "SEP", "SENTINEL", "IMPORT_ERROR", "ERROR", "TOOL_ENABLED", "WIN32", "PATH_SEPARATOR", "logger",
    "autogen_logger", "is_logging", "openai_Completion", "AzureOpenAI", "OpenAI", "ApiException", "client", "config",
    "stream", "ChromaError", "Collection", "CohereError", "CohereRateLimitError", "system_message", "HASH_LENGTH",
    "HAS_UNSTRUCTURED", "timeout_handler", "Attribute", "Color", "Highlight", "LLMConfig", "ConfigItem",
}  # fmt: skip


@dataclass
class Module:
    defined: set[str] = field(default_factory=set[str])
    imported: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    stars: list[str] = field(default_factory=list[str])
    exported: list[str] | None = None


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        if isinstance(node, (ast.If, ast.Try)):
            yield from statements([child for child in ast.walk(node) if isinstance(child, ast.stmt)][1:])


def read(name: str, path: Path) -> Module:
    module = Module()
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in statements(ast.parse(path.read_text()).body):
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                module.defined.add(node.name)
            case ast.Assign(targets=[ast.Name(id="__all__")], value=ast.List(elts=names) | ast.Tuple(elts=names)):
                module.exported = [str(each.value) for each in names if isinstance(each, ast.Constant)]
            case ast.Assign(targets=[ast.Name(id=target)]) | ast.AnnAssign(target=ast.Name(id=target)):
                module.defined.add(target)
            case ast.ImportFrom():
                base = package[: len(package) - node.level + 1] if node.level else []
                source = ".".join([*base, *([node.module] if node.module else [])])
                if node.names[0].name == "*":
                    module.stars.append(source)
                module.imported.update({alias.asname or alias.name: (source, alias.name) for alias in node.names})
            case _:
                pass
    return module


def add_the_names_of_stars(modules: dict[str, Module], name: str) -> None:
    """Give a package what it imports by stars and from its modules: the root of AutoGen 0.2 has no ``__all__``."""
    root = modules[name]
    for source in root.stars:
        leaves = modules[source].defined if modules[source].exported is None else modules[source].exported
        root.imported |= {leaf: (source, leaf) for leaf in leaves or ()}
    root.exported = [leaf for leaf, (source, _) in root.imported.items() if source.startswith(f"{name}.")]


def defining_module(modules: dict[str, Module], name: str, leaf: str) -> str:
    module = modules[name]
    source, original = module.imported.get(leaf, ("", ""))
    return defining_module(modules, source, original) if leaf not in module.defined and source in modules else name


def imported_names(modules: dict[str, Module]) -> dict[tuple[str, str], set[str]]:
    """The public names that modules of AutoGen 0.2 import from others: programs import them from there, too."""
    lines: dict[tuple[str, str], set[str]] = defaultdict(set)
    for name, module in modules.items():
        if not name.startswith(f"{ROOT_02}.") or is_private(name):
            continue
        exported = module.defined if module.exported is None else module.exported
        for leaf, (source, original) in module.imported.items():
            if source in modules and leaf == original and leaf not in {*exported, *NOT_OFFERED}:
                home = defining_module(modules, name, leaf)
                if home != name and not is_private(home) and not leaf.startswith(("_", "*")):
                    lines[name, home].add(leaf)
    return lines


def is_private(name: str) -> bool:
    return any(part.startswith("_") for part in name.split("."))


def main(site: Path, site_02: Path) -> None:
    modules: dict[str, Module] = {}
    for folder in (*(site / root for root in ROOTS), site_02 / ROOT_02):
        for path in folder.rglob("*.py"):
            parts = path.relative_to(folder.parent).with_suffix("").parts
            name = ".".join(parts[:-1] if path.name == "__init__.py" else parts)
            modules[name] = read(name, path)
    add_the_names_of_stars(modules, ROOT_02)
    lines: dict[tuple[str, str], set[str]] = defaultdict(set)
    for name, module in modules.items():
        if is_private(name):
            continue
        for leaf in {*(module.defined if module.exported is None else module.exported)} - NOT_OFFERED:
            if not leaf.startswith(("_", "IS_", "*")) and not leaf.endswith("_import_exception"):
                lines[name, defining_module(modules, name, leaf)].add(leaf)
    text = [" ".join([name, source.replace(name, "", 1) if source.startswith(f"{name}.") else source, *sorted(leaves)])
            for (name, source), leaves in sorted(lines.items())]  # fmt: skip
    text += [
        " ".join(["from", name, source, *sorted(leaves)])
        for (name, source), leaves in sorted(imported_names(modules).items())
    ]
    TARGET.write_text(HEADER + "\n".join(text) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
