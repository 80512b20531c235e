"""The client that keeps to a rate, on a clock that jumps."""

import asyncio
import json
from bisect import bisect_left
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import pytest
from tests.support.model_clients import ABLE, FORMATS, OPENAI, Vendor, kind_name, read

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.teams import RoundRobinGroupChat
from symposia.core import AgentId, CancellationToken, MessageHandlerContext
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError, ModelError
from symposia.core.models import ChatCompletionClient, CreateResult, LLMMessage, RequestUsage, UserMessage
from symposia.ext.models._response_listeners import report_response
from symposia.ext.models.cache import ChatCompletionCache
from symposia.ext.models.concurrency import ConcurrencyLimitedClient
from symposia.ext.models.fallback import FallbackClient
from symposia.ext.models.rate_limit import RateLimitedClient
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.ext.models.retry import RetryingClient
from symposia.ext.models.wrappers import ModelCall, ModelClientWrapper
from symposia.testing.model_server import Failure, MockModelServer, Raw, Reply
from symposia.testing.simulation import simulate, simulated

HELLO: list[LLMMessage] = [UserMessage(content="hello", source="user")]


class Asked(ModelClientWrapper):
    """Counts how often it is asked."""

    times = 0

    def answer(self, call: ModelCall) -> AsyncGenerator[str | CreateResult, None]:
        self.times += 1
        return call.ask(self._client)


class Vendor1:
    """A vendor that answers at once, and remembers when it was asked, and by whom."""

    def __init__(self, usage: RequestUsage | None = None) -> None:
        self.times: list[float] = []
        self.callers: list[str] = []
        self.headers: Mapping[str, str] = {}
        self.failures: list[ModelError] = []
        self._usage = usage or RequestUsage(1, 1)

    async def _answer(self, messages: Sequence[LLMMessage]) -> CreateResult:
        self.times.append(asyncio.get_running_loop().time())
        self.callers.append(str(messages[-1].content))
        report_response(200, self.headers)
        await asyncio.sleep(0.3)
        if self.failures:
            raise self.failures.pop(0)
        return CreateResult(finish_reason="stop", content="hi", usage=self._usage, cached=False)

    def client(self) -> ReplayChatCompletionClient:
        return ReplayChatCompletionClient(self._answer, ABLE)

    def most_in_a_minute(self) -> int:
        times = sorted(self.times)
        return max(bisect_left(times, start + 59.999) - first for first, start in enumerate(times))


async def ask(client: ChatCompletionClient, caller: str = "caller") -> CreateResult:
    with MessageHandlerContext.populate_context(AgentId(caller, "key")):
        return await client.create([UserMessage(content=caller, source="user")])


