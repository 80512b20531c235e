"""The tests can be spread over several processes, because each of these names them alike."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.node_ids import with_addresses

PROGRAM = """
import pytest

@pytest.mark.parametrize("value", [object()], ids={ids})
def test_it(value: object) -> None:
    assert value
"""


def test_no_id_of_a_test_holds_an_address(request: pytest.FixtureRequest) -> None:
    assert with_addresses(item.nodeid for item in request.session.items) == []


def test_numbers_that_are_no_addresses_are_left_alone() -> None:
    assert with_addresses(["test_it[0x7f]", "test_it[0xdeadbeef]", "test_that_is_0x_something"]) == []


@pytest.mark.parametrize(("ids", "status"), [("str", pytest.ExitCode.USAGE_ERROR), ("['it']", pytest.ExitCode.OK)])
def test_a_run_with_an_address_in_an_id_is_refused(ids: str, status: pytest.ExitCode, tmp_path: Path) -> None:
    (tmp_path / "test_program.py").write_text(PROGRAM.format(ids=ids))
    options = ["-q", "-p", "tests.conftest", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "-c", "/dev/null"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent.parent,
        check=False,
    )
    assert run.returncode == status, run.stdout + run.stderr
    assert ("<object object at 0x" in run.stderr) == (status is pytest.ExitCode.USAGE_ERROR)
