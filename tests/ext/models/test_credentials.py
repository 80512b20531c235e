"""Credentials that a program gets while it runs: asked for once, off the event loop, within a time limit."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import google.auth
import pytest
from google.auth.credentials import Credentials
from google.auth.exceptions import RefreshError, TransportError
from tests.support.model_clients import read

from symposia.core.exceptions import ModelError, UsageError
from symposia.core.models import ChatCompletionClient, UserMessage
from symposia.ext.auth.azure import AzureTokenProvider
from symposia.ext.models import _credentials
from symposia.ext.models._credentials import SharedCall
from symposia.ext.models.anthropic import AnthropicVertexChatCompletionClient
from symposia.ext.models.gemini import GeminiChatCompletionClient
from symposia.ext.models.openai import AzureOpenAIChatCompletionClient
from symposia.testing.model_server import MockModelServer, Reply, Rule

HELLO = [UserMessage(content="hello", source="user")]


class Gate:
    """A function that waits for the test, and tells how often it was called."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.calls = 0

    def __call__(self) -> int:
        self.calls += 1
        assert self.open.wait(10)
        return self.calls


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()


async def test_all_who_wait_share_a_call_and_the_next_one_is_new(gate: Gate) -> None:
    shared = SharedCall(gate)
    waiting = [asyncio.create_task(shared()) for _ in range(100)]
    await asyncio.sleep(0)
    gate.open.set()
    assert await asyncio.gather(*waiting) == [1] * 100
    assert await shared() == 2


async def test_a_caller_who_is_cancelled_leaves_the_call_to_the_others(gate: Gate) -> None:
    shared = SharedCall(gate)
    first, second = asyncio.create_task(shared()), asyncio.create_task(shared())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    gate.open.set()
    assert await second == 1


async def test_a_failure_is_told_to_all_who_wait_and_the_next_call_is_new() -> None:
    outcomes = iter([ValueError("no")])

    def fail_once() -> str:
        for outcome in outcomes:
            raise outcome
        return "yes"

    shared = SharedCall(fail_once)
    with pytest.raises(ValueError, match="no"):
        await shared()
    assert await shared() == "yes"


async def test_a_function_that_raises_stop_iteration_is_no_call_without_an_end() -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        await SharedCall(lambda: next(iter(())))()


