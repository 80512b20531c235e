"""Where the real AutoGen is on the path: packages of its names stand for it."""

from pathlib import Path

import pytest
from tests.support.interpreter import python

PROGRAM = "import autogen_core, autogen_agentchat.agents; print(autogen_core.__name__)"


@pytest.fixture
def their_path(tmp_path: Path) -> str:
    for name in ("autogen_core", "autogen_agentchat", "autogen"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("print('the real one')")
    return str(tmp_path)


def test_ours_is_used_and_says_so_once(their_path: str) -> None:
    done = python("-m", "symposia.autogen", "-c", f"import symposia.autogen; {PROGRAM}", PYTHONPATH=their_path)
    assert done.stdout == "symposia.core\n"
    assert done.stderr.count("AutoGen is installed (autogen_core, autogen_agentchat, autogen)") == 1


def test_the_warning_can_be_silenced(their_path: str) -> None:
    ignore = ("-W", "ignore:AutoGen is installed")
    done = python(*ignore, "-m", "symposia.autogen", "-c", PROGRAM, PYTHONPATH=their_path)
    assert (done.stdout, done.stderr) == ("symposia.core\n", "")


def test_nothing_is_said_where_it_is_not_installed() -> None:
    assert python("-m", "symposia.autogen", "-c", PROGRAM).stderr == ""


def test_a_folder_named_autogen_is_not_taken_for_an_installed_one(tmp_path: Path) -> None:
    (tmp_path / "autogen").mkdir()
    done = python("-m", "symposia.autogen", "-c", "import autogen; print(autogen.__name__)", PYTHONPATH=str(tmp_path))
    assert (done.stdout, done.stderr) == ("symposia.v02\n", "")


def test_a_hook_that_comes_too_late_is_refused(their_path: str) -> None:
    done = python("-c", "import autogen_core, symposia.autogen", PYTHONPATH=their_path)
    assert done.stderr.splitlines()[-1] == (
        "symposia.core.exceptions.UsageError: autogen_core was imported before symposia.autogen, and is AutoGen's own. "
        "Import symposia.autogen first, or start with `python -m symposia.autogen`."
    )


def test_their_modules_never_mix_with_ours(their_path: str, tmp_path: Path) -> None:
    (tmp_path / "autogen_core" / "only_theirs.py").write_text("print('the real one')")
    done = python(
        "-W", "ignore", "-m", "symposia.autogen", "-c", "import autogen_core.only_theirs", PYTHONPATH=their_path
    )
    assert done.stdout == ""
    assert "Neither AutoGen 0.7.5 nor Symposia has autogen_core.only_theirs." in done.stderr
