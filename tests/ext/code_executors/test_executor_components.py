"""Executors on sandboxes as JSON, with the sandbox that they run code in."""

import json
from pathlib import Path

import pytest

from symposia.agentchat.agents import CodeExecutorAgent
from symposia.agentchat.teams import RoundRobinGroupChat
from symposia.core.code_executor import MIB, SandboxMount, SandboxPackages, SandboxPolicy
from symposia.core.exceptions import ArgumentTypeError, ComponentError
from symposia.ext.code_executors import (
    AutoBackend,
    SandboxCodeExecutor,
    SandboxPool,
    create_default_code_executor,
    sandbox_kind,
)
from symposia.ext.code_executors.docker import DockerBackend


def loaded_again(executor: SandboxCodeExecutor) -> SandboxCodeExecutor:
    saved = json.loads(executor.dump_component().model_dump_json())
    return SandboxCodeExecutor.load_component(saved, trust_code=executor.backend_name == "local")


def test_a_team_with_the_default_executor_is_saved_and_loaded() -> None:
    team = RoundRobinGroupChat([CodeExecutorAgent("runner", create_default_code_executor())])
    saved = team.dump_component().model_dump_json()
    assert RoundRobinGroupChat.load_component(json.loads(saved)).dump_component().model_dump_json() == saved
    assert "symposia.ext.code_executors.AutoBackend" in saved


def test_every_option_that_json_can_hold_comes_back(tmp_path: Path) -> None:
    executor = create_default_code_executor(
        tmp_path,
        timeout=5,
        policy=SandboxPolicy(memory_bytes=256 * MIB, stateful=True),
        mounts=[SandboxMount(source=tmp_path, target="/data/tables")],
        packages=["scipy"],
        wheels=tmp_path,
        init_command="true",
        delete_tmp_files=True,
    )
    again = loaded_again(executor)
    assert again.effect_identity() == executor.effect_identity()
    assert (again.work_dir, again.timeout, again.policy) == (tmp_path, 5, executor.policy)


@pytest.mark.parametrize("kind", ["docker", "bubblewrap", "namespaces", "local"])
def test_every_kind_of_sandbox_is_saved_with_its_executor(kind: str) -> None:
    assert loaded_again(SandboxCodeExecutor(sandbox_kind(kind).make())).backend_name == kind


def test_the_arguments_of_a_backend_are_saved_with_it() -> None:
    equipped = AutoBackend().with_packages(SandboxPackages(requirements=("scipy",)))
    for backend in (DockerBackend("mine:1", container_name="runner"), equipped, AutoBackend([DockerBackend()])):
        executor = SandboxCodeExecutor(backend)
        assert loaded_again(executor).dump_component() == executor.dump_component()


def test_a_pool_is_not_saved_as_it_belongs_to_one_event_loop() -> None:
    with pytest.raises(ComponentError, match=r"backend: SandboxPool object has no form in JSON\.$"):
        SandboxCodeExecutor(SandboxPool(AutoBackend())).dump_component()


def test_a_misspelt_option_in_json_is_no_default() -> None:
    saved = create_default_code_executor().dump_component().model_dump()
    saved["config"]["polcy"] = {"memory_bytes": 2**30}
    with pytest.raises(ArgumentTypeError, match=r"has no option 'polcy'\. Did you mean 'policy'"):
        SandboxCodeExecutor.load_component(saved)


def test_a_misspelt_limit_in_json_is_named() -> None:
    saved = create_default_code_executor(policy=SandboxPolicy()).dump_component().model_dump()
    saved["config"]["policy"]["memory"] = 2**30
    with pytest.raises(ComponentError, match="policy: there is no field 'memory'"):
        SandboxCodeExecutor.load_component(saved)
