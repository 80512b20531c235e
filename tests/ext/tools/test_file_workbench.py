"""The tools for the files of a folder, and that they reach no others."""

import asyncio
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.effect_recorder import EffectRecorder

from symposia.core.effects import handle_effects
from symposia.core.exceptions import ArgumentTypeError, DeadlineExceededError, InvalidArgumentError
from symposia.core.tools import call_tool
from symposia.ext.tools.files import ConfinedFolder, FileWorkbench

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows opens no files relative to a folder")

SECRET = "the secret"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.txt").write_text(SECRET)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    (folder / "docs").mkdir(parents=True)
    (folder / "a.txt").write_text("one\ntwo\nthree\n")
    (folder / "docs" / "b.md").write_text("# Title\n\nTwo birds.\n")
    (folder / ".env").write_text(SECRET)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def run(workbench: FileWorkbench, name: str, **arguments: object) -> str:
    result = await call_tool(workbench, name, arguments)
    assert not result.is_error, result.to_text()
    return result.to_text()


async def failure(workbench: FileWorkbench, name: str, **arguments: object) -> str:
    result = await call_tool(workbench, name, arguments)
    assert result.is_error
    return result.to_text()


async def test_files_are_listed_read_and_found(root: Path) -> None:
    workbench = FileWorkbench(root)
    assert await run(workbench, "list_files") == "a.txt  14\ndocs/"
    assert await run(workbench, "read_file", path="a.txt", first_line=2, line_count=1) == (
        "two\n[Lines 2 to 2 of 3. The next part: first_line=3]"
    )
    assert await run(workbench, "read_file", path=str(root / "a.txt")) == "one\ntwo\nthree"
    assert await run(workbench, "search_files", text="TWO") == "a.txt:2: two\ndocs/b.md:3: Two birds."
    assert await run(workbench, "search_files", text="two", ignore_case=False) == "a.txt:2: two"
    assert await run(workbench, "search_files", name_pattern="*.md") == "docs/b.md"
    assert await run(workbench, "search_files", text="zebra") == "Nothing is found."


async def test_files_are_written_and_edited(root: Path) -> None:
    workbench = FileWorkbench(root)
    (root / "a.txt").chmod(0o640)
    assert (
        await run(workbench, "write_file", path="new/deep/c.txt", content="é") == "new/deep/c.txt is written, 2 bytes."
    )
    assert await run(workbench, "edit_file", path="a.txt", old_text="two\n", new_text="2\n") == (
        "a.txt is changed at line 2."
    )
    assert (root / "new/deep/c.txt").read_text("utf-8") == "é"
    assert (root / "a.txt").read_text() == "one\n2\nthree\n"
    assert (root / "a.txt").stat().st_mode & 0o777 == 0o640
    assert names(root) == [".env", "a.txt", "docs", "new"]


async def test_an_edit_keeps_the_line_ends_of_windows(root: Path) -> None:
    (root / "w.txt").write_bytes(b"a\r\nb\r\nc\r\n")
    await run(FileWorkbench(root), "edit_file", path="w.txt", old_text="a\nb", new_text="a\nB\nb")
    assert (root / "w.txt").read_bytes() == b"a\r\nB\r\nb\r\nc\r\n"


@pytest.mark.parametrize(
    ("content", "old", "new", "edited"),
    [
        (b"a\r\nb\nc\r\n", "a\nb\nc", "a\nB\nc", b"a\r\nB\nc\r\n"),
        (b"a\r\nb\nc\rd", "b\nc\n", "b\nx\ny\nc\n", b"a\r\nb\nx\ny\nc\rd"),
        (b"a\r\nb\nc\n", "\nc\n", "\n", b"a\r\nb\n"),
        (b"a\r\nb\r\n", "b", "b\nc", b"a\r\nb\r\nc\r\n"),
        (b"a\r\n\r\nb\n", "\n\n", "\n", b"a\r\nb\n"),
        (b"a", "a", "b\r\nc", b"b\nc"),
    ],
)
async def test_lines_that_stay_keep_their_ends(root: Path, content: bytes, old: str, new: str, edited: bytes) -> None:
    (root / "m.txt").write_bytes(content)
    await run(FileWorkbench(root), "edit_file", path="m.txt", old_text=old, new_text=new)
    assert (root / "m.txt").read_bytes() == edited


