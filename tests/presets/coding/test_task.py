from pathlib import Path
from typing import NoReturn

import pytest

from symposia.presets.coding import CodingTask, DataFileError, EmptyTaskError, check_data_files
from symposia.presets.coding._task import preview, task_prompt


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_an_empty_task_is_refused(text: str) -> None:
    with pytest.raises(EmptyTaskError, match="Say what to do"):
        CodingTask(text=text)


def test_a_missing_data_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match=r"nowhere\.csv does not exist"):
        check_data_files(CodingTask(text="Plot it", data=(tmp_path / "nowhere.csv",)))


def test_a_folder_is_no_data_file(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="is not a file"):
        check_data_files(CodingTask(text="Plot it", data=(tmp_path,)))


def test_an_unreadable_data_file_is_named_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret.csv"
    secret.touch()

    def refuse(path: Path, mode: int) -> bool:
        return False

    monkeypatch.setattr("os.access", refuse)  # root may read everything
    with pytest.raises(DataFileError, match=r"chmod u\+r .*secret\.csv"):
        check_data_files(CodingTask(text="Plot it", data=(secret,)))


def test_two_data_files_of_one_name_are_refused(tmp_path: Path) -> None:
    paths = tmp_path / "a" / "sales.csv", tmp_path / "b" / "sales.csv"
    with pytest.raises(DataFileError, match="same name"):
        CodingTask(text="Plot it", data=paths)


def test_the_prompt_shows_where_a_file_is_and_how_it_begins() -> None:
    start = b"month,revenue\nJan,10\n" + b"Feb,20\n" * 50
    prompt = task_prompt("Plot it", [preview("/data/sales.csv", len(start), start)])
    assert "/data/sales.csv (371 bytes)" in prompt
    assert "month,revenue\nJan,10\n" in prompt
    assert prompt.count("Feb") == 3


@pytest.mark.parametrize("start", [b"\x89PNG\r\n\x1a\n\0\0", b"\xff\xfe\xfd"])
def test_a_file_that_is_no_text_is_only_named(start: bytes) -> None:
    assert preview("/data/x.png", len(start), start).head == ""


def test_a_preview_may_end_inside_a_character() -> None:
    assert preview("/data/x.txt", 5_000, "grün".encode()[:3]).head == "gr"


def test_a_task_without_data_is_its_own_prompt() -> None:
    assert task_prompt(" Sort it \n", []) == "Sort it"


def test_n02_what_keeps_a_data_file_from_being_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "circle.csv").symlink_to("circle.csv")
    (tmp_path / "file").touch()
    told = {
        tmp_path / "circle.csv": "Too many levels of symbolic links",
        tmp_path / "file" / "data.csv": "does not exist",
        tmp_path / ("x" * 300): "File name too long",
        tmp_path / "null\0character": "null",
        tmp_path: "is not a file",
    }
    for path, reason in told.items():
        with pytest.raises(DataFileError, match=reason):
            check_data_files(CodingTask(text="Add", data=(path,)))

    def refuse(path: Path) -> NoReturn:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", refuse)  # root may look into every folder
    with pytest.raises(DataFileError, match="you may not read one of the folders that lead to it"):
        check_data_files(CodingTask(text="Add", data=(tmp_path / "closed" / "data.csv",)))


def test_n02_a_relative_data_file_in_a_working_directory_that_is_gone_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path / ".")
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(DataFileError, match="the working directory does not exist any more"):
        check_data_files(CodingTask(text="Add", data=(Path("data.csv"),)))
