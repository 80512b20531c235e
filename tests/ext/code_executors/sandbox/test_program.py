import ast
import sys
from pathlib import Path

import pytest

from symposia.ext.code_executors import _sandbox

FOLDER = Path(_sandbox.__file__).parent
INSIDE = sorted((FOLDER / "_inside").glob("*.py"))
SHIPPED = INSIDE + sorted((FOLDER / "_launcher").glob("*.py"))


@pytest.mark.parametrize("file", INSIDE, ids=lambda file: file.name)
def test_the_program_inside_is_written_in_python_3_8(file: Path) -> None:
    tree = ast.parse(file.read_text(), feature_version=(3, 8))
    [*_, future] = [node for node in tree.body if isinstance(node, ast.ImportFrom)][:1] or [None]
    assert file.name == "__init__.py" or (future is not None and future.module == "__future__")


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_what_is_shipped_needs_the_standard_library_only(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names
