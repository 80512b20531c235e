"""Wrappers around wrappers, in every order: cancelled at every tick, closed, counted, saved."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from itertools import cycle, permutations, product
from typing import Any

import pytest
from tests.support.model_clients import OPENAI, read

from symposia.core import CancellationToken
from symposia.core.exceptions import ModelError
from symposia.core.models import ChatCompletionClient, CreateResult, LLMMessage, RequestUsage, UserMessage
from symposia.ext.models.cache import ChatCompletionCache
from symposia.ext.models.concurrency import ConcurrencyLimitedClient
from symposia.ext.models.fallback import FallbackClient
from symposia.ext.models.rate_limit import RateLimitedClient
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.ext.models.retry import RetryingClient
from symposia.ext.models.routing import RoutingClient
from symposia.ext.models.wrappers import ModelClientWrapper
from symposia.testing.model_server import MockModelServer, Reply
from symposia.testing.simulation import simulate

ANSWER = CreateResult(finish_reason="stop", content="one two ", usage=RequestUsage(5, 2), cached=False)


class Model(ReplayChatCompletionClient):
    """Answers after some ticks, or fails first; counts its requests that are under way, and how often it is closed."""

    def __init__(self) -> None:
        super().__init__([])
        self.running = self.closed = self.failures = 0
        self.used = RequestUsage(0, 0)

    def effect_identity(self) -> dict[str, Any]:
        return {"class": "Model", "model": "m"}

    def total_usage(self) -> RequestUsage:
        return self.used

    actual_usage = total_usage

    async def create(self, messages: Sequence[LLMMessage], **options: Any) -> CreateResult:
        return (await read(self.create_stream(messages)))[1]

    async def create_stream(
        self, messages: Sequence[LLMMessage], **options: Any
    ) -> AsyncGenerator[str | CreateResult, None]:
        self.running += 1
        try:
            await ticks(2)
            if self.failures:
                self.failures -= 1
                raise ModelError("down", status=503)
            for piece in ("one ", "two "):
                yield piece
                await ticks(1)
            self.used += ANSWER.usage
            yield ANSWER.model_copy(deep=True)
        finally:
            self.running -= 1

    async def close(self) -> None:
        self.closed += 1


async def ticks(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


LAYERS: dict[str, Callable[[ChatCompletionClient], ChatCompletionClient]] = {
    "retry": lambda client: RetryingClient(client, longest_wait=0.001),
    "limit": lambda client: RateLimitedClient(client, requests_per_minute=60_000, tokens_per_minute=1e7),
    "cache": ChatCompletionCache,
    "fallback": lambda client: FallbackClient([client]),
    "concurrency": lambda client: ConcurrencyLimitedClient(client, 1),
    "routing": lambda client: RoutingClient({"only": client}, lambda call: "only"),
}


def stack(order: Sequence[str], client: ChatCompletionClient) -> ChatCompletionClient:
    for name in reversed(order):
        client = LAYERS[name](client)
    return client


async def ask(client: ChatCompletionClient, question: object, *, streamed: bool, token: Any = None) -> CreateResult:
    messages = [UserMessage(content=f"{question}", source="user")]
    if streamed:
        return (await read(client.create_stream(messages, cancellation_token=token)))[1]
    return await client.create(messages, cancellation_token=token)


VARIANTS = cycle(product([False, True], ["token", "task"], [0, 1]))
ORDERS = [*permutations(LAYERS, 2), *list(permutations(LAYERS, 3))[::3]]
CASES = [(order, *next(VARIANTS)) for order in ORDERS]


@pytest.mark.parametrize(("order", "streamed", "how", "failures"), CASES, ids=str)
def test_a_call_that_is_cancelled_at_any_tick_leaves_nothing_behind(
    order: Sequence[str], streamed: bool, how: str, failures: int
) -> None:
    async def attack(client: ChatCompletionClient, model: Model, tick: int) -> bool:
        """Cancel a call beside another one, and ask again.

        Returns:
            Whether the call had ended before.
        """
        model.failures = failures
        token = CancellationToken()
        call = asyncio.create_task(ask(client, tick, streamed=streamed, token=token))
        beside = asyncio.create_task(ask(client, tick if tick % 2 else f"{tick} b", streamed=not streamed))
        await ticks(tick)
        had_ended = call.done()
        (token if how == "token" else call).cancel()
        outcomes = await asyncio.gather(call, beside, return_exceptions=True)
        for outcome, cancelled in zip(outcomes, (True, False), strict=True):
            match outcome:
                case CreateResult(content=content):
                    assert content == ANSWER.content
                case asyncio.CancelledError():
                    assert cancelled
                case ModelError():
                    assert failures
                    assert "retry" not in order
                case _:
                    raise AssertionError(outcome)
        model.failures = 0
        assert (await ask(client, f"{tick} c", streamed=streamed)).content == ANSWER.content
        await asyncio.sleep(1)
        assert model.running == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert client.total_usage() == client.actual_usage() == model.used
        return had_ended

    async def main() -> None:
        model = Model()
        client = stack(order, model)
        async with asyncio.timeout(1000):
            for tick in range(25):
                if await attack(client, model, tick):
                    break
        await client.close()
        assert model.closed == 1

    simulate(main)


def test_a_model_that_several_wrappers_share_is_counted_and_closed_once() -> None:
    model, other = Model(), Model()
    routes: dict[str, ChatCompletionClient] = {
        "a": RetryingClient(model),
        "b": FallbackClient([model, ChatCompletionCache(model), other]),
        "c": model,
    }

    async def main() -> None:
        client = RoutingClient(routes, lambda call: str(call.messages[-1].content))
        for question in ("a", "b", "c"):
            await ask(client, question, streamed=False)
        assert client.total_usage() == client.actual_usage() == RequestUsage(15, 6)
        await client.close()
        assert (model.closed, other.closed) == (1, 1)

    simulate(main)


class Fails(Model):
    async def close(self) -> None:
        await super().close()
        raise OSError("cannot be closed")


class Released(ModelClientWrapper):
    """Holds something of its own."""

    released = 0

    def answer(self, call: Any) -> AsyncGenerator[str | CreateResult, None]:
        return call.ask(self._client)

    async def release(self) -> None:
        self.released += 1


async def test_all_are_closed_where_one_cannot_be() -> None:
    models = [Model(), Fails(), Model()]
    wrappers = [Released(model) for model in models]
    with pytest.raises(OSError, match="cannot be closed"):
        await RetryingClient(FallbackClient(wrappers)).close()
    assert [model.closed for model in models] == [1, 1, 1]
    assert [wrapper.released for wrapper in wrappers] == [1, 1, 1]


async def test_a_composition_can_be_closed_twice(server: MockModelServer) -> None:
    client = stack(["retry", "cache", "limit"], OPENAI.client(server, Reply(text="one")))
    await client.close()
    await client.close()


def test_every_composition_is_saved_and_loaded() -> None:
    names = [name for name in LAYERS if name != "routing"]  # JSON holds no function
    for order in [*permutations(names, 2), *permutations(names, 3)]:
        saved = stack(order, ReplayChatCompletionClient(["one"])).dump_component()
        again = ChatCompletionClient.load_component(json.loads(saved.model_dump_json()))
        assert again.dump_component() == saved, order