def test_a_call_that_never_returns_keeps_no_program_from_ending() -> None:
    program = (
        "import asyncio, threading\n"
        "from symposia.ext.models._credentials import SharedCall\n"
        "async def main():\n"
        "    try:\n"
        "        async with asyncio.timeout(0.05):\n"
        "            await SharedCall(threading.Event().wait)()\n"
        "    except TimeoutError:\n"
        "        print(await asyncio.to_thread(lambda: 'free'))\n"
        "asyncio.run(main())\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout == "free\n"


class Aging(Credentials):
    """Credentials of Google Cloud with a token that the test takes away."""

    token: Any

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.renewals = 0
        self.error: Exception | None = None
        self.may_renew = threading.Event()
        self.may_renew.set()

    def refresh(self, request: object) -> None:
        assert self.may_renew.wait(10)
        if self.error is not None:
            raise self.error
        self.renewals += 1
        self.token = f"token-{self.renewals}"


def vertex(server: MockModelServer) -> ChatCompletionClient:
    return AnthropicVertexChatCompletionClient(
        model="claude-sonnet-4-6@20260217", region="global", base_url=f"{server.url}/v1", max_retries=0
    )


def gemini(server: MockModelServer) -> ChatCompletionClient:
    client = GeminiChatCompletionClient(model="gemini-3.8-flash", vertexai=True, location="global", max_retries=0)
    # With the option for it, the SDK needs no project.
    client._transport._api._http_options.base_url = server.url  # type: ignore[attr-defined]  # noqa: SLF001
    return client


@pytest.fixture
def aging(monkeypatch: pytest.MonkeyPatch) -> Aging:
    found = Aging()

    def default(scopes: list[str]) -> tuple[Any, str]:
        return found, "acme"

    monkeypatch.setattr(google.auth, "default", default)
    for name in ("GOOGLE_CLOUD_PROJECT", "ANTHROPIC_VERTEX_PROJECT_ID", "GOOGLE_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return found


every_cloud = pytest.mark.parametrize("make", [vertex, gemini])
Make = Callable[[MockModelServer], ChatCompletionClient]


@every_cloud
async def test_a_token_that_expires_is_renewed_once_for_all_requests(
    make: Make, server: MockModelServer, aging: Aging
) -> None:
    server.add_rule(Rule([Reply(text="hi")]))
    client = await asyncio.to_thread(make, server)
    for number in (1, 2):
        aging.token = None
        await asyncio.gather(*[client.create(HELLO) for _ in range(50)])
        assert aging.renewals == number
    assert {request.headers["authorization"] for request in server.requests[-50:]} == {"Bearer token-2"}
    await client.close()


@every_cloud
async def test_a_token_that_cannot_be_renewed_is_an_error_that_says_so(
    make: Make, server: MockModelServer, aging: Aging
) -> None:
    client = await asyncio.to_thread(make, server)
    aging.error = RefreshError("Reauthentication is needed.")  # type: ignore[no-untyped-call]
    with pytest.raises(UsageError, match=r"There is no token .*RefreshError: Reauthentication is needed"):
        await client.create(HELLO)
    aging.error = TransportError("unreachable")  # type: ignore[no-untyped-call]
    with pytest.raises(ModelError, match=r"There is no token .*TransportError: unreachable") as caught:
        await read(client.create_stream(HELLO))
    assert caught.value.is_transient
    await client.close()


@every_cloud
async def test_a_renewal_that_does_not_end_is_given_up(
    make: Make, server: MockModelServer, aging: Aging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_credentials, "TOKEN_SECONDS", 0.05)
    client = await asyncio.to_thread(make, server)
    aging.may_renew.clear()
    try:
        with pytest.raises(ModelError, match=r"none came within 0\.05 seconds") as caught:
            await client.create(HELLO)
        assert caught.value.is_transient
    finally:
        aging.may_renew.set()
        await client.close()


def azure(server: MockModelServer, provider: Any) -> ChatCompletionClient:
    return AzureOpenAIChatCompletionClient(
        model="gpt-4o",
        azure_endpoint=server.url,
        api_version="2024-10-21",
        azure_ad_token_provider=provider,
        max_retries=0,
    )


async def test_requests_that_wait_share_a_call_of_azures_token_provider(server: MockModelServer) -> None:
    from azure.core.credentials import AccessToken  # noqa: PLC0415 - heavy

    class Slow:
        calls = 0

        def get_token(self, *scopes: str, **_: object) -> AccessToken:
            self.calls += 1
            assert asked.wait(10)
            return AccessToken("token", 2**40)

    asked, credential = threading.Event(), Slow()
    server.add_rule(Rule([Reply(text="hi")]))
    client = azure(server, AzureTokenProvider(credential, "scope"))
    asking = [asyncio.create_task(client.create(HELLO)) for _ in range(50)]
    for _ in range(5):
        await asyncio.sleep(0)
    asked.set()
    await asyncio.gather(*asking)
    assert {request.headers["authorization"] for request in server.requests} == {"Bearer token"}
    assert credential.calls == 1
    await client.close()


async def test_any_other_provider_is_called_for_each_request(server: MockModelServer) -> None:
    numbers = iter(range(100))
    server.add_rule(Rule([Reply(text="hi")]))
    client = azure(server, lambda: f"token-{next(numbers)}")
    await asyncio.gather(*[client.create(HELLO) for _ in range(10)])
    assert len({request.headers["authorization"] for request in server.requests}) == 10
    await client.close()


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_provider_of_tokens_that_fails_is_an_error_with_its_words(
    server: MockModelServer, is_async: bool
) -> None:
    outcomes: Iterator[Any] = iter([PermissionError("denied"), ValueError("no such tenant"), None, "mine"])

    def provide() -> Any:
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def provide_later() -> Any:
        return provide()

    server.add_rule(Rule([Reply(text="hi")]))
    client = azure(server, provide_later if is_async else provide)
    with pytest.raises(ModelError, match=r"There is no token for .* and model 'gpt-4o' \(PermissionError: denied\)"):
        await client.create(HELLO)
    with pytest.raises(UsageError, match=r"There is no token for the request \(ValueError: no such tenant\)"):
        await client.create(HELLO)
    with pytest.raises(UsageError, match="the provider gave NoneType and no text"):
        await read(client.create_stream(HELLO))
    assert (await client.create(HELLO)).content == "hi"
    await client.close()


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_provider_of_tokens_that_hangs_is_given_up_and_can_be_cancelled(
    server: MockModelServer, is_async: bool, monkeypatch: pytest.MonkeyPatch, gate: Gate
) -> None:
    async def never() -> str:
        await asyncio.get_running_loop().create_future()
        return ""

    client = azure(server, never if is_async else gate)
    asking = asyncio.create_task(client.create(HELLO))
    for _ in range(5):
        await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])
    assert asking.cancelled()
    monkeypatch.setattr(_credentials, "TOKEN_SECONDS", 0.05)
    with pytest.raises(ModelError, match=r"none came within 0\.05 seconds"):
        await client.create(HELLO)
    await client.close()