async def test_lines_that_differ_in_their_ends_alone_are_one_text_to_a_model(root: Path) -> None:
    (root / "m.txt").write_bytes(b"a\r\nb\na\nb\n")
    assert "in more than one place" in await failure(
        FileWorkbench(root), "edit_file", path="m.txt", old_text="a\nb", new_text="x"
    )


@pytest.mark.parametrize(
    ("old", "said"),
    [("o", "in more than one place"), ("o o", "in more than one place"), ("zebra", "is not in"), ("", "is not in")],
)
async def test_an_edit_needs_a_text_that_is_there_once(root: Path, old: str, said: str) -> None:
    (root / "a.txt").write_text("o o o")
    assert said in await failure(FileWorkbench(root), "edit_file", path="a.txt", old_text=old, new_text="x")
    assert (root / "a.txt").read_text() == "o o o"


async def test_edits_of_one_answer_are_all_made(root: Path) -> None:
    (root / "n.txt").write_text("".join(f"<{number}>" for number in range(20)))
    workbench = FileWorkbench(root)
    edits = (run(workbench, "edit_file", path="n.txt", old_text=f"<{n}>", new_text=f"[{n}]") for n in range(20))
    await asyncio.gather(*edits)
    assert (root / "n.txt").read_text() == "".join(f"[{number}]" for number in range(20))


async def test_a_read_only_workbench_has_no_tools_that_write(root: Path) -> None:
    tools = await FileWorkbench(root, read_only=True).list_tools()
    assert [tool["name"] for tool in tools] == ["list_files", "read_file", "search_files"]


@pytest.mark.parametrize(
    "path",
    [
        *("../outside/secret.txt", "docs/../../outside/secret.txt", "/etc/passwd", "link.txt", "linked/secret.txt"),
        *("docs/up/outside/secret.txt", ".env", "docs/.hidden/x", "a\0b", "a\x1b[31mb", "\u202eb", "x" * 300),
        *("/".join("d" * 100), "pipe", "socket", "docs", ".", "a.txt/b", "missing.txt", "dangling"),
    ],
)
async def test_no_path_leads_out_of_the_folder(root: Path, outside: Path, path: str) -> None:
    (root / "link.txt").symlink_to(outside / "secret.txt")
    (root / "linked").symlink_to(outside)
    (root / "docs" / "up").symlink_to("../..")
    (root / "dangling").symlink_to(outside / "new.txt")
    os.mkfifo(root / "pipe")
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(root / "socket"))
        workbench = FileWorkbench(root)
        for name, arguments in (
            ("read_file", {}),
            ("edit_file", {"old_text": "secret", "new_text": "x"}),
            *([] if path == "missing.txt" else [("write_file", {"content": "mine"})]),
        ):
            said = await failure(workbench, name, path=path, **arguments)
            assert SECRET not in said
            assert said.isprintable(), said
    assert (outside / "secret.txt").read_text() == SECRET
    assert names(outside) == ["secret.txt"]


async def test_lists_and_searches_leave_out_links_hidden_files_and_names_that_cannot_be_shown(
    root: Path, outside: Path
) -> None:
    (root / "linked").symlink_to(outside)
    (root / "link.txt").symlink_to(outside / "secret.txt")
    for name in (b"new\nline.txt", b"\xff.txt", "\u202etxt.exe".encode()):
        (root / os.fsdecode(name)).write_text(SECRET)
    workbench = FileWorkbench(root)
    assert await run(workbench, "list_files") == "a.txt  14\ndocs/"
    assert await run(workbench, "search_files", text="secret") == "Nothing is found."
    assert "link" in await failure(workbench, "list_files", path="linked")


