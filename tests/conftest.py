"""What every test of the project runs under: nothing may block the event loop, and no model key is ever in reach.

With ``SYMPOSIA_REQUIRE_SANDBOXES=1``, as in CI, a test that was skipped fails the whole run.
"""

import os
from collections.abc import Iterator

import pytest
from _pytest.terminal import TerminalReporter
from blockbuster import blockbuster_ctx


@pytest.fixture(autouse=True)
def _event_loop_is_never_blocked() -> Iterator[None]:
    with blockbuster_ctx("symposia"):
        yield


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = isinstance(reporter, TerminalReporter) and reporter.stats.get("skipped")
    if skipped and os.environ.get("SYMPOSIA_REQUIRE_SANDBOXES") == "1":
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
