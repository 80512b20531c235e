"""Files of code in the work folder: what they may replace, which names they may have, and how much there may be."""

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symposia.core.code_executor import MIB, SandboxPolicy
from symposia.ext.code_executors import obeyed_name
from symposia.ext.code_executors._returned_files import ReturnedFiles
from symposia.ext.code_executors._work_folder import WorkFolder


def returned(folder: Path, *, trusted: bool = False, policy: SandboxPolicy | None = None) -> ReturnedFiles:
    work = WorkFolder(folder)
    work.create()
    return ReturnedFiles(work, policy or SandboxPolicy(), trusted=trusted)


def send_all(files: ReturnedFiles) -> dict[str, bytes]:
    """What goes into the sandbox now."""
    sent = {str(path): files.read(path) for path in files.unsent()}
    for path in sent:
        files.mark_sent(PurePosixPath(path))
    return sent


@pytest.mark.parametrize(
    "path",
    [
        *(".git/config", ".envrc", ".vscode/tasks.json", "sub/.git/hooks/pre-commit", ".bashrc", "a/.b/c.txt"),
        *("conftest.py", "sub/conftest.py", "Makefile", "makefile", "GNUmakefile", "MAKEFILE", "CMakeLists.txt"),
        *("package.json", "setup.py", "pyproject.toml", "sitecustomize.py", "usercustomize.py", "evil.pth", "tox.ini"),
        *("node_modules/x/index.js", "vite.config.ts", "x.code-workspace", "HEAD", "build.rs", "justfile"),
        *("mypy.ini", "pylintrc", "ansible.cfg", "main.tf", "App.csproj", "build.sbt", "conf.py", "karma.conf.js"),
        *("ipython_config.py", "jupyter_server_config.json", "Snakefile", "pytest.toml", "mkdocs.yml"),
        *("python311._pth", "noxfile.py", "docker-compose.yml", "Dockerfile", "autorun.inf", "x.desktop"),
    ],
)
def test_s11_names_that_tools_obey_are_held_back(tmp_path: Path, path: str) -> None:
    files = returned(tmp_path)
    assert files.write(PurePosixPath(path), b"evil", sent=True).startswith("not written, since")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "path",
    [
        "plot.png",
        "table.csv",
        "analysis.py",
        "report.md",
        "out/data.json",
        "maker.txt",
        "x.config",
        "heads/tails",
        "my.conf",
        "a.tfx",
    ],
)
def test_s11_other_names_are_written(tmp_path: Path, path: str) -> None:
    assert returned(tmp_path).write(PurePosixPath(path), b"fine", sent=True) == ""
    assert (tmp_path / path).read_bytes() == b"fine"


@given(st.lists(st.text(min_size=1).filter(lambda name: "/" not in name), min_size=1))
def test_s11_a_dot_in_front_is_never_overlooked(parts: list[str]) -> None:
    path = PurePosixPath(*parts)
    assert obeyed_name(path / ".hidden") != ""
    assert obeyed_name(PurePosixPath(".hidden") / path) != ""


def test_s11_a_file_that_was_there_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("the host's")
    files = returned(tmp_path)
    assert send_all(files) == {"data.csv": b"the host's"}
    assert "had a file of this name before" in files.write(PurePosixPath("data.csv"), b"the code's", sent=True)
    assert (tmp_path / "data.csv").read_text() == "the host's"
    assert (tmp_path / "changed-by-code" / "data.csv").read_text() == "the code's"
    assert files.write(PurePosixPath("data.csv"), b"the host's", sent=True) == ""


def test_s11_a_link_that_was_there_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    assert returned(tmp_path).write(PurePosixPath("link"), b"x", sent=True) != ""
    assert (tmp_path / "link").is_symlink()


def test_what_the_code_made_itself_it_may_change_until_the_host_does(tmp_path: Path) -> None:
    files, path = returned(tmp_path), PurePosixPath("list.txt")
    assert files.write(path, b"one", sent=True) == files.write(path, b"two", sent=True) == ""
    (tmp_path / path).write_text("ours")
    assert files.write(path, b"three", sent=True) != ""
    assert (tmp_path / path).read_text() == "ours"


def test_the_next_sandbox_has_what_the_code_left(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("old")
    files = returned(tmp_path)
    send_all(files)
    files.write(PurePosixPath("data"), b"new", sent=True)
    files.write(PurePosixPath("Makefile"), b"all:", sent=True)
    assert send_all(files) == {}
    files.forget()
    assert send_all(files) == {"data": b"new", "Makefile": b"all:"}
    (tmp_path / "data").write_text("changed by the host")
    assert send_all(files) == {"data": b"changed by the host"}
    files.forget()
    assert send_all(files) == {"data": b"changed by the host", "Makefile": b"all:"}


def test_a_recorded_file_goes_into_a_sandbox_that_runs_already(tmp_path: Path) -> None:
    files = returned(tmp_path)
    files.write(PurePosixPath("made"), b"1", sent=False)
    files.write(PurePosixPath(".hidden"), b"2", sent=False)
    assert send_all(files) == {"made": b"1", ".hidden": b"2"}
    assert send_all(files) == {}


def test_trusted_results_are_written_where_they_belong(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("old")
    files = returned(tmp_path, trusted=True)
    for path in ("data", ".git/config", "Makefile"):
        assert files.write(PurePosixPath(path), b"new", sent=True) == ""
        assert (tmp_path / path).read_text() == "new"


def test_s10_the_folder_holds_no_more_than_the_sandbox(tmp_path: Path) -> None:
    files = returned(tmp_path, policy=SandboxPolicy(work_bytes=MIB, work_inodes=64))
    reasons = [files.write(PurePosixPath(f"{number}"), bytes(100_000), sent=True) for number in range(20)]
    assert reasons[:5] == [""] * 5
    assert "holds as much as the policy allows" in reasons[-1]
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < MIB
    assert files.write(PurePosixPath("0"), bytes(90_000), sent=True) == ""
    reasons = [files.write(PurePosixPath(f"small-{number}"), b"", sent=True) for number in range(100)]
    assert len(list(tmp_path.iterdir())) < 64
    assert reasons[-1] != ""


def test_s10_what_is_held_back_counts_as_well(tmp_path: Path) -> None:
    files = returned(tmp_path, policy=SandboxPolicy(work_bytes=MIB))
    for number in range(20):
        files.write(PurePosixPath(f".{number}"), bytes(100_000), sent=True)
    files.forget()
    assert sum(len(data) for data in send_all(files).values()) < MIB
