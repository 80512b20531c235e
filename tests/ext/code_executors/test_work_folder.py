"""The work folder: nothing outside of it is reached, and whether it stays."""

import os
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from symposia.ext.code_executors._work_folder import WorkFolder

NOT_FOLLOWED = r"symbolic links|Not a directory"


@pytest.fixture
def folder(tmp_path: Path) -> WorkFolder:
    folder = WorkFolder(tmp_path / "work")
    folder.create()
    return folder


def changed(folder: WorkFolder) -> list[str]:
    return sorted(str(file.path) for file in folder.changed())


def test_a_file_is_changed_until_it_is_seen_and_again_when_it_changes(folder: WorkFolder) -> None:
    (folder.path / "a").write_text("one")
    [file] = folder.changed()
    folder.mark_seen(file)
    assert changed(folder) == []
    (folder.path / "a").write_text("another")
    assert changed(folder) == ["a"]


def test_what_is_written_through_it_is_seen(folder: WorkFolder) -> None:
    folder.write(PurePosixPath("deep/er/file"), b"data")
    assert folder.read(PurePosixPath("deep/er/file")) == b"data"
    assert changed(folder) == []


def test_forgetting_makes_every_file_new(folder: WorkFolder) -> None:
    folder.write(PurePosixPath("file"), b"data")
    folder.forget()
    assert changed(folder) == ["file"]


def test_only_regular_files_below_real_folders_are_listed(folder: WorkFolder, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (folder.path / "real").mkdir()
    (folder.path / "real" / "file").write_text("data")
    (folder.path / "link").symlink_to(tmp_path / "secret")
    (folder.path / "linked").symlink_to(tmp_path)
    os.mkfifo(folder.path / "pipe")
    assert changed(folder) == ["real/file"]


def test_a_link_is_never_read_through(folder: WorkFolder, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (folder.path / "link").symlink_to(tmp_path / "secret")
    (folder.path / "linked").symlink_to(tmp_path)
    for path in ("link", "linked/secret"):
        with pytest.raises(OSError, match=NOT_FOLLOWED):
            folder.read(PurePosixPath(path))


def test_a_pipe_is_not_read_and_not_waited_for(folder: WorkFolder) -> None:
    os.mkfifo(folder.path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        folder.read(PurePosixPath("pipe"))


def test_f53_writing_replaces_a_link_and_leaves_its_target_alone(folder: WorkFolder, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (folder.path / "link").symlink_to(victim)
    os.link(victim, folder.path / "hard")
    for name in ("link", "hard"):
        folder.write(PurePosixPath(name), b"new")
        assert (folder.path / name).read_bytes() == b"new"
    assert victim.read_text() == "untouched"


def test_f53_writing_below_a_link_is_refused(folder: WorkFolder, tmp_path: Path) -> None:
    (folder.path / "linked").symlink_to(tmp_path)
    with pytest.raises(OSError, match=NOT_FOLLOWED):
        folder.write(PurePosixPath("linked/file"), b"new")
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize("path", ["../file", "/etc/file", "a/../../file", "."])
def test_a_path_that_leaves_the_folder_is_refused(folder: WorkFolder, path: str) -> None:
    with pytest.raises(ValueError, match="leaves the work folder"):
        folder.write(PurePosixPath(path), b"")


def test_a_write_that_fails_leaves_nothing_behind(folder: WorkFolder) -> None:
    (folder.path / "taken").mkdir()
    with pytest.raises(IsADirectoryError):
        folder.write(PurePosixPath("taken"), b"data")
    assert [entry.name for entry in folder.path.iterdir()] == ["taken"]


def test_a_file_is_read_up_to_a_limit(folder: WorkFolder) -> None:
    folder.write(PurePosixPath("file"), b"12345")
    assert folder.read(PurePosixPath("file"), 3) == b"123"


def test_removing_a_file_that_is_not_there_is_harmless(folder: WorkFolder) -> None:
    folder.write(PurePosixPath("file"), b"")
    folder.remove(PurePosixPath("file"))
    folder.remove(PurePosixPath("file"))
    assert list(folder.path.iterdir()) == []


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("make", [WorkFolder.for_code, WorkFolder.for_results], ids=["code", "results"])
def test_s17_a_folder_of_its_own_is_for_its_owner_alone(
    temporary: Path, make: Callable[[Path | None], WorkFolder]
) -> None:
    folder = make(None)
    assert folder.create()
    assert not folder.create()
    assert folder.absolute.parent == temporary
    assert folder.absolute.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", [None, "result"], ids=["empty", "with a file"])
def test_a_folder_of_its_own_for_code_is_removed_with_its_files(temporary: Path, name: str | None) -> None:
    del temporary
    assert not is_there_when_released(WorkFolder.for_code(None), name)


def test_a_folder_of_its_own_for_results_stays_as_long_as_there_are_some(temporary: Path) -> None:
    del temporary
    assert is_there_when_released(WorkFolder.for_results(None), "result")
    assert not is_there_when_released(WorkFolder.for_results(None), None)


@pytest.mark.parametrize("make", [WorkFolder.for_code, WorkFolder.for_results], ids=["code", "results"])
def test_a_folder_of_the_user_stays(tmp_path: Path, make: Callable[[Path], WorkFolder]) -> None:
    assert is_there_when_released(make(tmp_path / "work"), None)


def is_there_when_released(folder: WorkFolder, name: str | None) -> bool:
    folder.create()
    if name is not None:
        folder.write(PurePosixPath(name), b"1")
    folder.release()
    return folder.absolute.exists()
