"""The memory in SQLite among other processes, and with disks, files, texts and embedders that fail."""

import asyncio
import math
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apsw
import pytest
from tests.contracts.memory_contract import FACTS, found, text

from symposia.core import CancellationToken
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError, MemoryStoreError
from symposia.ext.memory.embedders import FunctionEmbedder, HashingEmbedder
from symposia.ext.memory.sqlite import SQLiteMemory

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no os.fork and no limits of a process")

SHARED = """
import asyncio, os, resource, sys, tempfile
from symposia.core.exceptions import MemoryStoreError
from symposia.core.memory import MemoryContent
from symposia.ext.memory.sqlite import SQLiteMemory
import apsw, numpy, sqlite_vec

def text(content):
    return MemoryContent(content=content, mime_type="text/plain")
"""

WRITERS = """
async def write(name):
    async with SQLiteMemory(sys.argv[1]) as memory:
        for number in range(15):
            await memory.add(text(f"{name}{number}"))

children = []
for writer in range(8):
    child = os.fork()
    if not child:
        asyncio.run(write(f"writer{writer}number"))
        os._exit(0)
    children.append(child)
sys.exit(sum(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
"""

MAKERS = """
from multiprocessing import Barrier

async def make():
    for number in range(60):
        together.wait(60)
        async with SQLiteMemory(f"{sys.argv[1]}{number}") as memory:
            await memory.add(text("made"))

together = Barrier(8)
children = []
for maker in range(8):
    child = os.fork()
    if not child:
        asyncio.run(make())
        os._exit(0)
    children.append(child)
sys.exit(sum(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
"""

ENDLESS = """
async def write():
    memory, number = SQLiteMemory(sys.argv[1]), 0
    while True:
        await memory.add_many([text(f"batch{number} entry{each}") for each in range(20)])
        print(number, flush=True)
        number += 1

asyncio.run(write())
"""

FULL = """
async def write():
    memory, added = SQLiteMemory(sys.argv[1]), 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
    try:
        while True:
            await memory.add_many([text(f"number{added + each} " + "x" * 500) for each in range(20)])
            added += 20
    except MemoryStoreError as error:
        print(error)
    print(await memory.count() == added > 0)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await memory.add(text("There is room again."))
    print((await memory.query("room again")).results[0].content, await memory.count() - added)

asyncio.run(write())
"""

