"""ARCHITECTURE.md, held to: imports point downwards, none go in a circle, and nobody reaches inside a package."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src"
LAYERS = {
    "_extras": -1,
    "_lazy": -1,
    "_missing_names": -1,
    "_program_line": -1,
    "_autogen_names": -1,
    "_autogen_states": -1,
    "core": 0,
    "agentchat": 1,
    "ext": 2,
    "runs": 3,
    "testing": 4,
    "v02": 5,
    "presets": 5,
    "migration": 5,
    "studio": 6,
    "cli": 6,
    "_autogen": 7,
    "autogen": 8,
}
VENDORS = (
    "openai.",
    "anthropic.",
    "azure.ai.",
    "boto3.",
    "botocore.",
    "docker.",
    "mcp.",
    "ray.",
    "grpc.",
    "redis.",
    "google.genai.",
    "ollama.",
    "mistralai.",
    "litellm.",
)


def name_of(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATHS = {name_of(path): path for path in sorted(SOURCE.rglob("*.py"))}


def outside_of_functions(tree: ast.Module) -> Iterator[ast.stmt]:
    """The import statements that run when the module is imported or when its types are checked."""
    waiting: list[ast.stmt] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        elif isinstance(node, (ast.If, ast.Try)):
            waiting += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]


def every_import(tree: ast.Module) -> Iterator[ast.stmt]:
    return (node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom)))


def targets(node: ast.stmt, here: str) -> Iterator[str]:
    """The modules that an import statement names, a submodule rather than its package where both could be meant."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        package = here.split(".") if PATHS[here].name == "__init__.py" else here.split(".")[:-1]
        base = ".".join([*package[: len(package) - node.level + 1]] if node.level else [])
        module = ".".join(part for part in (base, node.module) if part)
        for alias in node.names:
            submodule = f"{module}.{alias.name}"
            yield submodule if submodule in PATHS else module


def imports(here: str, *, in_functions: bool) -> set[str]:
    tree = ast.parse(PATHS[here].read_text())
    nodes = every_import(tree) if in_functions else outside_of_functions(tree)
    return {target for node in nodes for target in targets(node, here)}


def layer(module: str) -> int | None:
    parts = module.split(".")
    return LAYERS.get(parts[1]) if len(parts) > 1 and parts[0] == "symposia" else None


def test_every_module_has_a_layer() -> None:
    assert {here for here in PATHS if layer(here) is None} == {"symposia", "symposia.__main__"}


@pytest.mark.parametrize("here", PATHS)
def test_imports_point_downwards(here: str) -> None:
    mine = layer(here)
    if mine is None:
        return
    upward = {t for t in imports(here, in_functions=True) if (theirs := layer(t)) is not None and theirs > mine}
    assert not upward


def test_no_imports_go_in_a_circle() -> None:
    """Nor imports of types alone: modules that need each other are one module, or need a protocol between them."""
    graph = {here: imports(here, in_functions=False) & PATHS.keys() - {here} for here in PATHS}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


@pytest.mark.parametrize("here", [module for module in PATHS if layer(module) in {0, 1}])
def test_core_and_agentchat_name_no_vendor(here: str) -> None:
    assert not {target for target in imports(here, in_functions=True) if f"{target}.".startswith(VENDORS)}


def test_agents_need_no_particular_runtime() -> None:
    """Nothing in core but its list of names, and what looks inside it, imports the embedded runtime."""
    embedded = "symposia.core._runtime"
    elsewhere = [here for here in PATHS if layer(here) == 0 and not here.startswith(embedded)]
    users = {here for here in elsewhere if any(t.startswith(embedded) for t in imports(here, in_functions=True))}
    assert users == {"symposia.core", "symposia.core.inspection"}


@pytest.mark.parametrize("here", PATHS)
def test_a_private_module_is_imported_only_inside_its_package(here: str) -> None:
    foreign: set[str] = set()
    for target in imports(here, in_functions=True):
        parts = target.split(".")
        if parts[0] != "symposia":
            continue
        owner = next((".".join(parts[:i]) for i, part in enumerate(parts) if part.startswith("_")), None)
        if owner is not None and not f"{here}.".startswith(f"{owner}."):
            foreign.add(target)
    assert not foreign
