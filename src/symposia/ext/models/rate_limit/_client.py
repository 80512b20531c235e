"""The client that keeps to a rate."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, nullcontext
from typing import Final

from symposia.core.argument_checks import check_count, check_instance
from symposia.core.exceptions import InvalidArgumentError, ModelError
from symposia.core.models import ChatCompletionClient, CreateResult, LLMMessage, estimate_tokens
from symposia.ext.models._conversation_fold import ConversationFold
from symposia.ext.models._response_listeners import listening_to_responses
from symposia.ext.models._shared import SharedByName
from symposia.ext.models.rate_limit._limiter import RateLimiter
from symposia.ext.models.rate_limit._meters import LocalMeters, Rates
from symposia.ext.models.rate_limit._redis import RedisMeters
from symposia.ext.models.wrappers import ModelCall, ModelClientWrapper, begin, innermost


class RateLimitedClient(ModelClientWrapper):
    """Sends requests at a rate that all clients of the same name share.

    A request waits for its turn, and the agents take turns. Its tokens are estimated, reserved, and corrected when the
    answer tells them; what a cache inside answers takes nothing. Where the vendor's headers tell lower limits
    (``x-ratelimit-limit-requests``, ``anthropic-ratelimit-input-tokens-limit``, …), those hold; where they tell that
    nothing is left, or a 429 has a ``Retry-After``, all requests pause. The 429 itself is raised: put a
    `RetryingClient` around this client. Headers are read if there is one model inside: the limits of several are not
    those of one.

    Args:
        client: The client to ask.
        requests_per_minute: Requests a minute; None for what the vendor tells.
        tokens_per_minute: Tokens of prompts and answers a minute; None for what the vendor tells.
        input_tokens_per_minute: Tokens of prompts a minute, for a vendor that limits them apart, as Anthropic does.
            Tokens that came from the vendor's prompt cache do not count.
        output_tokens_per_minute: Tokens of answers a minute, likewise.
        name: Clients of one name share the limit, such as all that use the same API key. None for the address and the
            model of the client, together with the rates.
        priority: Requests of a higher priority go first.
        meters: Shares the limit with other processes; by default, it holds in this one.

    Raises:
        ArgumentTypeError: `client` is not a client, `priority` is no integer, or `meters` is no `RedisMeters`.
        InvalidArgumentError: A rate is not above 0, or another client has this name and other rates.
    """

    def __init__(
        self,
        client: ChatCompletionClient,
        *,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        input_tokens_per_minute: float | None = None,
        output_tokens_per_minute: float | None = None,
        name: str | None = None,
        priority: int = 0,
        meters: RedisMeters | None = None,
    ) -> None:
        super().__init__(client)
        check_count("priority", type(self).__name__, priority)
        check_instance("meters", type(self).__name__, meters, RedisMeters, "RedisMeters(host='localhost')")
        rates = Rates(requests_per_minute, tokens_per_minute, input_tokens_per_minute, output_tokens_per_minute)
        for given in rates:
            if given is not None and not given > 0:
                raise InvalidArgumentError(f"RateLimitedClient got a rate of {given!r} a minute: give more than 0.")
        shared_name = name or _usual_name(client)
        place = meters.address if meters is not None else None
        self._priority = priority
        self._entry = _limiters.get(
            (place, shared_name) if name else (place, shared_name, rates),
            rates,
            lambda: RateLimiter(LocalMeters() if meters is None else meters.named(shared_name), rates),
        )
        self._meters = meters
        self._has_one_model = len(innermost([client])) == 1
        self._prompt = ConversationFold(0, _with_tokens)

    async def answer(self, call: ModelCall) -> AsyncGenerator[str | CreateResult, None]:
        """See `ModelClientWrapper.answer`."""
        limiter = self._entry.value
        counted = limiter.rates.counts_tokens
        prompt = self._prompt(call.messages) if counted else 0
        tools = call.options.get("tools", ())
        if tools and counted:
            prompt += estimate_tokens((), tools=tools)
        reserved = await limiter.acquire(prompt, self._priority, call.token)
        responses: list[tuple[int | None, Mapping[str, str]]] = []
        listening = listening_to_responses(lambda status, headers: responses.append((status, headers)))
        try:
            with listening if self._has_one_model else nullcontext():
                begun = await begin(call, self._client)
            async with aclosing(begun) as items:
                await limiter.learn(responses)
                responses.clear()  # what they said of the time until a reset holds for that moment
                async for item in items:
                    if isinstance(item, CreateResult):
                        await limiter.settle(reserved, item)
                    yield item
        except ModelError as error:
            # The error knows more than the headers: Google tells the time in the body.
            await limiter.learn([*responses, _as_response(error)])
            raise

    async def release(self) -> None:
        """Close the connection to the server that shares the limit, which the next request opens again."""
        if self._meters is not None:
            await self._meters.close()


def _with_tokens(before: int, message: LLMMessage) -> int:
    return before + estimate_tokens((message,))


def _as_response(error: ModelError) -> tuple[int | None, Mapping[str, str]]:
    """The response that an error is about."""
    return error.status, {} if error.retry_after is None else {"retry-after": str(error.retry_after)}


def _usual_name(client: ChatCompletionClient) -> str:
    identity = client.effect_identity()
    return f"{identity.get('address', '')} {identity.get('model', identity.get('class', ''))}".strip()


_limiters: Final[SharedByName[RateLimiter]] = SharedByName("rate limit")
