"""`scripts/release` refuses what would make a bad release. `SYMPOSIA_LONG=1 .ci/run` tries a whole one."""

import os
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from scripts._changelog import released

ROOT = Path(__file__).parents[2]
CHANGELOG = "# Changelog\n\n## Unreleased\n\n### Added\n\n- Debates.\n"
DAY = date(2026, 3, 1)


def git(tree: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    run = subprocess.run(["git", *identity, *arguments], cwd=tree, capture_output=True, text=True, check=True)
    return run.stdout


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository with what the script reads before it builds anything."""
    (tmp_path / "src/symposia").mkdir(parents=True)
    (tmp_path / "src/symposia/__init__.py").write_text('__version__ = "0.1.9"\n')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "Begin")
    return tmp_path


def refusal(tree: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHON": sys.executable, "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(
        ["scripts/release", *arguments], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1, run.stdout
    assert git(tree, "tag") == ""
    assert git(tree, "rev-list", "--count", "HEAD") == "1\n"
    return run.stderr


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("1.0", "A version has three numbers"),
        ("v1.0.0", "A version has three numbers"),
        ("0.1.9", "0.1.9 does not come after 0.1.9"),
        ("0.1.8", "0.1.8 does not come after 0.1.9"),
    ],
)
def test_a_version_that_cannot_be_the_next_one_is_refused(tree: Path, version: str, told: str) -> None:
    assert told in refusal(tree, version)


def test_changes_that_are_not_committed_are_refused(tree: Path) -> None:
    (tree / "notes.txt").write_text("later")
    assert "not committed" in refusal(tree, "0.2.0")
    assert "not committed" in refusal(tree, "--dry-run")


def test_a_changelog_without_changes_is_refused(tree: Path) -> None:
    (tree / "CHANGELOG.md").write_text("# Changelog\n\n## Unreleased\n\n## 0.1.9 (2026-01-01)\n\n- Teams.\n")
    git(tree, "commit", "--quiet", "--all", "--message", "Say nothing")
    git(tree, "reset", "--quiet", "--soft", "HEAD~1")
    git(tree, "commit", "--quiet", "--amend", "--all", "--message", "Begin")
    assert "says of no change" in refusal(tree, "0.2.0")


def test_the_unreleased_changes_become_those_of_the_version() -> None:
    older = "\n## 0.1.9 (2026-01-01)\n\n- Teams.\n"
    assert released(CHANGELOG + older, "0.2.0", DAY) == (
        f"# Changelog\n\n## Unreleased\n\n## 0.2.0 (2026-03-01)\n\n### Added\n\n- Debates.\n{older}"
    )


def test_a_changelog_without_unreleased_changes_is_refused() -> None:
    with pytest.raises(ValueError, match="has no line '## Unreleased'"):
        released("# Changelog\n", "0.2.0", DAY)


def test_the_projects_own_changelog_can_be_released() -> None:
    text = released((ROOT / "CHANGELOG.md").read_text(), "99.0.0", DAY)
    assert re.search(r"^## Unreleased\n\n## 99\.0\.0 \(2026-03-01\)\n\n###", text, re.MULTILINE)
