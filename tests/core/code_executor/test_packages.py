"""Which packages a user can name for the sandboxes."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from symposia.core.code_executor import SandboxPackages, SandboxResult
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError, SandboxUnavailableError
from symposia.ext.code_executors import SandboxCodeExecutor
from symposia.testing.sandboxes import FakeSandboxBackend, printed


async def prints_nothing(code: str) -> SandboxResult:
    return printed("")


def test_equal_sets_compare_equal() -> None:
    one = SandboxPackages(requirements=("Scikit_Learn >= 1.5, <2", "scipy", "scipy"))
    other = SandboxPackages(requirements=("scipy", "scikit-learn<2,>=1.5"))
    assert one == other
    assert hash(one) == hash(other)
    assert one.names == {"scikit-learn", "scipy"}
    assert SandboxPackages(requirements=("a[X, y]==1",)).requirements == ("a[x,y]==1",)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "-r",
        "--index-url=x",
        "scipy --pre",
        "scipy\n--pre",
        "scipy @ file:///tmp/scipy",
        "https://192.0.2.1/scipy",
        "git+ssh://192.0.2.1/scipy",
        "./scipy",
        "/tmp/scipy",
        "..",
        "scipy-1.0-py3-none-any.whl",
        "scipy-1.0.tar.gz",
        "scipy==1.0; python_version < '3'",
        "scipy==",
        "sçipy",
    ],
)
def test_options_addresses_and_paths_are_not_names(given: str) -> None:
    with pytest.raises(InvalidArgumentError, match="is not the name of a package"):
        SandboxPackages(requirements=(given,))


@given(st.text("ab-._~=<>!@:/\\ ;[],1*\n\t$'\"#%+", min_size=1, max_size=12))
@example("a==1")
def test_what_is_taken_has_nothing_that_pip_would_take_for_something_else(text: str) -> None:
    try:
        [requirement] = SandboxPackages(requirements=(text,)).requirements
    except InvalidArgumentError:
        return
    assert requirement[0].isalnum()
    assert not set(requirement) & set("@:/\\ ;\n\t$'\"#%")


def test_no_packages_and_other_types_are_mistakes() -> None:
    with pytest.raises(InvalidArgumentError, match="There are no packages"):
        SandboxPackages(requirements=())
    with pytest.raises(ArgumentTypeError, match="give a tuple of names"):
        SandboxPackages(requirements="scipy")  # type: ignore[arg-type] - the mistake under test
    with pytest.raises(ArgumentTypeError, match="give a path"):
        SandboxPackages(requirements=("scipy",), wheels="wheels")  # type: ignore[arg-type] - the mistake under test


def test_a_backend_that_installs_none_says_so_before_anything_runs() -> None:
    with pytest.raises(SandboxUnavailableError, match="'fake' install no packages"):
        SandboxCodeExecutor(FakeSandboxBackend(prints_nothing), packages=["scipy"])


def test_a_folder_of_wheels_needs_names() -> None:
    with pytest.raises(InvalidArgumentError, match="give their names, too"):
        SandboxCodeExecutor(FakeSandboxBackend(prints_nothing), wheels=Path("wheels"))
