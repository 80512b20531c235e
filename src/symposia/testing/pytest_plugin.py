"""The fixture `mock_model_server` of pytest, found by it when Symposia is installed.

pytest imports this module in every run of every project of the environment, so it imports pytest alone; the
server is imported by the first test that asks for it. There are no hooks but the one that declares the marker, and no
options. ``-p no:symposia`` leaves it out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # imported by tests that ask for it
    from symposia.testing.model_server import MockModelServer

__all__ = ["mock_model_server"]

_MARKER = "model_script"


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, without which ``--strict-markers`` refuses it."""
    config.addinivalue_line("markers", f"{_MARKER}(file): the script of mock_model_server, beside the test's own file")


@pytest.fixture
def mock_model_server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[MockModelServer]:
    """A `symposia.testing.MockModelServer` in a thread, to which the vendors' SDKs are led for the test's duration.

    Its script is the file that the marker ``model_script`` names, beside the file of the test, or what the test gives
    with `script` and `add_rule`. The environment variables of the SDKs are set, for tests of any kind, with a loop or
    without. A test fails at its end if a request had no answer; one that means it clears `problems`.
    """
    from symposia.testing.model_server import MockModelServer  # noqa: PLC0415 - only where it is asked for

    marker = request.node.get_closest_marker(_MARKER)
    if marker is not None and (len(marker.args) != 1 or marker.kwargs):
        pytest.fail(f'The marker {_MARKER} takes one file: @pytest.mark.{_MARKER}("script.yaml").', pytrace=False)
    script: tuple[()] | Path = () if marker is None else Path(request.path).parent / marker.args[0]
    with MockModelServer(script) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server
    if server.problems:
        pytest.fail("\n\n".join(["Requests had no answer:", *server.problems]), pytrace=False)
