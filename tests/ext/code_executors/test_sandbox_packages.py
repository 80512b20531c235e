"""Packages that the user allows, in every kind of sandbox, with functions of the user that need them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest
from docker.errors import ImageNotFound
from tests.contracts.code_executor_contract import WAIT, python, run
from tests.support.docker_engine import Engine
from tests.support.sandboxes import require
from tests.support.wheels import use_cache_of_its_own, write_wheel

from symposia.core import CancellationToken
from symposia.core.code_executor import FunctionWithRequirements, SandboxBackend, SandboxPackages
from symposia.core.exceptions import InvalidArgumentError, SandboxUnavailableError
from symposia.core.tools import FunctionSandbox, FunctionTool, run_component_code_in
from symposia.ext.code_executors import AutoBackend, SandboxCodeExecutor, SandboxPool, make_sandbox_python
from symposia.ext.code_executors.bubblewrap import BubblewrapBackend
from symposia.ext.code_executors.docker import DockerBackend, DockerCommandLineCodeExecutor
from symposia.ext.code_executors.docker._image import BASE_IMAGE, image_with_packages
from symposia.ext.code_executors.local import LocalBackend
from symposia.ext.code_executors.namespaces import NamespaceBackend

SEVENS = FunctionWithRequirements.from_str(
    "def sevens(count):\n    return small.seven() * numpy.ones(count).sum()",
    python_packages=["Small>=1.0", "numpy"],
    global_imports=["numpy", "small"],
)
CODE = """
from functions import sevens
import sys
print(sevens(2), [name for name in sys.modules if name.startswith("small")])
"""


@pytest.fixture(scope="module")
def pinned() -> Path:
    made = asyncio.run(make_sandbox_python()).environment
    assert made is not None
    return made


class PackagesContract:
    def backend(self) -> SandboxBackend:
        raise NotImplementedError

    @pytest.fixture
    async def packages(
        self, tmp_path: Path, pinned: Path, monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[SandboxPackages]:
        await asyncio.to_thread(require, self.backend())
        (tmp_path / "wheels").mkdir()
        files = {"small.py": "import part\nseven = lambda: part.SEVEN\n", "small.pth": "import small\n"}
        write_wheel(tmp_path / "wheels", "small", "1.5", files, ["part"])
        write_wheel(tmp_path / "wheels", "part", "1.0", {"part.py": "SEVEN = 7\n"})
        # A set that is new: the image of one that a run of the tests has left behind would be found, and not be made.
        write_wheel(tmp_path / "wheels", f"run_{uuid4().hex}", "1.0", {})
        await asyncio.to_thread(use_cache_of_its_own, tmp_path / "cache", pinned, monkeypatch)
        packages = SandboxPackages(requirements=("small",), wheels=tmp_path / "wheels")
        yield packages
        await self.remove(packages)

    async def remove(self, packages: SandboxPackages) -> None:
        """Remove what is outside the test's folder."""

    async def test_code_and_functions_import_them_after_one_installation(self, packages: SandboxPackages) -> None:
        backend = self.backend().with_packages(packages)
        told: list[str] = []
        async with asyncio.timeout(WAIT):
            assert not await backend.is_set_up()
            await backend.set_up(told.append)
            assert any("small" in line for line in told)
            assert await backend.is_set_up()
            told.clear()
            await backend.set_up(told.append)
            assert told == []
            functions = [SEVENS]
            async with SandboxCodeExecutor(backend, functions=functions, installed=None) as executor:
                result = await run(executor, python(CODE))
        assert result.output == "14.0 ['small']\n"

    async def test_what_pip_said_is_told(self, packages: SandboxPackages) -> None:
        assert packages.wheels is not None
        executor = SandboxCodeExecutor(self.backend(), packages=["no-such"], wheels=packages.wheels)
        async with asyncio.timeout(WAIT):
            with pytest.raises(SandboxUnavailableError, match=r"pip said:\n(.*\n)*.*No matching distribution found"):
                await executor.start()
            await executor.stop()


