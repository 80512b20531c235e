"""The server's handling of folders, run on a folder of the test's own; inside, it is tested by the attacks."""

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symposia.ext.code_executors._sandbox._inside._artifacts import collect, snapshot
from symposia.ext.code_executors._sandbox._inside._folders import empty_folder, read_file, write_file

names = st.sampled_from(["a", "b", "c.txt", "ü", "with space", ".hidden"])
files = st.dictionaries(st.lists(names, min_size=1, max_size=3).map("/".join), st.binary(max_size=20), max_size=6)
trees = files.filter(
    lambda tree: not any(f"{path}/" in f"{other}/" for path in tree for other in tree if path != other)
)


@contextmanager
def new_folder() -> Generator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield folder


def fill(folder: str, tree: dict[str, bytes]) -> None:
    for path, data in tree.items():
        write_file(folder, path, data)


@settings(max_examples=30, deadline=None)
@given(trees)
def test_files_are_read_as_they_were_written(tree: dict[str, bytes]) -> None:
    with new_folder() as folder:
        fill(folder, tree)
        assert {path: read_file(folder, path, 100) for path in tree} == tree


@settings(max_examples=30, deadline=None)
@given(before=trees, after=trees)
def test_exactly_the_files_that_were_written_since_are_collected(
    before: dict[str, bytes], after: dict[str, bytes]
) -> None:
    with new_folder() as folder, new_folder() as other:
        fill(folder, before)
        seen = snapshot(folder)
        fill(other, after)
        written = {path: data for path, data in after.items() if is_free(folder, path)}
        fill(folder, written)
        assert [(found.path, found.data) for found in collect(folder, seen, 100, 1000)] == sorted(written.items())


def is_free(folder: str, path: str) -> bool:
    """Whether a file can be written there without a folder or a file being in the way."""
    place = Path(folder, path)
    parents_are_folders = all(not part.is_file() for part in place.parents)
    return parents_are_folders and not place.is_dir()


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(0, 50), max_size=8), most=st.integers(0, 5), room=st.integers(0, 100))
def test_what_is_collected_never_exceeds_the_caps_and_nothing_is_left_unsaid(
    sizes: list[int], most: int, room: int
) -> None:
    with new_folder() as folder:
        fill(folder, {str(number): bytes(size) for number, size in enumerate(sizes)})
        found = list(collect(folder, {}, most, room))
        taken = [file.data for file in found if file.data is not None]
        assert len(taken) <= most
        assert sum(map(len, taken)) <= room
        assert [file.path for file in found] == sorted(map(str, range(len(sizes))))


def test_of_very_many_files_that_are_left_behind_some_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    for number in range(500):
        (tmp_path / f"{number:03}").symlink_to("nowhere")
    found = list(collect(str(tmp_path), {}, 32, 1000))
    assert [file.reason for file in found[:-1]] == ["not a regular file"] * 99
    assert found[-1].reason == "401 more were left behind"


def test_emptying_a_folder_follows_no_link_and_leaves_what_is_outside(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    inside = tmp_path / "inside"
    outside.mkdir()
    (outside / "kept").touch()
    (inside / "a" / "b").mkdir(parents=True)
    (inside / "link").symlink_to(outside)
    (inside / "a" / "b" / "link").symlink_to(outside)
    (inside / "a").chmod(0)
    os.mkfifo(inside / "pipe")
    empty_folder(str(inside))
    assert list(inside.iterdir()) == []
    assert (outside / "kept").exists()


@pytest.mark.parametrize("path", ["link/kept", "link"])
def test_reading_follows_no_link(tmp_path: Path, path: str) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "kept").touch()
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(OSError, match="link"):
        read_file(str(tmp_path / "inside"), path, 100)


def test_what_cannot_be_named_is_reported_by_the_block_that_made_it_alone(tmp_path: Path) -> None:
    (tmp_path / "a\n").touch()
    seen = snapshot(str(tmp_path))
    (tmp_path / "b\n").touch()
    (tmp_path / "b\\n").touch()  # as the one above is listed
    found = [(found.path, found.data is None) for found in collect(str(tmp_path), seen, 100, 1000)]
    assert sorted(found) == [("b\\n", False), ("b\\n", True)]
