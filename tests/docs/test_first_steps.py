"""The first commands that a new user is shown work after `scripts/demo`, and the pages come in the order of use."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = re.compile(r"^ *((?:\. |symposia|python ).*?)(?: {2,}.*|# .*)?$", re.MULTILINE)


def next_steps(document: str) -> list[str]:
    """The command lines between the words "Next, on this machine" and the end of their block, comments left out."""
    _, _, after = (ROOT / document).read_text().partition("Next, on this machine")
    return [command.strip() for command in COMMANDS.findall(re.split(r"\n(?:END|```\n\n)", after)[0])]


def shell(command: str) -> subprocess.CompletedProcess[str]:
    """Run a command with the programs of this environment first on PATH, as they are once it is activated."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(command, shell=True, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("document", ["README.md", "scripts/demo"])
def test_n09_the_steps_after_the_demo_start_by_making_the_command_available(document: str) -> None:
    activation, *commands = next_steps(document)
    assert re.fullmatch(r"\. \.venv/(bin|\$programs)/activate", activation)
    assert [command.split()[0] for command in commands].count("symposia") >= 2


@pytest.mark.parametrize("document", ["README.md", "scripts/demo"])
def test_n09_each_step_after_the_demo_names_a_command_and_options_that_exist(document: str) -> None:
    for command in next_steps(document)[1:]:
        program, argument, *others = shlex.split(command)
        if program == "python":
            assert (ROOT / argument).is_file(), command
            continue
        shown = shell(f"symposia {argument} --help")
        assert shown.returncode == 0, shown.stderr
        assert all(option in shown.stdout for option in others if option.startswith("--")), command


PAGES = ["README.md", *sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES)
def test_n09_every_page_installs_a_checkout_as_there_is_no_release(page: str) -> None:
    assert not re.search(r"pip install '?symposia", (ROOT / page).read_text())


def test_n12_the_pages_on_agents_come_before_those_on_the_core() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text().partition("\nnav:\n")[2]
    order = ["agents.md", "teams.md", "tools.md", "memory.md", "people.md", "extending.md", "actors.md"]
    places = [navigation.index(page) for page in order]
    assert places == sorted(places)
