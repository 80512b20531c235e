"""What every test of the project runs under: nothing may block the event loop, and no model key is ever in reach."""

from collections.abc import Iterator

import pytest
from blockbuster import blockbuster_ctx


@pytest.fixture(autouse=True)
def _event_loop_is_never_blocked() -> Iterator[None]:
    with blockbuster_ctx("symposia"):
        yield


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
