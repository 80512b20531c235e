"""Environments with packages that the user allows, from wheels of the test's own, without a registry."""

import asyncio
import os
import tarfile
import threading
from pathlib import Path

import pytest
from tests.support.wheels import names_in, use_cache_of_its_own, write_wheel

from symposia.core.code_executor import SandboxPackages
from symposia.core.exceptions import InvalidArgumentError, SandboxUnavailableError
from symposia.ext.code_executors._environment import find_sandbox_python, make_sandbox_python, sandbox_python_folder
from symposia.ext.code_executors._environment._pip import run_command
from symposia.ext.code_executors._sandbox import SandboxPython, base_python
from symposia.ext.code_executors.namespaces import NamespaceBackend

WAIT = 60.0


@pytest.fixture(scope="module")
def pinned() -> Path:
    made = asyncio.run(make_sandbox_python()).environment
    assert made is not None
    return made


@pytest.fixture
def environments(tmp_path: Path, pinned: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return use_cache_of_its_own(tmp_path / "cache", pinned, monkeypatch)


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    return folder


def packages(wheels: Path, *requirements: str) -> SandboxPackages:
    return SandboxPackages(requirements=requirements, wheels=wheels)


async def output_of(python: SandboxPython, code: str) -> str:
    status, output = await run_command([str(python.executable), "-I", "-B", "-c", code])
    assert status == 0, output
    return output


def site_packages(python: SandboxPython) -> Path:
    assert python.environment is not None
    [folder] = python.environment.glob("lib/python*/site-packages")
    return folder


async def test_a_package_is_there_with_what_it_needs_and_the_pinned_ones_stay(environments: Path, wheels: Path) -> None:
    write_wheel(wheels, "small", "1.0", {"small.py": "import numpy, other\n"}, ["numpy>=2", "other"])
    write_wheel(wheels, "other", "2.0", {"other/__init__.py": ""})
    told: list[str] = []
    async with asyncio.timeout(WAIT):
        made = await make_sandbox_python(told.append, packages(wheels, "small"))
        code = "import small; from importlib.metadata import version as v; print(v('small'), v('other'), v('numpy'))"
        pinned = await output_of(await make_sandbox_python(), "import numpy; print(numpy.__version__)")
        assert await output_of(made, code) == f"1.0 2.0 {pinned}"
        again = await make_sandbox_python(told.append, packages(wheels, "small"))
    assert made == again
    assert told == [f"installing small from {wheels} for the sandboxes"]
    assert len(names_in(environments)) == 2


async def test_two_at_once_install_once(environments: Path, wheels: Path) -> None:
    write_wheel(wheels, "small", "1.0", {"small.py": ""})
    told: list[str] = []
    async with asyncio.timeout(WAIT):
        both = await asyncio.gather(*(make_sandbox_python(told.append, packages(wheels, "small")) for _ in range(2)))
    assert both[0] == both[1]
    assert len(told) == 1
    assert not (environments / "unfinished").exists()


@pytest.mark.usefixtures("environments")
def test_each_set_has_an_environment_of_its_own(wheels: Path) -> None:
    write_wheel(wheels, "small", "1.0", {"small.py": ""})
    places = [
        sandbox_python_folder(),
        *(sandbox_python_folder(packages(wheels, *each)) for each in (["a"], ["a", "b"])),
    ]
    places.append(sandbox_python_folder(SandboxPackages(requirements=("a",))))
    write_wheel(wheels, "small", "1.0", {"small.py": "changed = True"})
    places.append(sandbox_python_folder(packages(wheels, "a")))
    assert len(set(places)) == 5
    assert sandbox_python_folder(packages(wheels, "b", "A")) == sandbox_python_folder(packages(wheels, "a", "b"))


async def test_a_source_distribution_is_not_built_even_where_a_wheel_requires_it(
    environments: Path, wheels: Path, tmp_path: Path
) -> None:
    source = tmp_path / "source-1.0"
    source.mkdir()
    (source / "setup.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    # A backend beside the source, so that nothing has to be installed for the build.
    (source / "pyproject.toml").write_text(
        "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
    )
    (source / "backend.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with tarfile.open(tmp_path / "source-1.0.tar.gz", "w:gz") as archive:
        archive.add(source, source.name)
    write_wheel(wheels, "small", "1.0", {}, [f"source @ file://{tmp_path}/source-1.0.tar.gz"])
    (wheels / "named-1.0.tar.gz").hardlink_to(tmp_path / "source-1.0.tar.gz")
    async with asyncio.timeout(WAIT):
        with pytest.raises(SandboxUnavailableError, match="only wheels are installed, and this is not one"):
            await make_sandbox_python(packages=packages(wheels, "small"))
        with pytest.raises(
            SandboxUnavailableError, match="A source distribution is never used, since building one runs"
        ):
            await make_sandbox_python(packages=packages(wheels, "named"))
    assert not (tmp_path / "ran").exists()
    assert len(names_in(environments)) == 1


async def test_a_package_that_needs_another_version_of_a_pinned_one_is_told_why(
    environments: Path, wheels: Path
) -> None:
    write_wheel(wheels, "small", "1.0", {}, ["numpy<2"])
    async with asyncio.timeout(WAIT):
        with pytest.raises(
            SandboxUnavailableError, match=r"(?s)stay at their versions:.*small 1\.0 depends on numpy<2"
        ):
            await make_sandbox_python(packages=packages(wheels, "small"))
    assert len(names_in(environments)) == 1


async def test_a_folder_of_wheels_is_all_that_is_searched(
    environments: Path, wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "registry").mkdir()
    write_wheel(tmp_path / "registry", "small", "1.0", {"small.py": ""})
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "registry"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    async with asyncio.timeout(WAIT):
        with pytest.raises(
            SandboxUnavailableError, match=r"(?s)and nothing else.*No matching distribution found for small"
        ):
            await make_sandbox_python(packages=packages(wheels, "small"))
        await make_sandbox_python(packages=SandboxPackages(requirements=("small",)))
    assert len(names_in(environments)) == 2


@pytest.mark.usefixtures("environments")
async def test_nothing_of_a_package_runs_at_the_start_of_python(wheels: Path) -> None:
    start = {"small_start.pth": "import small\n", "sitecustomize.py": "import small\n", "usercustomize/__init__.py": ""}
    write_wheel(wheels, "small", "1.0", {"small.py": "print('ran')\n", **start})
    async with asyncio.timeout(WAIT):
        made = await make_sandbox_python(packages=packages(wheels, "small"))
        assert await output_of(made, "print('nothing else')") == "nothing else"
        assert await output_of(made, "import small") == "ran"
    assert sorted(each.name for each in site_packages(made).glob("*.pth")) == ["symposia.pth"]


async def test_a_package_with_a_file_of_a_pinned_one_changes_no_other_environment(
    environments: Path, wheels: Path
) -> None:
    write_wheel(wheels, "small", "1.0", {"cycler/__init__.py": "replaced = True\n"})
    pinned = await make_sandbox_python()
    before = (site_packages(pinned) / "cycler" / "__init__.py").read_bytes()
    async with asyncio.timeout(WAIT):
        made = await make_sandbox_python(packages=packages(wheels, "small"))
    assert (site_packages(made) / "cycler" / "__init__.py").read_text() == "replaced = True\n"
    assert (site_packages(pinned) / "cycler" / "__init__.py").read_bytes() == before
    assert pinned.environment is not None
    assert pinned.environment.parent == environments


@pytest.mark.usefixtures("environments")
async def test_the_sandboxs_user_can_read_them_whatever_the_umask_is(wheels: Path) -> None:
    write_wheel(wheels, "small", "1.0", {"small/inner/__init__.py": ""})
    before = os.umask(0o077)
    try:
        async with asyncio.timeout(WAIT):
            made = await make_sandbox_python(packages=packages(wheels, "small"))
    finally:
        os.umask(before)
    assert made.environment is not None
    for each in (made.environment, *(site_packages(made) / name for name in ("small", "small/inner"))):
        assert each.stat().st_mode & 0o055 == 0o055
    assert (site_packages(made) / "small" / "inner" / "__init__.py").stat().st_mode & 0o044 == 0o044


@pytest.mark.usefixtures("environments")
async def test_nothing_of_the_working_directory_runs_on_the_host(
    wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wheel(wheels, "small", "1.0", {"small.py": ""})
    for module in ("pip", "runpy", "zipfile"):
        (tmp_path / f"{module}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    monkeypatch.chdir(tmp_path)
    async with asyncio.timeout(WAIT):
        await make_sandbox_python(packages=packages(wheels, "small"))
    assert not (tmp_path / "ran").exists()


async def test_a_cancelled_installation_leaves_nothing(environments: Path, wheels: Path) -> None:
    write_wheel(wheels, "small", "1.0", {"small.py": ""})
    begun = asyncio.Event()
    async with asyncio.timeout(WAIT):
        making = asyncio.ensure_future(make_sandbox_python(lambda _line: begun.set(), packages(wheels, "small")))
        await begun.wait()
        making.cancel()
        with pytest.raises(asyncio.CancelledError):
            await making
    assert len(names_in(environments)) == 1


async def test_a_cancelled_installation_waits_for_the_thread_that_fills_its_folder(
    environments: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wheel(wheels, "small", "1.0", {"small.py": ""})
    linking, cancelled = threading.Event(), threading.Event()
    link, linked = os.link, list[str]()

    def link_slowly(source: str, target: str, *, follow_symlinks: bool) -> None:
        linking.set()
        assert cancelled.wait(WAIT)
        link(source, target, follow_symlinks=follow_symlinks)
        linked.append(source)

    async with asyncio.timeout(WAIT):
        monkeypatch.setattr(os, "link", link_slowly)
        making = asyncio.ensure_future(make_sandbox_python(packages=packages(wheels, "small")))
        await asyncio.to_thread(linking.wait)
        making.cancel()
        cancelled.set()
        with pytest.raises(asyncio.CancelledError):
            await making
    [made] = (environments / name for name in names_in(environments))
    assert len(linked) >= sum(len(files) for _, _, files in os.walk(made))


@pytest.mark.usefixtures("environments")
async def test_a_missing_folder_of_wheels_is_told_with_what_makes_it(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=r"pip download --only-binary=:all: --dest .*nowhere small"):
        await find_sandbox_python(packages(tmp_path / "nowhere", "small"))


def test_a_python_of_ones_own_is_used_as_it_is(wheels: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="Install the packages into it"):
        NamespaceBackend(base_python()).with_packages(packages(wheels, "small"))
