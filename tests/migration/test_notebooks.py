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


PLAIN = json.dumps(notebook("CODE\n"), indent=3)
COMPACT = json.dumps(notebook("CODE\n"), separators=(",", ":"))


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace('"outputs"', '"time" :1.50e+2, "id": 12345678901234567890123, "outputs"'),
        PLAIN.replace('"outputs"', '"x": "\\/\\u00e9", "x": NaN, "outputs"'),
        COMPACT,
        COMPACT.replace("kernelspec", "\\u00e9 é 😀 \u2028"),
        '{"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": ["CODE"]}]}]}',
        '{"cells": [{"source": "import os\\nCODE", "cell_type": "code"}, {"cell_type": "raw"}]}\n\n',
    ],
    ids=["plain", "crlf", "numbers", "repeated", "compact", "unicode", "version 3", "one text"],
)
def test_outside_of_changed_cells_every_byte_of_a_notebook_stays(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_bytes(
        text.replace("CODE", "import autogen_core  # é" if "é" in text else "import autogen_core").encode()
    )
    [change] = plan_migration([path]).changes
    after = text.replace("CODE", "import symposia.core  # é" if "é" in text else "import symposia.core")
    assert change.after == after.encode()


def test_lines_of_a_cell_that_come_and_go_are_written_like_the_others(tmp_path: Path) -> None:
    path = written(tmp_path, "# a\nfrom autogen_core import AgentId, Nothing\nx = 'é\u2028'\n")
    [change] = plan_migration([path]).changes
    lines = "from symposia.core import AgentId\nfrom autogen_core import Nothing"
    after = (
        path.read_bytes()
        .decode()
        .replace("from autogen_core import AgentId, Nothing", lines.replace("\n", '\\n",\n    "'))
    )
    assert change.after.decode() == after


@pytest.mark.parametrize(
    ("cell", "after"),
    [
        ("%time x = autogen_core.AgentId", "%time x = symposia.core.AgentId"),
        ("if True:\n    %timeit autogen_core.AgentId", "if True:\n    %timeit symposia.core.AgentId"),
        ("autogen_core.AgentId??", "symposia.core.AgentId??"),
        ("?autogen_core.AgentId", "?symposia.core.AgentId"),
        ("__symposia_0__ = 1\n!ls", "__symposia_0__ = 1\n!ls"),
        ("s = '''\n!ls\n'''\n!ls", "s = '''\n!ls\n'''\n!ls"),
        ("!pip install autogen_core", "!pip install autogen_core"),
    ],
)
def test_the_python_in_a_magic_is_rewritten(cell: str, after: str, tmp_path: Path) -> None:
    [change] = plan_migration([written(tmp_path, "import autogen_core", cell)]).changes
    assert json.loads(change.after) == notebook("import symposia.core", after)


@pytest.mark.parametrize("magic", ["!echo {autogen_core.AgentId}", "%prun -l 5 f(autogen_core)", "%store autogen_core"])
def test_a_name_that_a_magic_reads_keeps_its_name(magic: str, tmp_path: Path) -> None:
    [change] = plan_migration([written(tmp_path, "import autogen_core", magic)]).changes
    assert json.loads(change.after) == notebook("import symposia.core as autogen_core", magic)


def test_lines_after_a_magic_of_several_lines_are_counted_as_they_are_written(tmp_path: Path) -> None:
    path = written(tmp_path, "!pip install \\\n    a\nimport autogen_core\nautogen_core.Nothing")
    [finding] = plan_migration([path]).findings
    assert (finding.cell, finding.line) == (1, 4)


def test_a_cell_that_is_left_out_and_has_autogen_in_it_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, "import autogen_core", "%%writefile a.py\nimport autogen_core", "%%bash\nls")
    [finding] = plan_migration([path]).findings
    assert (finding.cell, finding.kind) == (2, FindingKind.NOTE)
    assert finding.text == "The cell begins with %%writefile, and stays as it is."


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
