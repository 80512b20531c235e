"""Extra arguments that no request can hold are refused whether or not an effect handler is installed."""

from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from typing import Any, TypeVar

import pytest

from symposia.core.effects import Effect, EffectRequest, handle_effects
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import UserMessage, call_model, stream_model
from symposia.ext.models.replay import ReplayChatCompletionClient

HELLO = [UserMessage(content="hello", source="user")]
Request = TypeVar("Request", bound=EffectRequest)
Result = TypeVar("Result")


class PassOn:
    async def handle(self, effect: Effect[Request, Result], proceed: Callable[[], Awaitable[Result]]) -> Result:
        return await proceed()


def circle() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["circle"] = value
    return value


@pytest.mark.parametrize("handled", [False, True])
@pytest.mark.parametrize("value", [circle(), 10**5000], ids=["circular", "huge"])
async def test_extra_arguments_that_are_no_json_are_refused_by_name(handled: bool, value: object) -> None:
    client = ReplayChatCompletionClient(["never said"])
    with handle_effects(PassOn()) if handled else nullcontext():
        with pytest.raises(InvalidArgumentError, match="'metadata' in extra_create_args cannot be written as JSON"):
            await call_model(client, HELLO, extra_create_args={"metadata": value})
        with pytest.raises(InvalidArgumentError, match="'metadata' in extra_create_args cannot be written as JSON"):
            async for _ in stream_model(client, HELLO, extra_create_args={"metadata": value}):
                pass
    assert client.create_calls == []


@pytest.mark.parametrize("handled", [False, True])
async def test_extra_arguments_of_a_vendors_sdk_are_passed_on_as_they_are(handled: bool) -> None:
    client = ReplayChatCompletionClient(["hi"])
    option = object()
    with handle_effects(PassOn()) if handled else nullcontext():
        await call_model(client, HELLO, extra_create_args={"timeout": option})
    assert client.create_calls[0]["extra_create_args"]["timeout"] is option
