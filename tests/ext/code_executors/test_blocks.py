from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symposia.core.code_executor import CodeBlock, SandboxPolicy
from symposia.ext.code_executors._blocks import (
    PlannedBlock,
    RefusedBlockError,
    failure_note,
    missing_package_note,
    plan_block,
    printed,
)

FOLDER = "/home/user/work"


def plan(code: str, language: str = "python") -> PlannedBlock:
    return plan_block(CodeBlock(code=code, language=language), FOLDER)


def test_a_source_without_a_name_is_named_by_its_digest() -> None:
    planned = plan("print(1)")
    digest = "d287bb7f9d15abdc5b6e98536263815744b6ef21c8f3c839fc434ca70d8efe99"
    assert (planned.file, planned.named) == (PurePosixPath(f"tmp_code_{digest}.py"), False)


@pytest.mark.parametrize(
    ("first_line", "file"),
    [
        ("# filename: mine.py", "mine.py"),
        ("#filename: mine.py", "mine.py"),
        ("# filename:   two words.py  ", "two words.py"),
        ("# filename: a/./b/../mine.py", "a/mine.py"),
        (f"# filename: {FOLDER}/mine.py", "mine.py"),
    ],
)
def test_a_source_may_name_its_file_in_its_first_line(first_line: str, file: str) -> None:
    planned = plan(f"{first_line}\nprint(1)")
    assert (planned.file, planned.named) == (PurePosixPath(file), True)


def test_a_name_further_down_is_only_a_comment() -> None:
    assert not plan("x = 1\n# filename: mine.py").named


def test_an_empty_name_is_only_a_comment() -> None:
    assert not plan("# filename:  \nprint(1)").named


@given(name=st.text(min_size=1).filter(lambda name: name.strip() and "\n" not in name))
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    try:
        file = plan(f"# filename: {name}\n").file
    except RefusedBlockError:
        return
    assert not file.is_absolute()
    assert ".." not in file.parts
    assert file.parts


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../..", ".", f"{FOLDER}2/x", "x\0y"])
def test_a_name_outside_the_folder_is_refused(name: str) -> None:
    with pytest.raises(RefusedBlockError, match="Filename is not in the workspace"):
        plan(f"# filename: {name}")


def test_an_unknown_language_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(RefusedBlockError, match=r"unknown language cobol\nName the block as one of: python, "):
        plan("STOP RUN.", "cobol")


def test_the_limit_that_ended_a_block_stands_on_the_last_line() -> None:
    limit = "the time limit of 2 s"
    assert printed("out\n", "err\n", "timeout", limit) == f"out\nerr\n\nTimeout: {limit} was reached."
    assert printed("out\n", "err\n", "error", "") == "out\nerr\n"


@pytest.mark.parametrize(
    ("stderr", "said"),
    [
        ("Traceback:\nModuleNotFoundError: No module named 'scipy.stats'\n", "The sandbox has no module 'scipy'. Code"),
        ("ModuleNotFoundError: No module named 'sklearn'", "The sandbox has no module 'sklearn'. Code"),
        ("/dev/fd/9: 1: pip: not found\n", "Code in a sandbox cannot install packages. The program"),
        ("bash: line 1: pip3: command not found\n", "Code in a sandbox cannot install packages. The program"),
        ("/usr/bin/python3: No module named pip\n", "Code in a sandbox cannot install packages. The program"),
    ],
)
def test_a_block_that_lacks_a_package_is_told_that_code_cannot_install_it(stderr: str, said: str) -> None:
    note = missing_package_note(stderr)
    assert note.startswith(said)
    assert "packages=['scipy'], or `symposia run --with scipy`" in note


@pytest.mark.parametrize(
    "stderr",
    [
        "",
        "ModuleNotFoundError: No module named 'asyncio.nothing'",
        "ModuleNotFoundError: No module named 'scipy'\nValueError: another error\n",
        "ModuleNotFoundError: No module named '\x1b[2J'",
    ],
)
def test_other_errors_have_no_note_about_packages(stderr: str) -> None:
    assert missing_package_note(stderr) == ""


@pytest.mark.parametrize(
    ("stderr", "said"),
    [
        ("Traceback:\nBlockingIOError: [Errno 11] Resource temporarily unavailable\n", "7 processes and threads"),
        ("RuntimeError: can't start new thread\n", "7 processes and threads"),
        ("/dev/fd/9: 1: Cannot fork\n", "7 processes and threads"),
        ("bash: fork: retry: Resource temporarily unavailable\n", "7 processes and threads"),
        ("OSError: [Errno 24] Too many open files: 'x'\n", "70 open files"),
        ("ModuleNotFoundError: No module named 'sklearn'", "no module 'sklearn'"),
    ],
)
def test_a_block_that_the_kernel_refuses_something_is_told_the_limit(stderr: str, said: str) -> None:
    assert said in failure_note(stderr, SandboxPolicy(processes=7, open_files=70))


@pytest.mark.parametrize("stderr", ["", "[Errno 24] Too many open files\nValueError: another error\n"])
def test_other_failures_have_no_note_about_limits(stderr: str) -> None:
    assert failure_note(stderr, SandboxPolicy()) == ""
