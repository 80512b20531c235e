"""What every test of the project runs under: nothing may block the event loop, and no model key is ever in reach.

With ``SYMPOSIA_REQUIRE_SANDBOXES=1``, as in CI, a test that was skipped fails the whole run. An id of a test that holds
an object's address fails it as well: it is another one in each process, so that tests could not be spread over several.
"""

import os
from collections.abc import Iterator

import pytest
from _pytest.terminal import TerminalReporter
from blockbuster import blockbuster_ctx
from pydantic import BaseModel
from tests.support.node_ids import with_addresses


class First(BaseModel):
    """Pydantic looks for its plugins on the disk with the first class of a process, which must not be in a test."""


@pytest.fixture(autouse=True)
def _event_loop_is_never_blocked() -> Iterator[None]:
    with blockbuster_ctx("symposia"):
        yield


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if unstable := with_addresses(item.nodeid for item in items):
        raise pytest.UsageError("Give these parameters ids, so that every process names the tests alike:", *unstable)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = isinstance(reporter, TerminalReporter) and reporter.stats.get("skipped")
    if skipped and os.environ.get("SYMPOSIA_REQUIRE_SANDBOXES") == "1":
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
