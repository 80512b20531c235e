"""Google Cloud's default credentials, for each client that uses them: found once, in a thread, within a time limit."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import google.auth
import pytest
from google.auth.credentials import Credentials
from tests.support.model_clients import read

from symposia.core.exceptions import UsageError
from symposia.core.models import ChatCompletionClient, UserMessage
from symposia.ext.models import _google_cloud
from symposia.ext.models.anthropic import AnthropicVertexChatCompletionClient
from symposia.ext.models.gemini import GeminiChatCompletionClient
from symposia.testing.model_server import MockModelServer, Reply

HELLO = [UserMessage(content="hello", source="user")]


class Renewing(Credentials):
    """Credentials that get another token each time."""

    tokens = 0

    def refresh(self, request: object) -> None:
        self.tokens += 1
        self.token = f"token-{self.tokens}"


RENEWING: Any = Renewing  # google.auth has no types


def vertex(server: MockModelServer) -> ChatCompletionClient:
    return AnthropicVertexChatCompletionClient(
        model="claude-sonnet-4-6@20260217", region="global", base_url=f"{server.url}/v1", max_retries=0
    )


def gemini(server: MockModelServer) -> ChatCompletionClient:
    client = GeminiChatCompletionClient(model="gemini-3.8-flash", vertexai=True, location="global", max_retries=0)
    # With the option for it, the SDK needs no project.
    client._transport._api._http_options.base_url = server.url  # type: ignore[attr-defined]  # noqa: SLF001
    return client


Make = Callable[[MockModelServer], ChatCompletionClient]
every_client = pytest.mark.parametrize("make", [vertex, gemini])


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOOGLE_CLOUD_PROJECT", "ANTHROPIC_VERTEX_PROJECT_ID", "GOOGLE_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def server() -> AsyncIterator[MockModelServer]:
    async with MockModelServer() as server:
        yield server


@every_client
async def test_default_credentials_name_the_project_are_found_once_and_renewed(
    make: Make, server: MockModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = RENEWING()
    threads: list[threading.Thread] = []

    def default(scopes: list[str]) -> tuple[Any, str]:
        threads.append(threading.current_thread())
        return found, "acme"

    monkeypatch.setattr(google.auth, "default", default)
    client = await asyncio.to_thread(make, server)
    server.script(*[Reply(text="hi")] * 4)
    await asyncio.gather(*[client.create(HELLO) for _ in range(3)])
    found.token = None
    await read(client.create_stream(HELLO))
    await client.close()
    tokens = [request.headers["authorization"] for request in server.requests]
    assert tokens == ["Bearer token-1"] * 3 + ["Bearer token-2"]
    assert all("projects/acme/locations/global/" in request.path for request in server.requests)
    [thread] = threads
    assert thread is not threading.main_thread()


@every_client
async def test_no_credentials_is_an_error_that_says_what_to_do(
    make: Make, server: MockModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nonesuch.json")
    client = await asyncio.to_thread(make, server)
    with pytest.raises(UsageError, match=r"no credentials of Google Cloud: .*nonesuch.*Run `gcloud auth application"):
        await client.create(HELLO)
    await client.close()


@every_client
async def test_credentials_without_a_project_say_which_variable_names_one(
    make: Make, server: MockModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def default(scopes: list[str]) -> tuple[Any, None]:
        return RENEWING(), None

    monkeypatch.setattr(google.auth, "default", default)
    client = await asyncio.to_thread(make, server)
    with pytest.raises(UsageError, match=r"no project of Google Cloud: set \w+_PROJECT"):
        await client.create(HELLO)
    await client.close()


@every_client
async def test_a_search_that_does_not_end_is_given_up(
    make: Make, server: MockModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()

    def default(scopes: list[str]) -> tuple[Any, str]:
        ended.wait(timeout=60)
        return RENEWING(), "acme"

    monkeypatch.setattr(google.auth, "default", default)
    monkeypatch.setattr(_google_cloud, "SEARCH_SECONDS", 0.01)
    client = await asyncio.to_thread(make, server)
    try:
        with pytest.raises(UsageError, match=r"took longer than 0.01 seconds.*gcloud auth application-default"):
            await client.create(HELLO)
    finally:
        ended.set()
        await client.close()
