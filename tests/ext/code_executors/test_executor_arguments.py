"""What a program gives an executor by mistake is an error when it is given, and says what to give."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from symposia.core.code_executor import ObservedCodeExecutor, SandboxMount, SandboxPolicy
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.tools import FunctionSandbox, run_component_code_in
from symposia.ext.code_executors import (
    AutoBackend,
    SandboxCodeExecutor,
    SandboxOptions,
    SandboxPool,
    create_default_code_executor,
    sandbox_kind,
)
from symposia.ext.code_executors.docker import DockerCommandLineCodeExecutor
from symposia.ext.code_executors.jupyter import JupyterCodeExecutor
from symposia.ext.code_executors.namespaces import NamespaceCommandLineCodeExecutor


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"timeout": "60"}, "timeout is '60': give a number of seconds"),
        ({"timeout": True}, "timeout is True: give a number of seconds"),
        ({"policy": {"memory_bytes": 2**30}}, "give a SandboxPolicy, such as SandboxPolicy(memory_bytes=256 * MIB)"),
        ({"work_dir": 3}, "is 3: give a path"),
        ({"bind_dir": 3}, "is 3: give a path"),
        ({"packages": ["scipy"], "wheels": 3}, "is 3: give a path"),
        ({"mounts": ["table.csv"]}, "has 'table.csv': give a list, such as [SandboxMount("),
        ({"mounts": "table.csv"}, "has 'table.csv': give a list"),
        ({"functions": print}, " are given as a list"),
        ({"init_command": 3}, " has to be a text, not 3"),
        ({"delete_tmp_files": "no"}, "give True or False"),
        ({"trust_results": "no"}, "give True or False"),
        ({"on_output": 3}, "has to be a function, such as def listener"),
        ({"polcy": None}, "has no option 'polcy'. Did you mean 'policy'?"),
        ({"sandbox": "docker"}, "has no option 'sandbox'. Its options are: timeout, policy"),
    ],
)
@pytest.mark.parametrize(
    "make", [create_default_code_executor, NamespaceCommandLineCodeExecutor], ids=["default", "named"]
)
def test_a_wrong_option_is_named_with_what_to_give(
    make: Callable[..., object], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ArgumentTypeError) as caught:
        make(**options)
    assert said in str(caught.value)


@pytest.mark.parametrize("folder", ["/", ".", ".."])
def test_a_bound_folder_has_a_name(folder: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"bind_dir is {folder!r}: give a folder with its name"):
        NamespaceCommandLineCodeExecutor(bind_dir=folder)


def test_every_option_is_one_of_the_default_executor_too(tmp_path: Path) -> None:
    options = SandboxOptions(
        work_dir=tmp_path,
        timeout=3,
        policy=SandboxPolicy(),
        bind_dir=tmp_path,
        mounts=(),
        functions=(),
        functions_module="helpers",
        packages=["scipy"],
        wheels=tmp_path,
        init_command="true",
        delete_tmp_files=True,
        trust_results=True,
        audit_log=tmp_path / "audit.jsonl",
        on_output=lambda _stream, _text: None,
    )
    assert options.keys() == SandboxOptions.__annotations__.keys()
    executor = create_default_code_executor(**options)
    assert (executor.backend_name, executor.timeout) == ("auto", 3)


@pytest.mark.parametrize("given", ["docker", NamespaceCommandLineCodeExecutor, create_default_code_executor(), None])
@pytest.mark.parametrize("make", [SandboxCodeExecutor, SandboxPool], ids=["executor", "pool"])
def test_what_makes_no_sandboxes_is_no_backend(make: Callable[[Any], object], given: object) -> None:
    with pytest.raises(ArgumentTypeError, match=r"give a SandboxBackend, such as sandbox_kind\('docker'\)\.make\(\)"):
        make(given)


def test_the_size_of_a_pool_is_a_number() -> None:
    size: Any = "2"
    with pytest.raises(ArgumentTypeError, match="size of SandboxPool is '2': give a number above 0"):
        SandboxPool(AutoBackend(), size=size)


def test_auto_is_said_to_be_no_sandbox_of_its_own() -> None:
    with pytest.raises(InvalidArgumentError, match=r"'auto' is the choice .* AutoBackend\(\)\. The sandboxes are: doc"):
        sandbox_kind("auto")


@pytest.mark.parametrize("options", [{"backend": "docker"}, {"policy": {"time_limit": 1}}])
def test_a_sandbox_for_functions_takes_a_backend_and_a_policy(options: dict[str, Any]) -> None:
    with pytest.raises(ArgumentTypeError, match=r"of FunctionSandbox is .*: give a Sandbox"):
        FunctionSandbox(**options)


def test_the_code_of_components_runs_in_a_function_sandbox_and_not_in_a_name() -> None:
    name: Any = "docker"
    with pytest.raises(ArgumentTypeError, match="give a FunctionSandbox"), run_component_code_in(name):
        pass


def test_an_observer_is_no_number_and_what_is_observed_no_class() -> None:
    wrong: Any = 3
    with pytest.raises(ArgumentTypeError, match="give an ExecutionObserver"):
        ObservedCodeExecutor(create_default_code_executor(), wrong)
    wrong = NamespaceCommandLineCodeExecutor
    with pytest.raises(ArgumentTypeError, match="give a CodeExecutor"):
        ObservedCodeExecutor(wrong, wrong)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"image": 3}, "image of .* has to be a text"),
        ({"container_name": 3}, "container_name of .* has to be a text"),
        ({"container_name": "two words"}, "container_name is 'two words': give two or more letters"),
        ({"extra_volumes": ["/srv:/data"]}, "give a dict, such as"),
        ({"extra_volumes": {"/srv": "/data"}}, "give a dict, such as"),
        ({"functions_module": "class"}, "Module name must be a valid Python identifier"),
    ],
)
def test_a_wrong_argument_of_the_docker_executor_is_named(options: dict[str, Any], said: str) -> None:
    with pytest.raises((ArgumentTypeError, InvalidArgumentError), match=said):
        DockerCommandLineCodeExecutor(**options)


def test_the_folder_of_a_kernel_is_a_path() -> None:
    folder: Any = 3
    with pytest.raises(ArgumentTypeError, match="output_dir of JupyterCodeExecutor is 3: give a path"):
        JupyterCodeExecutor(output_dir=folder)


@pytest.mark.parametrize("target", ["/data/tables", "/data/tables/inner", "/data/tables/"])
def test_mounts_that_overlap_are_refused(target: str, tmp_path: Path) -> None:
    mounts = [SandboxMount(source=tmp_path, target=each) for each in ("/data/other", target)]
    with pytest.raises(InvalidArgumentError, match="Two mounts overlap in the sandbox: /data/tables"):
        create_default_code_executor(mounts=[SandboxMount(source=tmp_path, target="/data/tables"), *mounts])


@pytest.mark.parametrize(
    ("volume", "said"),
    [
        ({"bind": "/usr/tables", "mode": "ro"}, "/usr has the programs of the sandbox"),
        ({"bind": "tables", "mode": "ro"}, "give an absolute path without '..', such as '/data/table.csv'"),
        (
            {"bind": "/data/mine", "mode": "rw"},
            "only reads files of the host: say {'bind': '/data/mine', 'mode': 'ro'}",
        ),
        ({"bind": "/mnt/vol2"}, "with the mode 'rw'. Code in a sandbox only reads"),
    ],
)
def test_a_volume_that_is_refused_is_told_where_it_may_be(volume: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        DockerCommandLineCodeExecutor(extra_volumes={"/srv/tables": volume})
    assert said in str(caught.value)
