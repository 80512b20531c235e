"""The list of sandboxes: what it holds, and how another package adds to it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.distribution import Distribution

from symposia.core.code_executor import SandboxResult
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError, RegistrationError
from symposia.ext.code_executors import (
    SandboxKind,
    only_sandboxes,
    register_sandbox,
    sandbox_kind,
    sandbox_kinds,
    unregister_sandbox,
)
from symposia.testing.sandboxes import FakeSandboxBackend, printed


async def _nothing(code: str) -> SandboxResult:
    return printed("")


def kind_of(name: str) -> SandboxKind:
    return SandboxKind(name=name, requires="nothing", make=lambda: FakeSandboxBackend(_nothing, name=name))


FIRECRACKER = kind_of("firecracker")


@pytest.fixture
def firecracker() -> Iterator[SandboxKind]:
    register_sandbox(FIRECRACKER)
    yield FIRECRACKER
    unregister_sandbox("firecracker")


@pytest.mark.parametrize("wrong", ["firecracker", None, FakeSandboxBackend], ids=repr)
def test_what_is_not_a_kind_is_not_registered(wrong: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="A sandbox has to be a SandboxKind, not "):
        register_sandbox(wrong)


@pytest.mark.parametrize("name", ["a b", "", "a/b", "--local"])
def test_a_name_that_cannot_be_given_on_a_command_line_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"name of a sandbox is .*: give letters, digits"):
        kind_of(name)


def test_a_kind_that_makes_nothing_is_refused() -> None:
    made: Any = FakeSandboxBackend(_nothing)
    with pytest.raises(ArgumentTypeError, match="give a function that makes a SandboxBackend"):
        SandboxKind(name="made", requires="nothing", make=made)


def test_every_kind_makes_a_backend_of_its_name() -> None:
    for kind in sandbox_kinds():
        assert kind.make().name == kind.name
        assert kind.requires


def test_only_local_does_not_isolate() -> None:
    assert [kind.name for kind in sandbox_kinds() if not kind.isolated] == ["local"]


def test_a_name_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(InvalidArgumentError, match=r"no sandbox 'cloud'.*auto, docker.*local"):
        sandbox_kind("cloud")


def test_a_registered_kind_is_tried_after_the_built_in_ones(firecracker: SandboxKind) -> None:
    assert sandbox_kinds()[-1] is firecracker
    assert sandbox_kind("firecracker") is firecracker


@pytest.mark.parametrize("name", ["auto", "docker", "local", "firecracker"])
def test_a_name_is_registered_once(name: str, firecracker: SandboxKind) -> None:
    register_sandbox(firecracker)  # the same again
    with pytest.raises(RegistrationError, match="is registered already"):
        register_sandbox(kind_of(name))


def test_only_a_registered_kind_can_be_unregistered() -> None:
    for name in ("docker", "nonesuch"):
        with pytest.raises(RegistrationError, match=f"No sandbox named '{name}' was registered"):
            unregister_sandbox(name)
    assert sandbox_kind("docker").name == "docker"


def test_the_kinds_can_be_replaced_for_a_while(firecracker: SandboxKind) -> None:
    with only_sandboxes(kind_of("cloud")):
        assert [kind.name for kind in sandbox_kinds()] == ["cloud"]
    assert sandbox_kinds()[-1] is firecracker


OFFERED = """
from symposia.ext.code_executors import SandboxKind

FIRECRACKER = SandboxKind(name="firecracker", requires="nothing", make=lambda: None)
AUTO = SandboxKind(name="auto", requires="nothing", make=lambda: None)

def __getattr__(name):
    raise ImportError("no such package")
"""


def test_a_distribution_offers_kinds_and_a_broken_one_breaks_no_other(tmp_path: Path) -> None:
    offered = {"any_name": "FIRECRACKER", "choice": "AUTO", "lost": "LOST", "other": "OFFERED.name"}
    program = """
import warnings
from symposia.ext.code_executors import SandboxKind, register_sandbox, sandbox_kind, sandbox_kinds, unregister_sandbox
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    names = [kind.name for kind in sandbox_kinds()]
    sandbox_kinds()
print(names[0], names[-1])
for warning in caught:
    print(warning.message)
register_sandbox(SandboxKind(name="firecracker", requires="a kernel of its own", make=lambda: None))
print(sandbox_kind("firecracker").requires)
unregister_sandbox("firecracker")
print(sandbox_kind("firecracker").requires)
"""
    distribution = Distribution(tmp_path, "offered", OFFERED, {"symposia.sandboxes": offered})
    ignored = "It is ignored: update or uninstall the distribution offered."
    assert distribution.printed(program) == [
        "docker firecracker",
        f"The sandbox choice (offered:AUTO) has the name 'auto', which is taken. {ignored}",
        f"The sandbox lost (offered:LOST) cannot be loaded: ImportError: no such package. {ignored}",
        f"The sandbox other (offered:OFFERED.name) cannot be loaded: ImportError: no such package. {ignored}",
        "a kernel of its own",
        "nothing",
    ]