async def test_hidden_files_are_used_where_the_program_says_so(root: Path) -> None:
    assert await run(FileWorkbench(root, hidden=True), "read_file", path=".env") == SECRET


async def test_a_hard_link_from_outside_keeps_its_content(root: Path, outside: Path) -> None:
    (root / "hard.txt").hardlink_to(outside / "secret.txt")
    await run(FileWorkbench(root), "write_file", path="hard.txt", content="mine")
    assert (outside / "secret.txt").read_text() == SECRET


@pytest.mark.parametrize("swapped", ["real", "secret.txt"])
def test_a_name_that_is_swapped_for_a_link_before_it_is_opened_leads_nowhere(
    root: Path, outside: Path, monkeypatch: pytest.MonkeyPatch, swapped: str
) -> None:
    """Another program swaps a folder, or the file in it, for a link at the last moment, after any check."""
    (root / "real").mkdir()
    (root / "real" / "secret.txt").write_text("harmless")
    victim = root / "real" if swapped == "real" else root / "real" / "secret.txt"
    target = outside if swapped == "real" else outside / "secret.txt"
    real_open = os.open

    def swap_and_open(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if path == swapped and not victim.is_symlink():
            victim.rename(root / "aside")
            victim.symlink_to(target)
        return real_open(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", swap_and_open)
    monkeypatch.setattr(os, "supports_dir_fd", {swap_and_open})
    folder = ConfinedFolder(root)
    with pytest.raises(InvalidArgumentError, match="link"):
        folder.read("real/secret.txt")
    with pytest.raises(InvalidArgumentError, match="link"):
        folder.write("real/secret.txt", b"mine")
    assert victim.is_symlink()
    assert (outside / "secret.txt").read_text() == SECRET
    assert names(outside) == ["secret.txt"]


@given(st.lists(st.sampled_from(["..", ".", "", "docs", "a.txt", "b.md", "/", "x", "\\..", "~", "..."]), max_size=8))
def test_any_path_is_inside_or_refused(parts: list[str]) -> None:
    folder = ConfinedFolder(Path(__file__).parent, hidden=True)
    try:
        relative = folder.relative("/".join(parts))
    except InvalidArgumentError:
        return
    assert (folder.root / relative).resolve().is_relative_to(folder.root.resolve())


async def test_what_is_too_large_is_refused_and_what_is_long_comes_in_parts(root: Path) -> None:
    workbench = FileWorkbench(root, max_file_bytes=100_000, max_written_bytes=100)
    (root / "large.txt").write_bytes(b"x" * 100_001)
    assert "100,001 bytes" in await failure(workbench, "read_file", path="large.txt")
    assert "60 are left to write" not in await run(workbench, "write_file", path="c.txt", content="x" * 60)
    assert "40 bytes are left to write" in await failure(workbench, "write_file", path="d.txt", content="x" * 60)
    (root / "long.txt").write_text("\n".join(["y" * 90] * 1_000))
    part = await run(workbench, "read_file", path="long.txt")
    assert len(part) < 33_000
    assert "The next part: first_line=" in part
    (root / "wide.txt").write_text("z" * 50_000)
    assert len(await run(workbench, "read_file", path="wide.txt")) < 1_100
    assert len(await run(workbench, "search_files", text="y")) < 33_000


def test_a_folder_of_too_many_files_a_large_file_and_a_device_are_refused(root: Path) -> None:
    for number in range(20_001):  # hidden ones, which are left out, cost time as well
        os.close(os.open(root / "docs" / f".{number}", os.O_CREAT | os.O_WRONLY))
    (root / "large.txt").touch()
    os.truncate(root / "large.txt", 1024**3)
    for folder, path, said in (
        (root, "docs", r"'docs' has more than 20,000 files"),
        (root, "large.txt", "1,073,741,824 bytes or more"),
        (Path("/dev"), "zero", "no regular file"),
    ):
        confined = ConfinedFolder(folder)
        with pytest.raises(InvalidArgumentError, match=said):
            confined.entries(path) if path == "docs" else confined.read(path)
    assert [entry.path for entry in ConfinedFolder(root).walk()] == ["a.txt", "large.txt"]


async def test_control_characters_of_files_are_shown_as_pictures(root: Path) -> None:
    (root / "a.txt").write_bytes(b"one\r\ntwo \x1b[31m\rthree")
    workbench = FileWorkbench(root)
    assert await run(workbench, "read_file", path="a.txt") == "one\ntwo \u241b[31m\nthree"
    assert await run(workbench, "search_files", text="three") == "a.txt:3: three"
    for hostile in ({"text": "one\ntwo"}, {"name_pattern": "*a" * 501}):
        assert "a text of one line, and a pattern" in await failure(workbench, "search_files", **hostile)


async def test_a_write_behind_one_that_hangs_is_given_up(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would be written later, when nobody expects it."""
    entered, released = threading.Event(), threading.Event()

    def hang(*_arguments: object) -> None:
        entered.set()
        released.wait(60)

    monkeypatch.setattr(ConfinedFolder, "write", hang)
    workbench = FileWorkbench(root, timeout=0.05)
    first = asyncio.create_task(asyncio.to_thread(workbench.write_file, "a.txt", "1"))
    try:
        assert await asyncio.to_thread(entered.wait, 60)
        with pytest.raises(DeadlineExceededError, match=r"not ended after 0\.05 s"):
            await asyncio.to_thread(workbench.write_file, "a.txt", "2")
    finally:
        released.set()
        await first


async def test_a_binary_file_is_named_and_not_shown(root: Path) -> None:
    (root / "image.bin").write_bytes(b"\x89PNG\0" + b"two")
    (root / "latin.txt").write_bytes(b"caf\xe9 two")
    workbench = FileWorkbench(root)
    assert await failure(workbench, "read_file", path="image.bin") == "'image.bin' is not text. It has 8 bytes."
    assert await run(workbench, "read_file", path="latin.txt") == "caf\ufffd two"
    assert "not text in UTF-8" in await failure(workbench, "edit_file", path="latin.txt", old_text="two", new_text="2")
    assert (root / "latin.txt").read_bytes() == b"caf\xe9 two"


async def test_a_call_that_takes_too_long_says_so(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def walk(_folder: ConfinedFolder, _path: str) -> Iterator[object]:
        released.wait(60)
        yield from ()

    monkeypatch.setattr(ConfinedFolder, "walk", walk)
    try:
        assert "not ended after 0.05 s" in await failure(FileWorkbench(root, timeout=0.05), "search_files", text="x")
    finally:
        released.set()


async def test_effect_handlers_see_which_calls_may_be_repeated(root: Path) -> None:
    recorder = EffectRecorder()
    workbench = FileWorkbench(root)
    with handle_effects(recorder):
        await call_tool(workbench, "read_file", {"path": "a.txt"})
        await call_tool(workbench, "write_file", {"path": "a.txt", "content": "1"})
        await call_tool(workbench, "edit_file", {"path": "a.txt", "old_text": "1", "new_text": "11"})
    assert [effect.idempotency for effect in recorder.effects] == ["idempotent", "idempotent", "unknown"]
    assert recorder.effects[0].request.workbench["root"] == str(root)


async def test_a_saved_workbench_has_the_same_folder_and_limits(root: Path) -> None:
    saved = FileWorkbench(root, read_only=True, max_file_bytes=5).dump_component()
    loaded = FileWorkbench.load_component(saved)
    assert loaded.root == root
    assert "allowed" in await failure(loaded, "read_file", path="a.txt")
    assert len(await loaded.list_tools()) == 3


def test_what_is_no_folder_is_refused_at_once(root: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="There is no folder"):
        FileWorkbench(root / "a.txt")
    with pytest.raises(ArgumentTypeError, match="has to be a path"):
        FileWorkbench(3)  # pyright: ignore[reportArgumentType] - what is tested
    with pytest.raises(InvalidArgumentError, match="timeout of FileWorkbench is 0: give seconds above 0"):
        FileWorkbench(root, timeout=0)