async def ask_for(seconds: float, client: ChatCompletionClient, caller: str) -> None:
    """Ask again and again until some virtual time has passed."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                await ask(client, caller)
    except TimeoutError:
        return


@pytest.mark.parametrize("rate", [30, 400])
def test_f49_the_rate_of_a_hundred_agents_is_held_within_two_in_a_hundred(rate: int) -> None:
    vendor = Vendor1()
    minutes = 3

    async def main() -> None:
        clients = [RateLimitedClient(vendor.client(), requests_per_minute=rate, name="f49") for _ in range(100)]
        await asyncio.gather(*(ask_for(60 * minutes, client, str(n)) for n, client in enumerate(clients)))

    simulate(main, max_steps=10_000_000)
    assert len(vendor.times) == pytest.approx(rate * minutes, rel=0.02)
    assert vendor.most_in_a_minute() <= rate * 1.02
    turns = Counter(vendor.callers)
    assert max(turns.values()) - min(turns.values()) <= 2


@pytest.mark.parametrize("usage", [RequestUsage(50, 150), RequestUsage(1500, 500), RequestUsage(40_000, 0)], ids=str)
def test_f49_the_rate_of_tokens_is_held_whatever_was_estimated(usage: RequestUsage) -> None:
    vendor = Vendor1(usage)
    rate, minutes = 30_000, 10
    each = usage.prompt_tokens + usage.completion_tokens

    async def main() -> None:
        clients = [RateLimitedClient(vendor.client(), tokens_per_minute=rate, name="tokens") for _ in range(10)]
        await asyncio.gather(*(ask_for(60 * minutes, client, str(n)) for n, client in enumerate(clients)))

    simulate(main, max_steps=10_000_000)
    spent = len(vendor.times) * each
    # What ten calls under way are still to be corrected by, and the last one's debt, come on top of two in a hundred.
    assert abs(spent - rate * minutes) <= rate * minutes * 0.02 + 11 * each


def test_f49_a_429_with_retry_after_pauses_all_agents_of_the_key() -> None:
    vendor = Vendor1()

    async def main() -> None:
        clients = [
            RetryingClient(RateLimitedClient(vendor.client(), requests_per_minute=600, name="paused")) for _ in range(9)
        ]
        vendor.failures = [ModelError("too many", status=429, retry_after=30)]
        answers = await asyncio.gather(*(ask(client, str(n)) for n, client in enumerate(clients)))
        assert all(answer.content == "hi" for answer in answers)
        await asyncio.gather(*(ask(client, "later") for client in clients))

    simulate(main)
    refused = vendor.times[0] + 0.3
    assert not [time for time in vendor.times if refused < time < refused + 30]
    assert len(vendor.times) == 19
    after = [time for time in vendor.times if time >= refused + 30]
    assert after[-1] - after[0] >= 0.1 * (len(after) - 8)  # at the rate, and not all at once


@pytest.mark.parametrize("vendor", FORMATS, ids=kind_name)
@pytest.mark.parametrize("streaming", [False, True])
async def test_a_real_429_pauses_the_other_clients(vendor: Vendor, server: MockModelServer, streaming: bool) -> None:
    client = RateLimitedClient(vendor.client(server), name=f"real {kind_name(vendor)} {streaming}")
    asked = Asked(vendor.client(server))
    other = RateLimitedClient(asked, name=f"real {kind_name(vendor)} {streaming}")
    server.script(Failure(status=429, headers={"retry-after": "60"}), Reply(text="hi"))
    with pytest.raises(ModelError) as caught:
        await (read(client.create_stream(HELLO)) if streaming else client.create(HELLO))
    assert caught.value.retry_after == 60
    token = CancellationToken()
    waiting = asyncio.create_task(other.create(HELLO, cancellation_token=token))
    await asyncio.sleep(0)
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (asked.times, len(server.requests)) == (0, 1)


def test_the_vendors_lower_limit_holds() -> None:
    vendor = Vendor1()
    vendor.headers = {"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "59"}

    async def main() -> None:
        client = RateLimitedClient(vendor.client(), requests_per_minute=6000, name="lower")
        await ask(client)
        await asyncio.gather(*(ask(client, str(n)) for n in range(20)))

    simulate(main)
    assert vendor.times[-1] - vendor.times[0] >= 18


def test_without_a_rate_that_of_the_vendor_is_kept() -> None:
    vendor = Vendor1()
    vendor.headers = {"anthropic-ratelimit-requests-limit": "30"}

    async def main() -> None:
        client = RateLimitedClient(vendor.client(), name="told")
        await asyncio.gather(*(ask(client, str(n)) for n in range(5)))  # nothing is known yet
        await asyncio.gather(*(ask(client, str(n)) for n in range(5)))

    simulate(main)
    assert vendor.times[4] - vendor.times[0] == 0
    assert vendor.times[-1] - vendor.times[5] >= 7.9


@pytest.mark.parametrize(
    ("usage", "takes"),
    [
        (RequestUsage(6_000, 0), 6.0),  # of 60,000 tokens of prompts a minute
        (RequestUsage(0, 600), 6.0),  # of 6,000 tokens of answers a minute
        (RequestUsage(6_000, 1_200), 12.0),
        (RequestUsage(6_000, 1, cached_tokens=5_900), 0.1),
        (RequestUsage(6_000, 1, cache_write_tokens=5_900), 6.0),
    ],
    ids=str,
)
def test_the_tokens_of_prompts_and_of_answers_are_limited_apart(usage: RequestUsage, takes: float) -> None:
    vendor = Vendor1(usage)

    async def main() -> None:
        client = RateLimitedClient(
            vendor.client(), input_tokens_per_minute=60_000, output_tokens_per_minute=6_000, name="apart"
        )
        for _ in range(21):
            await ask(client)

    simulate(main)
    assert (vendor.times[-1] - vendor.times[0]) / 20 == pytest.approx(max(takes, 0.3), rel=0.1)


def test_the_limits_of_anthropics_headers_hold_apart() -> None:
    vendor = Vendor1(RequestUsage(6_000, 10))
    vendor.headers = {
        "anthropic-ratelimit-tokens-limit": "66000",
        "anthropic-ratelimit-input-tokens-limit": "60000",
        "anthropic-ratelimit-output-tokens-limit": "6000",
    }

    async def main() -> None:
        client = RateLimitedClient(vendor.client(), name="told apart")
        for _ in range(21):
            await ask(client)

    simulate(main)
    assert (vendor.times[-1] - vendor.times[0]) / 20 == pytest.approx(6, rel=0.1)


@pytest.mark.parametrize("name", ["Gemini", "OpenAI"])
async def test_the_time_that_google_tells_in_the_body_is_waited_for(name: str, server: MockModelServer) -> None:
    detail = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}
    help_text = {"@type": "type.googleapis.com/google.rpc.Help", "retryDelay": "1s"}
    error = {"code": 429, "message": "Too many.", "status": "RESOURCE_EXHAUSTED", "details": [help_text, 3, detail]}
    body = {"error": error} if name == "Gemini" else [{"error": error}]  # as its server for OpenAI's format has it
    vendor = next(each for each in FORMATS if kind_name(each) == name.lower())
    refusal = Raw(body=json.dumps(body).encode(), status=429)
    client = RateLimitedClient(vendor.client(server, refusal), name=f"Google {name}")
    with pytest.raises(ModelError) as caught:
        await client.create(HELLO)
    assert caught.value.retry_after == 34.5
    waiting = asyncio.create_task(client.create(HELLO))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert len(server.requests) == 1


def test_what_a_cache_inside_answers_takes_nothing_of_the_rate() -> None:
    vendor = Vendor1(RequestUsage(10, 10))

    async def main() -> None:
        client = RateLimitedClient(
            ChatCompletionCache(vendor.client()), requests_per_minute=60, tokens_per_minute=600, name="hits"
        )
        for _ in range(100):
            assert (await ask(client)).content == "hi"
        assert asyncio.get_running_loop().time() < 200
        await asyncio.sleep(200)
        started = asyncio.get_running_loop().time()
        for number in range(5):
            await ask(client, f"another{number}")
        assert asyncio.get_running_loop().time() - started == pytest.approx(8, abs=3)

    simulate(main)
    assert len(vendor.times) == 6


def test_the_limits_of_one_of_several_models_do_not_hold_for_the_others() -> None:
    refused, other = Vendor1(), Vendor1()
    refused.headers = {"x-ratelimit-limit-requests": "1", "x-ratelimit-remaining-requests": "0"}
    refused.failures = [ModelError("too many", status=429, retry_after=3600)] * 20

    async def main() -> None:
        client = RateLimitedClient(
            FallbackClient([refused.client(), other.client()]), requests_per_minute=600, name="several"
        )
        for _ in range(5):
            assert (await ask(client)).content == "hi"

    simulate(main)
    assert len(refused.times) == len(other.times) == 5
    assert other.times[-1] < 60


def test_a_client_that_outlives_a_simulation_begins_anew_in_the_next_one() -> None:
    vendor = Vendor1()
    limited = RateLimitedClient(vendor.client(), requests_per_minute=1, name="outlives")
    places = ConcurrencyLimitedClient(vendor.client(), 1)
    left: list[AsyncGenerator[str | CreateResult, None]] = []

    async def main() -> None:
        await ask(limited)
        left.append(places.create_stream(HELLO))
        await anext(left[-1])  # the place is never given back
        assert asyncio.get_running_loop().time() < 2

    for _ in range(3):
        simulate(main)


def test_a_limit_that_is_used_up_is_waited_for_until_its_reset() -> None:
    vendor = Vendor1()
    vendor.headers = {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "20s"}

    async def main() -> None:
        client = RateLimitedClient(vendor.client(), requests_per_minute=600, name="used up")
        await ask(client)
        await ask(client)

    simulate(main)
    assert vendor.times[1] - vendor.times[0] >= 20


def test_a_long_pause_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    vendor = Vendor1()

    async def main() -> None:
        client = RateLimitedClient(vendor.client(), requests_per_minute=600, name="long pause")
        vendor.headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "59s"}
        await ask(client)
        assert not caplog.records
        vendor.headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "2h5m"}
        await ask(client)

    simulate(main)
    [record] = caplog.records
    assert "takes no requests for 2:05:00: all clients that share this rate limit wait" in record.getMessage()


def test_agents_take_turns_whatever_they_ask_for() -> None:
    vendor = Vendor1()

    async def main() -> None:
        client = RateLimitedClient(vendor.client(), requests_per_minute=60, name="turns")
        greedy = [ask(client, "greedy") for _ in range(20)]
        await asyncio.gather(*greedy, ask(client, "modest"), ask(client, "shy"))

    simulate(main)
    assert vendor.callers.index("modest") <= 2
    assert vendor.callers.index("shy") <= 3


def test_a_higher_priority_goes_first() -> None:
    vendor = Vendor1()

    async def main() -> None:
        usual = RateLimitedClient(vendor.client(), requests_per_minute=60, name="two priorities")
        urgent = RateLimitedClient(vendor.client(), requests_per_minute=60, name="two priorities", priority=1)
        first = [asyncio.create_task(ask(usual, f"usual{n}")) for n in range(5)]
        await asyncio.sleep(1.5)
        await asyncio.gather(*first, ask(urgent, "urgent"))

    simulate(main)
    assert vendor.callers.index("urgent") == 2


@simulated(seeds=range(30))
async def test_calls_that_are_cancelled_take_nothing_of_the_rate() -> None:
    vendor = Vendor1()
    client = RateLimitedClient(vendor.client(), requests_per_minute=60, name="cancelled")
    started = asyncio.get_running_loop().time()
    token = CancellationToken()
    calls = [
        asyncio.create_task(client.create(HELLO, cancellation_token=token if number % 2 else None))
        for number in range(21)
    ]
    await asyncio.sleep(0.5)
    token.cancel()
    for call in calls[2::4]:
        call.cancel()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    answered = sum(isinstance(outcome, CreateResult) for outcome in outcomes)
    assert answered == len(vendor.times) == 6
    await ask(client)
    assert asyncio.get_running_loop().time() - started <= 6.4


def test_clients_share_a_limit_by_name_or_by_address_model_and_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = ReplayChatCompletionClient([])
    kept = RateLimitedClient(inner, requests_per_minute=60, name="rates of one name")
    with pytest.raises(InvalidArgumentError, match=r"There is a rate limit named .* give the same, or another name"):
        RateLimitedClient(inner, requests_per_minute=61, name="rates of one name")
    del kept
    RateLimitedClient(inner, requests_per_minute=61, name="rates of one name")
    vendor = Vendor1()

    async def main() -> None:
        clients = [RateLimitedClient(vendor.client(), requests_per_minute=60) for _ in range(3)]
        other = RateLimitedClient(vendor.client(), requests_per_minute=61)
        await asyncio.gather(*(ask(client) for client in clients), ask(other))

    simulate(main)
    assert [round(time - vendor.times[0]) for time in vendor.times] == [0, 0, 1, 2]


def test_the_address_of_meters_is_refused_in_their_place() -> None:
    meters: Any = "redis://localhost"
    with pytest.raises(ArgumentTypeError, match=r"meters of RateLimitedClient is 'redis://.*': give a RedisMeters"):
        RateLimitedClient(ReplayChatCompletionClient([]), meters=meters)


@pytest.mark.parametrize("wrong", [0, -1, float("nan")])
def test_a_rate_that_is_none_is_refused(wrong: float) -> None:
    with pytest.raises(InvalidArgumentError, match="give more than 0"):
        RateLimitedClient(ReplayChatCompletionClient([]), requests_per_minute=wrong)


def test_the_agents_of_a_team_share_a_limit() -> None:
    vendor = Vendor1()

    async def main() -> None:
        agents = [
            AssistantAgent(name, RateLimitedClient(vendor.client(), requests_per_minute=60, name="team"))
            for name in ("one", "two", "three")
        ]
        result = await RoundRobinGroupChat(agents, max_turns=6).run(task="Go.")
        assert len(result.messages) == 7

    simulate(main)
    assert vendor.times[-1] - vendor.times[0] >= 4.9


async def test_the_headers_of_the_real_vendors_reach_the_limiter(server: MockModelServer) -> None:
    asked = Asked(OPENAI.client(server))
    client = RateLimitedClient(asked, name="headers")
    body = (
        b'{"id":"1","object":"chat.completion","created":1,"model":"gpt-4o","choices":[{"index":0,"finish_reason":'
        b'"stop","message":{"role":"assistant","content":"hi"}}],"usage":{"prompt_tokens":1,"completion_tokens":1,'
        b'"total_tokens":2}}'
    )
    headers = {"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "0"}
    server.script(Raw(body=body, headers={**headers, "x-ratelimit-reset-requests": "1m0s"}), Reply(text="hi"))
    assert (await client.create(HELLO)).content == "hi"
    waiting = asyncio.create_task(client.create(HELLO))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (asked.times, len(server.requests)) == (1, 1)
