"""`symposia migrate`: what it shows, asks, writes and reports, and how it ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from symposia.cli._app import app
from symposia.migration import MigrationTarget

BEFORE = "from autogen_core import AgentId  # who\n"
AFTER = "from symposia.core import AgentId  # who\n"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "a.py"
    path.write_text(BEFORE)
    return path


def migrate(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["migrate", *map(str, arguments)])


def test_the_changes_are_shown_and_without_an_answer_nothing_is_written(program: Path) -> None:
    result = migrate(program)
    assert result.output.splitlines() == [
        f"--- a/{program}",
        f"+++ b/{program}",
        "@@ -1 +1 @@",
        f"-{BEFORE.strip()}",
        f"+{AFTER.strip()}",
        "Nobody is there to be asked: give --yes to write.",
        "Nothing was written.",
    ]
    assert (result.exit_code, program.read_text()) == (1, BEFORE)


def test_yes_writes_and_a_second_time_nothing_is_left(program: Path) -> None:
    result = migrate("--yes", program.parent)
    assert (result.output, result.exit_code) == (f"changed {program}\n", 0)
    assert program.read_text() == AFTER
    again = migrate("--check", program)
    assert (again.output, again.exit_code) == ("Nothing to change in 1 file.\n", 0)


def test_check_is_for_continuous_integration(program: Path) -> None:
    result = migrate("--check", program)
    assert result.output == f"would change {program}\n1 file of 1 would change.\n"
    assert (result.exit_code, program.read_text()) == (1, BEFORE)


def test_diff_writes_nothing_and_succeeds(program: Path) -> None:
    result = migrate("--diff", program)
    assert "+from symposia.core" in result.output
    assert (result.exit_code, program.read_text()) == (0, BEFORE)


def test_diff_with_check_shows_the_changes_and_fails(program: Path) -> None:
    result = migrate("--diff", "--check", program)
    assert "+from symposia.core" in result.output
    assert (result.exit_code, program.read_text()) == (1, BEFORE)


def test_a_file_that_cannot_be_written_is_told_and_the_others_are_written(program: Path) -> None:
    other = program.with_name("b.py")
    other.write_text(BEFORE)
    program.chmod(0o444)
    result = migrate("--yes", program.parent)
    assert f"{program} stays as it was: {program} is not writable." in result.output
    assert (result.exit_code, other.read_text()) == (1, AFTER)


def test_report_says_what_would_run_as_it_is(program: Path) -> None:
    (program.parent / "b.py").write_text("from autogen_core import Nothing\n")
    result = migrate("--report", program.parent)
    assert f"{program.parent / 'b.py'}:1: missing: " in result.output
    assert result.output.splitlines()[-1] == "2 files with AutoGen: 1 would run as they are."
    assert result.exit_code == 1
    found = json.loads(migrate("--report", "--json", program.parent).output)
    assert found["blocked"] == [str(program.parent / "b.py")]
    assert [(each["line"], each["kind"], each["name"]) for each in found["findings"]] == [
        (1, "missing", "autogen_core.Nothing")
    ]
    assert migrate("--report", program).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["missing.py"], "There is no missing.py."),
        (["--to", "v0.5", "."], "--to takes v0.4 or names, and not 'v0.5'."),
        (["--json", "."], "--json is for --report."),
        (["--yes", "--check", "."], "--yes writes, and --diff and --check do not: give one of them."),
        (["--report", "--diff", "."], "--report changes nothing: give it without --yes, --diff and --check."),
        ([], "Missing argument 'PATH...'"),
    ],
)
def test_wrong_options_are_told(arguments: list[str], text: str) -> None:
    result = migrate(*arguments)
    assert (result.exit_code, text in result.output) == (2, True), result.output


def test_without_its_library_it_says_what_to_install(program: Path) -> None:
    code = (
        "import sys; sys.modules['libcst'] = None\n"
        "from symposia.cli import main\n"
        f"sys.argv = ['symposia', 'migrate', {str(program)!r}]\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr.strip().endswith("Install it with: pip install 'symposia[migrate]'")
    assert done.returncode == 16


def test_the_help_names_the_targets() -> None:
    result = migrate("--help")
    assert all(f"{target.value}:" in result.output for target in MigrationTarget)
