import asyncio
import functools
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, ParamSpec, TypeVar

import pytest
from tests.support.agents import MakeRuntime, started

from symposia.core import (
    AgentId,
    BaseAgent,
    ClosureAgent,
    ClosureContext,
    DeadLetter,
    MessageContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    event,
    message_handler,
    rpc,
)
from symposia.core.exceptions import HandlerSignatureError
from symposia.testing import SerializingRuntime

P = ParamSpec("P")
T = TypeVar("T")
FIX = r"async def \w+\(.*message: MyMessage, ctx: MessageContext\)"


def test_a_handler_without_a_context_is_refused_with_the_fix() -> None:
    async def on_message_without_context(self: RoutedAgent, message: str) -> None: ...

    with pytest.raises(HandlerSignatureError, match=rf"two arguments.*{FIX}"):
        message_handler(on_message_without_context)


def test_a_handler_whose_message_has_no_type_is_refused_with_the_fix() -> None:
    async def on_anything(self: RoutedAgent, message: Any, ctx: MessageContext) -> None: ...

    del on_anything.__annotations__["message"]

    with pytest.raises(HandlerSignatureError, match=rf"'message' has no type.*{FIX}"):
        message_handler(on_anything)


def test_a_handler_with_its_arguments_the_other_way_round_is_refused_with_the_fix() -> None:
    async def on_message_swapped(self: RoutedAgent, ctx: MessageContext, message: str) -> None: ...

    with pytest.raises(HandlerSignatureError, match=rf"comes second.*{FIX}"):
        message_handler(on_message_swapped)


def test_a_message_type_that_cannot_be_told_at_run_time_is_refused() -> None:
    async def on_list(self: RoutedAgent, message: list[str], ctx: MessageContext) -> None: ...

    with pytest.raises(HandlerSignatureError, match="wrap them in a class"):
        message_handler(on_list)


async def test_a_closure_is_checked_when_it_is_registered() -> None:
    async def closure(agent: ClosureContext, message: Any) -> None: ...

    with pytest.raises(HandlerSignatureError, match="agent: ClosureContext"):
        await ClosureAgent.register_closure(SingleThreadedAgentRuntime(), "closure", closure)  # type: ignore[arg-type]  # what the test is about


def test_a_handler_says_which_types_it_takes_and_gives() -> None:
    class Routed(RoutedAgent):
        @message_handler
        async def on_either(self, message: int | str, ctx: MessageContext) -> bool | None: ...

    handler: Any = Routed.on_either
    assert handler.target_types == [int, str]
    assert handler.produces_types == [bool, type(None)]


def test_two_handlers_that_take_every_message_of_one_type_are_refused_when_the_class_is_made() -> None:
    async def first(self: RoutedAgent, message: str, ctx: MessageContext) -> None: ...
    async def second(self: RoutedAgent, message: str, ctx: MessageContext) -> None: ...

    with pytest.raises(HandlerSignatureError, match=r"Twice\.first and Twice\.second both handle every str.*match="):
        type("Twice", (RoutedAgent,), {"second": message_handler(second), "first": message_handler(first)})


def test_handlers_of_one_type_may_differ_in_kind_or_match() -> None:
    class Routed(RoutedAgent):
        @rpc
        async def answer(self, message: str, ctx: MessageContext) -> str: ...

        @event
        async def listen(self, message: str, ctx: MessageContext) -> None: ...

        @message_handler(match=lambda message, _ctx: message == "a")
        async def take_a(self, message: str, ctx: MessageContext) -> None: ...

        @message_handler(match=lambda message, _ctx: message == "b")
        async def take_b(self, message: str, ctx: MessageContext) -> None: ...

        @message_handler
        async def take_the_rest(self, message: str, ctx: MessageContext) -> None: ...

    assert issubclass(Routed, RoutedAgent)


async def yielding(self: RoutedAgent, message: str, ctx: MessageContext) -> AsyncGenerator[str]:
    yield message


async def by_class(cls: type[RoutedAgent], message: str, ctx: MessageContext) -> str:
    return message


def a_property(self: RoutedAgent) -> str:
    return "x"


@pytest.mark.parametrize(
    ("handler", "mistake"),
    [
        (yielding, "yielding: .*this one yields"),
        (staticmethod(yielding), "this is a staticmethod"),
        (classmethod(by_class), "this is a classmethod"),
        (property(a_property), "this is a property"),
        (3, "a function or a method"),
    ],
    ids=["yields", "staticmethod", "classmethod", "property", "number"],
)
def test_what_is_no_function_with_one_answer_is_refused_with_the_fix(handler: Any, mistake: str) -> None:
    with pytest.raises(HandlerSignatureError, match=rf"{mistake}.*async def \w+\("):
        message_handler(handler)


def decorated(method: Callable[P, T]) -> Callable[P, T]:
    @functools.wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        return method(*args, **kwargs)

    return call


async def test_a_handler_whose_decorator_hides_that_it_is_async_answers() -> None:
    class Decorated(RoutedAgent):
        @message_handler
        @decorated
        async def on_text(self, message: str, ctx: MessageContext) -> str:
            return message

    async with started(SingleThreadedAgentRuntime()) as runtime:
        await Decorated.register(runtime, "decorated", lambda: Decorated("decorated"))
        assert await runtime.send_message("x", AgentId("decorated", "k")) == "x"


class Later:
    """An awaitable that is no coroutine."""

    def __init__(self, result: str) -> None:
        self.result = result

    def __await__(self) -> Generator[Any, None, str]:
        yield from asyncio.sleep(0).__await__()
        return self.result


async def test_a_plain_handler_may_return_any_awaitable() -> None:
    class Awaited(RoutedAgent):
        @message_handler
        def on_text(self, message: str, ctx: MessageContext) -> str:
            return Later(message)  # type: ignore[return-value]  # as a decorated method may

    async with started(SingleThreadedAgentRuntime()) as runtime:
        await Awaited.register(runtime, "awaited", lambda: Awaited("awaited"))
        assert await runtime.send_message("x", AgentId("awaited", "k")) == "x"


@pytest.mark.parametrize("runtime_class", [SingleThreadedAgentRuntime, SerializingRuntime])
async def test_an_agent_whose_on_message_impl_is_not_async_is_told_so(runtime_class: MakeRuntime) -> None:
    class NotAsync(BaseAgent):
        def on_message_impl(self, message: Any, ctx: MessageContext) -> Any:
            return "answer"

    async with started(runtime_class()) as runtime:
        await NotAsync.register(runtime, "wrong", lambda: NotAsync("wrong"))
        with pytest.raises(HandlerSignatureError, match=r"NotAsync\.on_message_impl gave .* str .*async def"):
            await runtime.send_message("x", AgentId("wrong", "k"))


async def test_a_routed_agent_without_handlers_says_so_in_its_dead_letters() -> None:
    class Undecorated(RoutedAgent):
        async def handle(self, message: str, ctx: MessageContext) -> str:
            return message

    letters: list[DeadLetter] = []
    async with started(SingleThreadedAgentRuntime(on_dead_letter=letters.append)) as runtime:
        await Undecorated.register(runtime, "bare", lambda: Undecorated("bare"))
        await runtime.send_message("x", AgentId("bare", "k"))
    assert "Undecorated has no method with @message_handler" in letters[0].reason
