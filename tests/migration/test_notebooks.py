"""Notebooks: the code cells are rewritten, and everything else stays."""

import json
from pathlib import Path

import pytest

from symposia.migration import FindingKind, plan_migration


def notebook(*sources: str) -> dict[str, object]:
    cells: list[dict[str, object]] = [
        {"cell_type": "markdown", "metadata": {}, "source": ["import autogen_core\n", "é"]}
    ]
    for source in sources:
        outputs = [{"name": "stdout", "output_type": "stream", "text": ["import autogen_core\n"]}]
        lines = source.splitlines(keepends=True)
        cells.append(
            {"cell_type": "code", "execution_count": 1, "metadata": {"a": 1}, "outputs": outputs, "source": lines}
        )
    return {"cells": cells, "metadata": {"kernelspec": {"name": "python3"}}, "nbformat": 4, "nbformat_minor": 5}


def written(folder: Path, *sources: str, indent: int | None = 1) -> Path:
    path = folder / "a.ipynb"
    path.write_text(json.dumps(notebook(*sources), indent=indent, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("indent", [1, 2, None])
def test_cells_are_one_program_and_outputs_metadata_and_layout_stay(tmp_path: Path, indent: int | None) -> None:
    path = written(tmp_path, "import autogen_core", "x = autogen_core.AgentId\n\n", indent=indent)
    [change] = plan_migration([path]).changes
    expected = notebook("import symposia.core", "x = symposia.core.AgentId\n\n")
    assert change.after.decode() == json.dumps(expected, indent=indent, ensure_ascii=False) + "\n"


def test_magics_and_cells_of_other_languages_stay(tmp_path: Path) -> None:
    cells = (
        "%pip install a \\\n   b\nfrom autogen_core import AgentId",
        "%%bash\necho import autogen_core",
        "%%time\nfiles = !ls\nif files:\n    %cd x\n    import autogen_core\nAgentId?",
        "",
        "await f()\n",
    )
    [change] = plan_migration([written(tmp_path, *cells)]).changes
    renamed = [
        cells[0].replace("autogen_core", "symposia.core"),
        cells[1],
        cells[2].replace("autogen_core", "symposia.core"),
        *cells[3:],
    ]
    assert json.loads(change.after) == notebook(*renamed)


def test_a_cell_that_is_no_python_is_told_and_the_others_are_rewritten(tmp_path: Path) -> None:
    path = written(tmp_path, "import autogen_core", "x = = 1", "\nautogen_core.Nothing")
    plan = plan_migration([path])
    assert [(each.cell, each.line, each.kind) for each in plan.findings] == [
        (2, 1, FindingKind.UNREADABLE),
        (3, 2, FindingKind.MISSING),
    ]
    assert str(plan.findings[0]).startswith(f"{path}:cell 2:1: unreadable: It is no Python")


def test_a_notebook_that_is_none_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text('{"autogen": 1}')
    [finding] = plan_migration([path]).findings
    assert finding.kind is FindingKind.UNREADABLE
