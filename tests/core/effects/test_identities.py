"""How requests name the implementation that an effect is asked of."""

import pytest

from symposia.core.effects import class_identity
from symposia.core.memory import ListMemory
from symposia.core.tools import StaticWorkbench
from symposia.ext.code_executors.docker import DockerCommandLineCodeExecutor
from symposia.ext.code_executors.local import LocalCommandLineCodeExecutor
from symposia.ext.models.replay import ReplayChatCompletionClient


class OwnMemory(ListMemory):
    """A class that its own module exports."""


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        (StaticWorkbench, "symposia.core.tools.StaticWorkbench"),
        (ListMemory, "symposia.core.memory.ListMemory"),
        (ReplayChatCompletionClient, "symposia.ext.models.replay.ReplayChatCompletionClient"),
        (DockerCommandLineCodeExecutor, "symposia.ext.code_executors.docker.DockerCommandLineCodeExecutor"),
        (LocalCommandLineCodeExecutor, "symposia.ext.code_executors.local.LocalCommandLineCodeExecutor"),
        (OwnMemory, f"{__name__}.OwnMemory"),
    ],
)
def test_a_class_is_named_by_the_module_that_exports_it(cls: type[object], name: str) -> None:
    assert class_identity(object.__new__(cls)) == {"class": name}


def test_a_class_that_is_not_exported_is_named_by_its_own_module() -> None:
    class Inner(ListMemory):
        pass

    inner = f"{__name__}.test_a_class_that_is_not_exported_is_named_by_its_own_module.<locals>.Inner"
    assert class_identity(Inner()) == {"class": inner}
