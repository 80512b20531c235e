from pathlib import Path
from typing import NoReturn

import pytest

from symposia.core.exceptions import ModelError
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.presets.coding import (
    CodingTask,
    DataFileError,
    EmptyTaskError,
    NamedModel,
    SwarmModels,
    run_coding_swarm,
)
from symposia.testing.sandboxes import FakeSandboxBackend


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_an_empty_task_is_refused(text: str) -> None:
    with pytest.raises(EmptyTaskError, match="Say what to do"):
        CodingTask(text=text)


def test_a_missing_data_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match=r"nowhere\.csv does not exist"):
        CodingTask(text="Plot it", data=(tmp_path / "nowhere.csv",)).check_data()


def test_a_folder_is_no_data_file(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="is not a file"):
        CodingTask(text="Plot it", data=(tmp_path,)).check_data()


def test_an_unreadable_data_file_is_named_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret.csv"
    secret.touch()

    def refuse(path: Path, mode: int) -> bool:
        return False

    monkeypatch.setattr("os.access", refuse)  # root may read everything
    with pytest.raises(DataFileError, match=r"chmod u\+r .*secret\.csv"):
        CodingTask(text="Plot it", data=(secret,)).check_data()


def test_two_data_files_of_one_name_are_refused(tmp_path: Path) -> None:
    paths = tmp_path / "a" / "sales.csv", tmp_path / "b" / "sales.csv"
    with pytest.raises(DataFileError, match="same name"):
        CodingTask(text="Plot it", data=paths)


async def first_message(task: CodingTask) -> str:
    """What the agents are told of the task."""
    model = NamedModel(name="m", client=ReplayChatCompletionClient([ModelError("There is no model.")]))
    result = await run_coding_swarm(
        task, models=SwarmModels(planner=model, coder=model, reviewer=model), sandbox=FakeSandboxBackend(runs_nothing)
    )
    return result.messages[0].to_text()


async def runs_nothing(code: str) -> NoReturn:
    raise AssertionError(code)


async def described(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    return await first_message(CodingTask(text="Plot it", data=(folder / name,)))


async def test_the_prompt_shows_where_a_file_is_and_how_it_begins(tmp_path: Path) -> None:
    prompt = await described(tmp_path, "sales.csv", b"month,revenue\nJan,10\n" + b"Feb,20\n" * 50)
    assert "/data/sales.csv (371 bytes)" in prompt
    assert "month,revenue\nJan,10\n" in prompt
    assert prompt.count("Feb") == 3


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\0\0", b"\xff\xfe\xfd"], ids=["PNG", "no UTF-8"])
async def test_a_file_that_is_no_text_is_only_named(content: bytes, tmp_path: Path) -> None:
    prompt = await described(tmp_path, "x.png", content)
    assert prompt.splitlines()[-1] == f"- /data/x.png ({len(content)} bytes)"


async def test_a_preview_may_end_inside_a_character(tmp_path: Path) -> None:
    prompt = await described(tmp_path, "x.txt", b"g" + "ü".encode() * 5_000)
    assert "which begins:\n```\ngüü" in prompt
    assert "\N{REPLACEMENT CHARACTER}" not in prompt


async def test_a_task_without_data_is_its_own_prompt() -> None:
    assert await first_message(CodingTask(text=" Sort it \n")) == "Sort it"


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
            CodingTask(text="Add", data=(path,)).check_data()

    def refuse(path: Path) -> NoReturn:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", refuse)  # root may look into every folder
    with pytest.raises(DataFileError, match="you may not read one of the folders that lead to it"):
        CodingTask(text="Add", data=(tmp_path / "closed" / "data.csv",)).check_data()


def test_n02_a_relative_data_file_in_a_working_directory_that_is_gone_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path / ".")
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(DataFileError, match="the working directory does not exist any more"):
        CodingTask(text="Add", data=(Path("data.csv"),)).check_data()
