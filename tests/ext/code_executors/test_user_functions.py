"""Functions of the user that generated code imports."""

import asyncio
import math
from pathlib import Path

import pytest
from tests.contracts.code_executor_contract import WAIT, python, run
from tests.support.sandboxes import require

from symposia.core.code_executor import (
    Alias,
    FunctionWithRequirements,
    ImportFromModule,
    UserFunction,
    with_requirements,
)
from symposia.core.exceptions import InvalidArgumentError
from symposia.ext.code_executors._functions import module_source
from symposia.ext.code_executors.docker import DockerCommandLineCodeExecutor
from symposia.ext.code_executors.local import LocalCommandLineCodeExecutor
from symposia.ext.code_executors.namespaces import NamespaceBackend, NamespaceCommandLineCodeExecutor

pytestmark = pytest.mark.filterwarnings("ignore:LocalCommandLineCodeExecutor runs code:UserWarning")


@with_requirements(global_imports=["math", ImportFromModule("os", ("path", Alias("sep", "separator")))])
def area(radius: float) -> float:
    """Give the area of a circle."""
    return math.pi * radius**2


def add(a: int, b: int = 2) -> int:
    """Add two numbers.

    Both are whole.
    """
    return a + b


TWICE = FunctionWithRequirements.from_str("def twice(x):\n    return 2 * x", global_imports=[Alias("json", "j")])
FUNCTIONS: list[UserFunction] = [area, add, TWICE]


def test_a_module_has_the_imports_and_then_the_functions() -> None:
    source = module_source(FUNCTIONS)
    assert source.startswith(
        "from os import path, sep as separator\nimport json as j\nimport math\n\n\ndef area(radius: float)"
    )
    compile(source, "functions.py", "exec")


def test_a_model_is_told_signatures_and_docstrings_and_no_code(tmp_path: Path) -> None:
    executor = LocalCommandLineCodeExecutor(work_dir=tmp_path, functions=FUNCTIONS, functions_module="mine")
    told = executor.format_functions_for_prompt()
    assert "from mine import" in told
    assert 'def area(radius: float) -> float:\n    """Give the area of a circle."""\n    ...' in told
    assert "def twice(x):\n    ..." in told
    assert "math.pi" not in told
    assert executor.format_functions_for_prompt("In $module_name, for $$5").startswith("In mine, for $5")


async def test_code_calls_them_on_the_host(tmp_path: Path) -> None:
    executor = LocalCommandLineCodeExecutor(work_dir=tmp_path, functions=FUNCTIONS)
    async with asyncio.timeout(WAIT), executor:
        result = await run(executor, python("from functions import *\nprint(area(1), add(1), twice(4))"))
    assert result.output == "3.141592653589793 3 8\n"


async def test_code_calls_them_in_a_sandbox(tmp_path: Path) -> None:
    await asyncio.to_thread(require, NamespaceBackend())
    executor = NamespaceCommandLineCodeExecutor(work_dir=tmp_path, functions=FUNCTIONS, functions_module="mine")
    async with asyncio.timeout(WAIT), executor:
        assert (await run(executor, python("import mine; print(mine.twice(4))"))).output == "8\n"
        await executor.restart()
        assert (await run(executor, python("import mine; print(mine.add(1))"))).output == "3\n"


def test_two_functions_of_one_name_are_a_mistake(tmp_path: Path) -> None:
    twice = FunctionWithRequirements.from_str("def twice(x):\n    return x + x")
    with pytest.raises(InvalidArgumentError, match="Two functions are named 'twice'"):
        LocalCommandLineCodeExecutor(work_dir=tmp_path, functions=[TWICE, twice]).format_functions_for_prompt()


def test_a_module_needs_a_name_that_can_be_imported(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="Module name must be a valid Python identifier"):
        LocalCommandLineCodeExecutor(work_dir=tmp_path, functions_module="my-functions")


def test_a_package_that_the_sandbox_lacks_is_told_at_once() -> None:
    needy = FunctionWithRequirements.from_callable(add, ["Scikit_Learn>=1.0", "numpy"])
    with pytest.raises(InvalidArgumentError, match="functions need scikit-learn, which"):
        NamespaceCommandLineCodeExecutor(functions=[needy])
    with pytest.raises(InvalidArgumentError, match="functions need scikit-learn, which"):
        DockerCommandLineCodeExecutor(functions=[needy])


def test_what_an_image_of_ones_own_has_is_not_judged() -> None:
    needy = FunctionWithRequirements.from_callable(add, ["scikit-learn"])
    assert DockerCommandLineCodeExecutor("mine:latest", functions=[needy]).functions == (needy,)
