"""The limits and mounts of sandboxes: what cannot limit, or cannot be mounted, is refused when it is made."""

import math
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symposia.core.code_executor import LEAST_LIMITS, MIB, SandboxMount, SandboxPolicy
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError

LIMITS = [field.name for field in fields(SandboxPolicy) if field.name not in ("imported_ahead", "network", "stateful")]
OF_ANOTHER_TYPE: list[object] = [None, "1G", "64", True, False, [64], 64j]


@pytest.mark.parametrize("wrong", OF_ANOTHER_TYPE, ids=repr)
@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_that_is_not_a_number_is_refused(limit: str, wrong: object) -> None:
    given: dict[str, Any] = {limit: wrong}
    with pytest.raises(
        ArgumentTypeError, match=rf"^{limit} of SandboxPolicy is .*: give a (whole )?number of "
    ) as error:
        SandboxPolicy(**given)
    assert repr(wrong) in str(error.value)


@pytest.mark.parametrize("wrong", [-1, -math.inf, math.nan], ids=repr)
@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_that_does_not_limit_is_refused(limit: str, wrong: float) -> None:
    given: dict[str, Any] = {limit: wrong}
    with pytest.raises(InvalidArgumentError, match=f"^{limit} of SandboxPolicy is {wrong}: give "):
        SandboxPolicy(**given)


@given(limit=st.sampled_from(sorted(LEAST_LIMITS)), below=st.integers(min_value=1))
def test_a_limit_is_taken_from_its_least_value_on(limit: str, below: int) -> None:
    least = LEAST_LIMITS[limit]
    taken: dict[str, Any] = {limit: least}
    assert getattr(SandboxPolicy(**taken), limit) == least
    too_little: dict[str, Any] = {limit: least - below}
    with pytest.raises(InvalidArgumentError, match=f"{limit} of SandboxPolicy is .* at least"):
        SandboxPolicy(**too_little)


@pytest.mark.parametrize("limit", LEAST_LIMITS)
def test_a_limit_that_no_machine_has_is_refused(limit: str) -> None:
    given: dict[str, Any] = {limit: 10**30}
    with pytest.raises(InvalidArgumentError, match="9,007,199,254,740,992 at most"):
        SandboxPolicy(**given)


def test_the_least_value_is_named_as_people_write_it() -> None:
    with pytest.raises(
        InvalidArgumentError, match=r"is 1024: give a whole number of bytes, 33,554,432 \(32 MiB\) at least"
    ):
        SandboxPolicy(memory_bytes=1024)


def test_a_fraction_is_no_count() -> None:
    with pytest.raises(ArgumentTypeError, match=r"is 512000000.0: give a whole number of bytes"):
        SandboxPolicy(memory_bytes=512e6)  # pyright: ignore[reportArgumentType] - the wrong type on purpose


@pytest.mark.parametrize("seconds", [0, -0.0])
def test_no_time_is_no_time_limit(seconds: float) -> None:
    with pytest.raises(InvalidArgumentError, match="seconds that is more than 0"):
        SandboxPolicy(time_limit=seconds)


def test_the_time_limit_alone_can_be_lifted() -> None:
    assert SandboxPolicy(time_limit=math.inf, memory_bytes=64 * MIB).time_limit == math.inf
    with pytest.raises(InvalidArgumentError, match="cpus of SandboxPolicy is inf"):
        SandboxPolicy(cpus=math.inf)


@pytest.mark.parametrize(
    "target",
    [
        *("/data/../etc", "data/x", "/", "", "//data/x", "/data/a\0b", "/work", "/opt"),
        *(f"{folder}/x" for folder in ("/work", "/usr/share", "/tmp")),
    ],
)
def test_a_mount_where_the_sandbox_has_something_of_its_own_is_refused(target: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^target of SandboxMount is .*'/data/[a-z.]+'") as error:
        SandboxMount(source=Path("table.csv"), target=target)
    assert repr(target) in str(error.value)


def test_the_error_of_a_mount_says_what_is_in_its_place() -> None:
    with pytest.raises(InvalidArgumentError, match=r"/usr has the programs of the sandbox.* such as '/data/tables'"):
        SandboxMount(source=Path("tables"), target="/usr/tables")


@pytest.mark.parametrize(
    ("source", "target", "named"),
    [("table.csv", "/data/x", "source"), (None, "/data/x", "source"), (Path(), 5, "target")],
)
def test_a_mount_of_other_types_is_refused(source: object, target: object, named: str) -> None:
    given: dict[str, Any] = {"source": source, "target": target}
    with pytest.raises(ArgumentTypeError, match=f"^{named} of SandboxMount is .*: give a "):
        SandboxMount(**given)


@pytest.mark.parametrize("wrong", ["numpy", ["numpy"], ("numpy", 1), None])
def test_what_is_imported_ahead_is_a_tuple_of_names(wrong: Any) -> None:  # Any: what is wrong
    with pytest.raises(ArgumentTypeError, match=r"give a tuple of the names of modules, such as \('numpy',\)"):
        SandboxPolicy(imported_ahead=wrong)


@pytest.mark.parametrize("name", ["", "import numpy", "numpy..core", "../numpy", "numpy;"])
def test_what_is_imported_ahead_has_names_of_modules(name: str) -> None:
    with pytest.raises(InvalidArgumentError, match="no name of a module"):
        SandboxPolicy(imported_ahead=("pandas", name))


@pytest.mark.parametrize("wrong", [None, 1, "yes"], ids=repr)
def test_whether_variables_live_on_is_a_bool(wrong: object) -> None:
    given: dict[str, Any] = {"stateful": wrong}
    with pytest.raises(ArgumentTypeError, match=r"^stateful of SandboxPolicy is .*: give True or False\.$"):
        SandboxPolicy(**given)