QUERY_ONLY = """
async def prepare():
    async with SQLiteMemory("memory.db") as memory:
        await memory.add(text("It is there."))
        await memory.query("there")

async def query():
    async with SQLiteMemory("memory.db") as memory:
        for _ in range(2):
            assert [each.content for each in (await memory.query("there")).results] == ["It is there."]
            assert await memory.count() == 1
        try:
            await memory.add(text("more"))
        except MemoryStoreError as error:
            print(error, flush=True)

def queried_as_nobody():
    child = os.fork()
    if not child:
        if os.getuid() == 0:  # who may write everywhere
            os.setgid(65534)
            os.setuid(65534)
        asyncio.run(query())
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

with tempfile.TemporaryDirectory() as folder:  # others cannot open pytest's
    os.chdir(folder)
    asyncio.run(prepare())
    os.chmod("memory.db", 0o444)
    for rights in (0o777, 0o555):
        os.chmod(".", rights)
        assert queried_as_nobody() == 0
    os.chmod(".", 0o777)
    os.chdir("/")
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "memory.db"


async def started(program: str, path: Path) -> asyncio.subprocess.Process:
    command = [sys.executable, "-c", SHARED + program, str(path)]
    return await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)


def is_whole(path: Path) -> bool:
    """Whether the file is consistent, and so is its index of words."""
    connection: Any = apsw.Connection(str(path))
    try:
        connection.execute("INSERT INTO entries_text (entries_text) VALUES ('integrity-check')")
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        connection.close()


@posix
async def test_eight_processes_that_make_the_file_and_write_at_once_lose_nothing(path: Path) -> None:
    process = await started(WRITERS, path)
    assert await asyncio.wait_for(process.wait(), 120) == 0
    async with SQLiteMemory(path) as memory:
        assert await memory.count() == 120
        for name in ("writer0number14", "writer7number0"):
            assert (await found(memory, name))[0] == name
    assert is_whole(path)


@posix
async def test_a_file_may_be_made_by_several_processes_at_the_same_moment(path: Path) -> None:
    process = await started(MAKERS, path)
    assert await asyncio.wait_for(process.wait(), 120) == 0
    async with SQLiteMemory(f"{path}59") as memory:
        assert await memory.count() == 8


async def test_what_was_added_before_a_kill_is_there_and_no_part_of_a_batch(path: Path) -> None:
    process = await started(ENDLESS, path)
    assert process.stdout is not None
    numbers = [await asyncio.wait_for(process.stdout.readline(), 120) for _ in range(4)]
    process.send_signal(signal.SIGKILL)
    numbers += (await process.stdout.read()).splitlines()
    await process.wait()
    last = int(numbers[-1])
    async with SQLiteMemory(path) as memory:
        count = await memory.count()
        assert count in {20 * (last + 1), 20 * (last + 2)}  # the next one may have been on the disk already
        assert f"batch{last} entry19" in await found(memory, f"batch{last} entry19")
        await memory.add(text(FACTS[0]))
    assert is_whole(path)


@posix
async def test_a_full_disk_is_one_clear_error_and_the_memory_works_when_there_is_room(path: Path) -> None:
    process = await started(FULL, path)
    output, _ = await asyncio.wait_for(process.communicate(), 120)
    error, *rest = output.decode().splitlines()
    assert "memory.db fails" in error
    assert "room" in error
    assert rest == ["True", "There is room again. 1"]
    assert is_whole(path)


@pytest.mark.parametrize(
    "schema", ["CREATE TABLE customers (name)", "PRAGMA application_id = 7", "PRAGMA user_version = 9"]
)
async def test_the_database_of_another_program_is_refused_and_not_changed(path: Path, schema: str) -> None:
    connection: Any = apsw.Connection(str(path))
    if "user_version" in schema:
        async with SQLiteMemory(path) as memory:
            await memory.count()
    connection.execute(schema)
    before = connection.execute("SELECT group_concat(name) FROM sqlite_schema").fetchall()
    mode = connection.execute("PRAGMA journal_mode").fetchall()
    error = "made by a newer version" if "user_version" in schema else "is a database of another program"
    with pytest.raises(InvalidArgumentError, match=error):
        await SQLiteMemory(path).add(text("x"))
    assert connection.execute("SELECT group_concat(name) FROM sqlite_schema").fetchall() == before
    assert connection.execute("PRAGMA journal_mode").fetchall() == mode
    connection.close()


async def test_a_file_that_was_removed_while_it_was_open_is_one_clear_error(path: Path) -> None:
    memory = SQLiteMemory(path)
    await memory.add(text("old"))
    path.unlink()  # noqa: ASYNC240 - a small file
    for call in (memory.add(text("lost")), memory.query("old")):
        with pytest.raises(MemoryStoreError, match=r"removed or replaced while it was open\. Close the memory"):
            await call
    await memory.close()
    await memory.add(text("new"))
    assert await found(memory, "new") == ["new"]
    assert await memory.count() == 1
    await memory.close()


async def test_files_that_are_cut_or_changed_by_others_are_clear_errors(path: Path) -> None:
    async with SQLiteMemory(path) as memory:
        await memory.add_many([text(f"entry {number} {'x' * 300}") for number in range(200)])
    connection: Any = apsw.Connection(str(path))
    connection.execute("UPDATE entries SET record = '{' WHERE id = 1")
    connection.close()
    async with SQLiteMemory(path, limit=200) as memory:
        with pytest.raises(MemoryStoreError, match="entry of a memory cannot be read"):
            await memory.query("")
        os.truncate(path, 40_960)
        with pytest.raises(MemoryStoreError, match=r"memory.db fails: .*The file is damaged"):
            await memory.query("entry 100")


async def test_a_memory_without_a_file_is_shared_by_nobody_and_empty_when_it_is_closed() -> None:
    async with SQLiteMemory(":memory:") as memory, SQLiteMemory(":memory:") as other:
        await memory.add(text(FACTS[0]))
        assert await found(memory, FACTS[0]) == [FACTS[0]]
        assert await other.count() == 0
        await memory.close()
        assert await memory.count() == 0
    assert not Path(":memory:").exists()  # noqa: ASYNC240 - there is none


HOSTILE = [
    "a\0b",
    "half \ud83d of a pair",
    "",
    " \n",
    "\" OR 1 NEAR( ^ * text: {a b} -- '",
    "%s ; DROP TABLE entries",
    "x" * 200_000,
]


async def test_hostile_texts_are_kept_as_they_are_and_found() -> None:
    async with SQLiteMemory(":memory:", limit=20) as memory:
        for each in HOSTILE:
            await memory.add(text(each, **{f"key {each[:20]}": each[:20]}))
        assert {str(each.content) for each in (await memory.query("")).results} == set(HOSTILE)
        for each in HOSTILE:
            if each.strip() and len(each) < 1_000:
                assert each in await found(memory, each), each
            key = {f"key {each[:20]}": each[:20]}
            if "\ud83d" not in each:  # in the name of a value, half of a pair is replaced
                assert [one.content for one in (await memory.query("", where=key)).results] == [each]
        await memory.query("word " * 100_000)
        assert len((await memory.query("", limit=10**30)).results) == len(HOSTILE)
        assert await memory.query("x", limit=5_000)  # sqlite-vec finds 4,096 at most


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"where": {"a": math.nan}}, InvalidArgumentError),
        ({"where": {"a": object()}}, InvalidArgumentError),
        ({"where": "a"}, ArgumentTypeError),
        ({"limit": 0}, InvalidArgumentError),
        ({"limit": "5"}, ArgumentTypeError),
    ],
    ids=["nan", "object", "text", "zero", "no number"],
)
async def test_wrong_arguments_of_calls_are_refused(arguments: dict[str, Any], error: type[Exception]) -> None:
    async with SQLiteMemory(":memory:") as memory:
        with pytest.raises(error):
            await memory.query("x", **arguments)
        with pytest.raises(ArgumentTypeError, match="ids of SQLiteMemory has '1'"):
            await memory.forget(["1"])  # pyright: ignore[reportArgumentType] - wrong on purpose


async def test_what_is_no_embedder_and_no_content_is_refused_with_what_to_give() -> None:
    with pytest.raises(ArgumentTypeError, match=r"embedder of SQLiteMemory .*FunctionEmbedder\(function, name\)"):
        SQLiteMemory(":memory:", embedder="mine")  # pyright: ignore[reportArgumentType] - wrong on purpose
    async with SQLiteMemory(":memory:") as memory:
        with pytest.raises(ArgumentTypeError, match=r"content of SQLiteMemory is 'a': give a MemoryContent"):
            await memory.add("a")  # pyright: ignore[reportArgumentType] - wrong on purpose


@pytest.mark.parametrize(
    "vectors",
    [
        None,
        [],
        [[math.nan]],
        [[1e300]],
        [[1e30, 1e30]],
        [[1.0], [1.0]],
        [[]],
        ["abc"],
        [1.0],
        [[[1.0]]],
        [[1.0] * 9_000],
    ],
    ids=str,
)
async def test_what_an_embedder_returns_is_checked(vectors: Any) -> None:
    async with SQLiteMemory(":memory:", embedder=FunctionEmbedder(lambda _: vectors, "mine")) as memory:
        with pytest.raises(InvalidArgumentError, match="The embedder 'mine'"):
            await memory.add(text("a"))
        assert await memory.count() == 0


async def test_an_embedder_that_changes_its_dimensions_or_fails_loses_nothing() -> None:
    lengths = [3, 4, 0, 3]

    def embed(texts: Sequence[str]) -> list[list[float]]:
        length = lengths.pop(0)
        if not length:
            raise TimeoutError("the vendor is gone")
        return [[1.0] * length for _ in texts]

    async with SQLiteMemory(":memory:", embedder=FunctionEmbedder(embed, "mine")) as memory:
        await memory.add(text("first"))
        with pytest.raises(InvalidArgumentError, match="have 3 dimensions, and the embedder 'mine' made one with 4"):
            await memory.add(text("second"))
        with pytest.raises(TimeoutError, match="the vendor is gone"):
            await memory.add(text("third"))
        assert await found(memory, "first") == ["first"]
        assert await memory.count() == 1


class Gate(HashingEmbedder):
    """An embedder that waits."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.opened = asyncio.Event(), asyncio.Event()

    async def embed(self, texts: Sequence[str]) -> Any:
        self.reached.set()
        await self.opened.wait()
        return await super().embed(texts)


