"""The list of sandboxes: what it holds, and how another package adds to it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from symposia.core.code_executor import SandboxResult
from symposia.core.exceptions import InvalidArgumentError
from symposia.ext.code_executors import SandboxKind, _registry, register_sandbox, sandbox_kind, sandbox_kinds
from symposia.testing.sandboxes import FakeSandboxBackend, printed


async def _nothing(code: str) -> SandboxResult:
    return printed("")


def kind_of(name: str) -> SandboxKind:
    return SandboxKind(name=name, requires="nothing", make=lambda: FakeSandboxBackend(_nothing, name=name))


FIRECRACKER = kind_of("firecracker")


@pytest.fixture(autouse=True)
def _only_here() -> Iterator[None]:
    _registry.registered_kinds.cache_clear()
    yield
    _registry.registered_kinds.cache_clear()


@dataclass(frozen=True)
class Point:
    """An entry point of an installed package."""

    name: str
    loads: object

    @property
    def value(self) -> str:
        return f"package:{self.name}"

    def load(self) -> object:
        if isinstance(self.loads, Exception):
            raise self.loads
        return self.loads


def entry_points(monkeypatch: pytest.MonkeyPatch, **loads: object) -> None:
    def given(*, group: str) -> list[Point]:
        assert group == "symposia.sandboxes"
        return [Point(name, value) for name, value in loads.items()]

    monkeypatch.setattr(_registry, "entry_points", given)


def test_every_kind_makes_a_backend_of_its_name() -> None:
    for kind in sandbox_kinds():
        assert kind.make().name == kind.name
        assert kind.requires


def test_only_local_does_not_isolate() -> None:
    assert [kind.name for kind in sandbox_kinds() if not kind.isolated] == ["local"]


def test_a_name_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(InvalidArgumentError, match=r"no sandbox 'cloud'.*auto, docker.*local"):
        sandbox_kind("cloud")


def test_a_registered_kind_is_tried_after_those_that_are_there() -> None:
    register_sandbox(FIRECRACKER)
    assert sandbox_kinds()[-1] is FIRECRACKER
    assert sandbox_kind("firecracker") is FIRECRACKER


@pytest.mark.parametrize("name", ["auto", "docker", "local", "firecracker"])
def test_a_name_is_given_once(name: str) -> None:
    register_sandbox(FIRECRACKER)
    with pytest.raises(InvalidArgumentError, match="is there already"):
        register_sandbox(kind_of(name))


def test_a_package_registers_by_an_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    entry_points(monkeypatch, any_name=FIRECRACKER)
    assert sandbox_kind("firecracker") is FIRECRACKER


def test_a_package_that_is_broken_is_named_and_breaks_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    entry_points(monkeypatch, lost=ImportError("no such package"), other=print)
    with pytest.warns(UserWarning, match="sandbox") as caught:
        names = [kind.name for kind in sandbox_kinds()]
    assert names[0] == "docker"
    said = [str(warning.message) for warning in caught]
    assert said == [
        "The sandbox lost (package:lost) cannot be loaded: no such package",
        "The sandbox other (package:other) is no SandboxKind with a name of its own.",
    ]
