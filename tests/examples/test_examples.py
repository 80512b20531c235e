"""Every example runs as a user would run it, and prints what it should."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
EXPECTED = Path(__file__).parent / "expected"


WITH_PEOPLE = {Path("terminal_approval.py"), Path("web_chat.py")}
"""They wait for a person: see `test_people.py`."""

PARTS = "skills"
"""The folder of skills, whose scripts are run by an example."""


def programs() -> list[Path]:
    """The examples that run by themselves."""
    found = {path.relative_to(EXAMPLES) for path in EXAMPLES.rglob("*.py")}
    return sorted(path for path in found - WITH_PEOPLE if path.parts[0] != PARTS)


@pytest.mark.parametrize("example", programs(), ids=str)
def test_the_example_prints_what_it_should(example: Path) -> None:
    run = subprocess.run([sys.executable, EXAMPLES / example], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout == (EXPECTED / example.with_suffix(".txt")).read_text()


def test_the_team_in_the_readme_is_the_example() -> None:
    program = (EXAMPLES / "team.py").read_text()
    readme = (EXAMPLES.parent / "README.md").read_text()
    body = program.split('"""\n\n', 1)[1].replace('\nif __name__ == "__main__":\n    asyncio.run', "\nasyncio.run")
    assert body.strip() in readme