@pytest.mark.parametrize("by", ["token", "task"])
@pytest.mark.parametrize("operation", ["add", "query"])
async def test_a_call_is_cancelled_while_texts_are_embedded(by: str, operation: str) -> None:
    gate, token = Gate(), CancellationToken()
    async with SQLiteMemory(":memory:", embedder=gate) as memory:
        call: Any = memory.add(text("x"), token) if operation == "add" else memory.query("x", token)
        task = asyncio.ensure_future(call)
        await asyncio.wait_for(gate.reached.wait(), 20)
        token.cancel() if by == "token" else task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 20)
        gate.opened.set()
        assert await memory.count() == 0
        await memory.add(text("y"))
        assert await found(memory, "y") == ["y"]


async def test_queries_do_not_wait_for_writers(path: Path) -> None:
    other: Any = apsw.Connection(str(path))
    async with SQLiteMemory(path) as memory:
        await memory.add(text("first"))
        other.execute("BEGIN IMMEDIATE")  # the writers of this memory wait from now on
        adding = asyncio.ensure_future(memory.add(text("second")))
        async with SQLiteMemory(path) as opened_meanwhile:
            for each in (memory, opened_meanwhile):
                assert await asyncio.wait_for(found(each, "first"), 20) == ["first"]
                assert not adding.done()
        other.execute("COMMIT")
        await asyncio.wait_for(adding, 20)
        assert await memory.count() == 2
    other.close()


