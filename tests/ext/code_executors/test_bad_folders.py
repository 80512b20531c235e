"""Work folders that are full, cannot be written or cannot be made, and blocks that want one file."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from tests.support.sandboxes import require_in_loop

from symposia.core import CancellationToken
from symposia.core.code_executor import CodeBlock, CommandLineCodeResult
from symposia.ext.code_executors import SandboxCodeExecutor
from symposia.ext.code_executors._sandbox import base_python
from symposia.ext.code_executors.namespaces import NamespaceBackend

WAIT = 60.0
REQUIRED = os.environ.get("SYMPOSIA_REQUIRE_SANDBOXES") == "1"
MakeFolder = Callable[[str], Path]


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[MakeFolder]:
    """Makes a folder that is a file system in memory of its own, with options of mount(8)."""
    folders: list[Path] = []

    def mount(options: str) -> Path:
        folder = tmp_path / f"mounted{len(folders)}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            said = f"file systems have to be mounted here: {done.stderr.strip()}"
            pytest.fail(said) if REQUIRED else pytest.skip(said)
        folders.append(folder)
        return folder

    yield mount
    for folder in folders:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture(autouse=True)
async def _in_time() -> AsyncIterator[None]:
    await require_in_loop(NamespaceBackend(base_python()))
    async with asyncio.timeout(WAIT):
        yield


async def run(work_dir: Path, *sources: str, full: bool = False) -> CommandLineCodeResult:
    async with SandboxCodeExecutor(NamespaceBackend(base_python()), work_dir=work_dir) as executor:
        if full:
            await asyncio.to_thread(fill, work_dir)
        return await executor.execute_code_blocks(
            [CodeBlock(source, "python") for source in sources], CancellationToken()
        )


def fill(folder: Path) -> None:
    """Write into a folder until it has no room."""
    with (folder / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return


async def test_on_a_disk_that_fills_up_what_did_not_fit_is_named_and_the_rest_is_kept(mounted: MakeFolder) -> None:
    folder = mounted("size=1m") / "work"
    result = await run(
        folder,
        "open('first', 'w').write('kept')",
        "open('large', 'wb').write(bytes(2 << 20)); print('ran')",
        "open('last', 'w').write('kept too')",
    )
    assert [block.status for block in result.blocks] == ["ok", "ok", "ok"]
    assert [(folder / name).read_text() for name in ("first", "last")] == ["kept", "kept too"]
    ((name, reason),) = result.blocks[1].artifacts_skipped
    assert name == "large"
    assert reason == f"cannot be written to {folder}: [Errno 28] No space left on device"
    assert result.blocks[1].output == "ran\n"
    assert not [name for name in await asyncio.to_thread(os.listdir, folder) if "large" in name]


async def test_on_a_full_disk_a_block_is_refused_with_what_to_do(mounted: MakeFolder) -> None:
    folder = mounted("size=1m") / "work"
    result = await run(folder, "print(1)", full=True)
    assert result.exit_code != 0
    assert f"cannot be written to {folder}: No space left on device. Make room there" in result.output


async def test_a_folder_that_cannot_be_written_is_told_with_what_to_do(mounted: MakeFolder) -> None:
    folder = mounted("ro")
    result = await run(folder, "print(1)")
    assert f"cannot be written to {folder}: Read-only file system." in result.output
    assert "give the executor another work_dir" in result.output


@pytest.mark.parametrize(("place", "error"), [("file", FileExistsError), ("file/below", NotADirectoryError)])
async def test_a_folder_that_cannot_be_made_is_told_with_what_to_do(
    tmp_path: Path, place: str, error: type[OSError]
) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(error, match=r"cannot be made\. Give another work_dir"):
        await run(tmp_path / place, "print(1)")


async def test_of_two_blocks_that_write_one_file_the_second_one_wins_and_both_name_it(tmp_path: Path) -> None:
    result = await run(tmp_path, "open('file', 'w').write('first')", "open('file', 'a').write(' and second')")
    assert [[file.path for file in block.artifacts] for block in result.blocks] == [["file"], ["file"]]
    assert [block.artifacts[0].data for block in result.blocks] == [b"first", b"first and second"]
    assert (tmp_path / "file").read_text() == "first and second"


async def test_of_two_blocks_that_name_one_file_the_second_one_replaces_the_first(tmp_path: Path) -> None:
    result = await run(tmp_path, "# filename: same.py\nprint(1)", "# filename: same.py\nprint(2)", "import same")
    assert [block.output for block in result.blocks] == ["1\n", "2\n", "2\n"]


async def test_a_name_with_a_path_out_of_the_folder_is_refused_and_earlier_results_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    result = await run(folder, "open('kept', 'w').write('kept'); print('first')", "# filename: ../out.py\nprint(1)")
    assert result.output.startswith("first\n")
    assert "not in the workspace" in result.output
    assert (folder / "kept").read_text() == "kept"
    assert await asyncio.to_thread(os.listdir, tmp_path) == ["work"]