class TestNamespaces(PackagesContract):
    def backend(self) -> SandboxBackend:
        return NamespaceBackend()

    async def test_functions_from_json_import_them(self, packages: SandboxPackages) -> None:
        config = {"source_code": "def seven() -> int:\n    return small.seven()\n", "global_imports": ["small"]}
        model = {
            "provider": "autogen_core.tools.FunctionTool",
            "component_type": "tool",
            "config": {**config, "name": "seven", "description": "Seven."},
        }
        sandbox = FunctionSandbox(self.backend(), packages=packages.requirements, wheels=packages.wheels)
        async with asyncio.timeout(WAIT), sandbox:
            with run_component_code_in(sandbox):
                tool = FunctionTool.load_component(model)
            assert await tool.run_json({}, CancellationToken()) == 7


class TestBubblewrap(PackagesContract):
    def backend(self) -> SandboxBackend:
        return BubblewrapBackend()


class TestDocker(PackagesContract):
    def backend(self) -> SandboxBackend:
        return DockerBackend()

    async def remove(self, packages: SandboxPackages) -> None:
        name = await image_with_packages(BASE_IMAGE, packages)
        with suppress(ImageNotFound):
            await asyncio.to_thread(Engine().remove_image, name)


class TestAuto(PackagesContract):
    def backend(self) -> SandboxBackend:
        return AutoBackend([NamespaceBackend()])

    async def test_code_and_functions_import_them_after_one_installation(self, packages: SandboxPackages) -> None:
        executor = SandboxCodeExecutor(
            self.backend(), packages=packages.requirements, wheels=packages.wheels, functions=[SEVENS]
        )
        async with asyncio.timeout(WAIT), executor:
            assert (await run(executor, python(CODE))).output.startswith("14.0")
            await executor.restart()
            assert (await run(executor, python(CODE))).output.startswith("14.0")
            assert executor.backend_name == "namespaces"


class TestLocal(PackagesContract):
    def backend(self) -> SandboxBackend:
        return LocalBackend()

    async def test_code_and_functions_import_them_after_one_installation(self, packages: SandboxPackages) -> None:
        executor = SandboxCodeExecutor(self.backend(), packages=["small"], wheels=packages.wheels)
        async with asyncio.timeout(WAIT), executor:
            assert (await run(executor, python("import small; print(small.seven())"))).output == "7\n"


def test_functions_add_the_versions_that_they_need_to_what_is_allowed() -> None:
    executor = SandboxCodeExecutor(NamespaceBackend(), packages=["small", "other<3"], functions=[SEVENS])
    assert executor.effect_identity()["packages"] == ["other<3", "small", "small>=1.0"]


def test_functions_that_need_more_are_told_how_to_allow_it() -> None:
    with pytest.raises(InvalidArgumentError, match=r"functions need small, .*with packages=\['small'\]"):
        SandboxCodeExecutor(NamespaceBackend(), packages=["other"], functions=[SEVENS])


def test_a_function_cannot_allow_an_address() -> None:
    needy = FunctionWithRequirements.from_str("def f(): pass", python_packages=["small @ file:///tmp/small"])
    with pytest.raises(InvalidArgumentError, match="no option, no address and no path"):
        SandboxCodeExecutor(NamespaceBackend(), packages=["small"], functions=[needy])


def test_wheels_without_packages_are_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="give their names, too"):
        FunctionSandbox(wheels=tmp_path)


async def test_a_pool_has_the_packages_of_its_backend() -> None:
    async with SandboxPool(NamespaceBackend()) as pool:
        with pytest.raises(InvalidArgumentError, match=r"SandboxPool\(backend.with_packages"):
            SandboxCodeExecutor(pool, packages=["small"])


def test_an_image_of_ones_own_is_not_changed() -> None:
    with pytest.raises(InvalidArgumentError, match="mine:latest is an image of your own"):
        DockerCommandLineCodeExecutor("mine:latest", packages=["small"])
