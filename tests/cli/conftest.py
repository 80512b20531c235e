"""What the tests of several verbs need: a folder of their own, and a model server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from symposia.testing.model_server import MockModelServer


@pytest.fixture
def in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test runs in a new folder, where a run leaves its results."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
async def models(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MockModelServer]:
    """A model server that OpenAI's SDK is sent to, with a key that opens it."""
    async with MockModelServer() as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        monkeypatch.setenv("OPENAI_BASE_URL", server.openai_url)
        yield server
