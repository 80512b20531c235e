"""The rehearsal of a block, which has to leave everything as it is."""

import os
from pathlib import Path

from symposia.ext.code_executors._sandbox._inside._channel import Settings
from symposia.ext.code_executors._sandbox._inside._processes import nothing_else_runs
from symposia.ext.code_executors._sandbox._inside._rehearsal import Rehearsal


class _Memory:
    enforced = True

    def __init__(self) -> None:
        self.starts = 0

    def start(self) -> None:
        self.starts += 1

    def exceeded(self) -> bool:
        return False

    def is_over(self) -> bool:
        return False


def _settings(folder: Path) -> Settings:
    limits = dict.fromkeys(Settings._fields, 1_000_000)
    names: dict[str, object] = {"work_folder": str(folder), "scratch_folders": [], "environment": {}}
    return Settings._make({**limits, **names}[name] for name in Settings._fields)


def _open_files() -> set[str]:
    return {each.name for each in Path("/proc/self/fd").iterdir()}


def test_a_rehearsal_goes_through_a_block_and_leaves_no_file_and_no_descriptor(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("1,2\n")
    before = (tmp_path / "table.csv").stat()
    memory = _Memory()
    rehearsal = Rehearsal(_settings(tmp_path), memory)
    open_before = _open_files()
    for _ in range(3):
        rehearsal.run()
    assert memory.starts == 3
    assert _open_files() == open_before
    assert [each.name for each in tmp_path.iterdir()] == ["table.csv"]
    assert (tmp_path / "table.csv").stat() == before


def test_a_rehearsal_in_a_folder_that_takes_no_file_is_harmless(tmp_path: Path) -> None:
    (tmp_path / ".block.py").mkdir()
    Rehearsal(_settings(tmp_path), _Memory()).run()
    assert list(tmp_path.iterdir()) == []


def test_that_nothing_else_runs_is_not_said_where_something_does() -> None:
    assert not nothing_else_runs(os.getpid())