async def test_a_memory_is_closed_while_others_write_and_ask(path: Path) -> None:
    memory = SQLiteMemory(path)
    is_closed = asyncio.Event()

    async def use(number: int) -> int:
        added = 0
        while not is_closed.is_set():
            await memory.add(text(f"entry {added} of {number}"))
            await memory.query("entry")
            added += 1
        return added

    using = [asyncio.create_task(use(number)) for number in range(8)]
    for _ in range(5):
        await asyncio.wait_for(memory.close(), 20)
    is_closed.set()
    assert sum(await asyncio.gather(*using)) == await memory.count()
    await memory.close()


async def test_what_is_forgotten_during_a_query_is_left_out(path: Path) -> None:
    async with SQLiteMemory(path) as memory, SQLiteMemory(path) as other:
        ids = await memory.add_many([text(f"entry {number}") for number in range(400)])

        async def forget() -> None:
            for id_ in ids:
                await other.forget([id_])

        forgetting = asyncio.create_task(forget())
        while not forgetting.done():
            assert all("entry" in str(each) for each in await found(memory, "entry"))
        await forgetting
        assert await found(memory, "entry") == []


@posix
async def test_a_file_that_cannot_be_written_is_queried(path: Path) -> None:
    process = await started(QUERY_ONLY, path)
    output, _ = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0
    assert output.count(b"memory.db fails: attempt to write a readonly database. Give this program the right") == 2


async def test_a_call_is_cancelled_while_it_waits_for_another_writer(path: Path) -> None:
    async with SQLiteMemory(path) as memory:
        await memory.add(text("first"))
        other: Any = apsw.Connection(str(path))
        other.execute("BEGIN IMMEDIATE")
        token = CancellationToken()
        task = asyncio.ensure_future(memory.add(text("second"), token))
        asyncio.get_running_loop().call_later(0.1, token.cancel)
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 20)
        other.execute("COMMIT")
        other.close()
        assert "first" in await found(memory, "first")  # waits for the thread that writes
        assert await memory.count() <= 2
