"""The Python that generated code sees, made in a cache folder of the test's own, without the network."""

import asyncio
import os
import pwd
import sys
from pathlib import Path

import pytest

from symposia.core.exceptions import SandboxUnavailableError
from symposia.ext.code_executors._environment import (
    PINNED_PACKAGES,
    environment_key,
    find_sandbox_python,
    make_sandbox_python,
    one_set_up_at_a_time,
    sandbox_python_folder,
)
from symposia.ext.code_executors._environment._pip import run_command
from symposia.ext.code_executors.namespaces import NamespaceBackend

WAIT = 60.0
QUOTED = r"(?s)pip could not fetch.*pip said:\n.*No matching distribution"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "symposia" / "python"


@pytest.fixture
def no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")


def names_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_every_package_is_pinned_and_no_address_is_named() -> None:
    lines = PINNED_PACKAGES.splitlines()
    assert {line.partition("==")[0] for line in lines} >= {"numpy", "pandas", "matplotlib"}
    assert all("==" in line and "/" not in line for line in lines)


def test_the_key_changes_with_what_it_is_made_of() -> None:
    assert environment_key("3.11") == environment_key("3.11")
    assert environment_key("3.11") != environment_key("3.12")
    assert environment_key("a", "b") != environment_key("ab")


def test_nothing_is_found_before_it_was_made(cache: Path) -> None:
    assert asyncio.run(find_sandbox_python()) is None
    assert sandbox_python_folder().parent == cache


@pytest.mark.usefixtures("no_index")
async def test_a_failing_pip_is_quoted_and_leaves_nothing_half_made(cache: Path) -> None:
    said: list[str] = []
    async with asyncio.timeout(WAIT):
        with pytest.raises(SandboxUnavailableError, match=QUOTED):
            await make_sandbox_python(said.append)
        assert await find_sandbox_python() is None
    assert names_in(cache) == []
    assert said == ["making the sandbox's Python environment", "installing numpy, pandas and matplotlib into it"]


@pytest.mark.usefixtures("cache", "no_index")
async def test_nothing_of_the_working_directory_makes_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "venv.py").write_text("raise SystemExit('venv of the working directory')")
    monkeypatch.chdir(tmp_path)
    async with asyncio.timeout(WAIT):
        with pytest.raises(SandboxUnavailableError, match=QUOTED):
            await make_sandbox_python()


async def test_a_cancelled_set_up_leaves_nothing_half_made(cache: Path) -> None:
    begun = asyncio.Event()
    async with asyncio.timeout(WAIT):
        making = asyncio.ensure_future(make_sandbox_python(lambda _line: begun.set()))
        await begun.wait()
        making.cancel()
        with pytest.raises(asyncio.CancelledError):
            await making
    assert names_in(cache) == []


async def test_what_a_killed_set_up_left_is_removed_by_the_next_one(cache: Path) -> None:
    left = cache / "unfinished" / "lib"
    left.mkdir(parents=True)
    begun = asyncio.Event()
    async with asyncio.timeout(WAIT):
        making = asyncio.ensure_future(make_sandbox_python(lambda _line: begun.set()))
        await begun.wait()
        assert not left.exists()
        making.cancel()
        with pytest.raises(asyncio.CancelledError):
            await making


@pytest.mark.usefixtures("cache")
async def test_one_set_up_waits_for_the_other() -> None:
    order: list[str] = []
    held, release = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with one_set_up_at_a_time():
            held.set()
            await release.wait()
            order.append("first")

    async def second() -> None:
        async with one_set_up_at_a_time():
            order.append("second")

    async with asyncio.timeout(WAIT), asyncio.TaskGroup() as group:
        group.create_task(first())
        await held.wait()
        group.create_task(second())
        await asyncio.sleep(0)
        release.set()
    assert order == ["first", "second"]


async def test_a_cache_that_cannot_be_written_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    async with asyncio.timeout(WAIT):
        with pytest.raises(SandboxUnavailableError, match="or set XDG_CACHE_HOME"):
            await make_sandbox_python()


@pytest.mark.parametrize("value", ["", "relative/folder"])
def test_a_cache_variable_that_is_empty_or_relative_is_as_unset(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", value)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert sandbox_python_folder().is_relative_to(tmp_path / ".cache" / "symposia")


@pytest.mark.parametrize("value", ["", "relative/folder"])
def test_without_a_usable_home_the_home_of_the_password_database_is_taken(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", value)
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    assert sandbox_python_folder().is_relative_to(home / ".cache" / "symposia")


async def test_a_user_without_any_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "")
    said = "Set HOME or XDG_CACHE_HOME to the absolute path"
    with pytest.raises(SandboxUnavailableError, match=said):
        await make_sandbox_python()
    reason = await NamespaceBackend().unavailable_reason()
    assert reason is not None
    assert said in reason


async def test_commands_of_the_set_up_are_not_given_an_empty_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "")
    status, home = await run_command([sys.executable, "-c", "import os; print(os.path.expanduser('~'))"])
    assert (status, home) == (0, pwd.getpwuid(os.getuid()).pw_dir)


async def test_without_pip_it_says_how_to_get_it(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = await asyncio.to_thread(bare_python, cache.parent)
    monkeypatch.setattr(sys, "executable", bare)
    monkeypatch.setattr(sys, "_base_executable", bare)
    async with asyncio.timeout(WAIT):
        with pytest.raises(SandboxUnavailableError, match="python -m ensurepip"):
            await make_sandbox_python()


async def test_a_command_of_the_set_up_is_killed_when_its_caller_is_cancelled() -> None:
    connected: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Future()

    def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set_result((reader, writer))

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    code = f"import socket, time; held = socket.create_connection({address!r}); time.sleep(600)"
    async with asyncio.timeout(WAIT), server:
        running = asyncio.ensure_future(run_command([sys.executable, "-c", code]))
        reader, writer = await connected
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert await reader.read() == b""  # the connection ends with the process
        writer.close()


def bare_python(folder: Path) -> str:
    """Make an environment without pip."""
    import venv  # noqa: PLC0415 - only here

    venv.EnvBuilder(symlinks=True).create(folder / "bare")
    return str(folder / "bare" / "bin" / "python")
