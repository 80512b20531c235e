"""What handlers see of effects, and what they can do about them."""

import asyncio
import gc
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, Literal, TypeVar

import pytest
from tests.support.agents import let_others_run

from symposia.core.effects import (
    Effect,
    EffectKind,
    EffectRequest,
    ask_human,
    current_effect,
    enter_scope,
    find_effect_kind,
    handle_effects,
)
from symposia.core.exceptions import ArgumentTypeError

Request = TypeVar("Request", bound=EffectRequest)
Result = TypeVar("Result")


class WeatherRequest(EffectRequest):
    kind: Literal["weather"] = "weather"
    city: str


WEATHER = EffectKind("weather", WeatherRequest, float)


def ask_weather(city: str, degrees: float = 21.5) -> Awaitable[float]:
    async def measure() -> float:
        return degrees

    return WEATHER.perform(lambda: WeatherRequest(city=city), measure, idempotency="idempotent")


class Logging:
    def __init__(self, name: str, log: list[str]) -> None:
        self.name = name
        self.log = log
        self.effects: list[Effect[Any, Any]] = []

    async def handle(self, effect: Effect[Request, Result], proceed: Callable[[], Awaitable[Result]]) -> Result:
        self.effects.append(effect)
        self.log.append(f"{self.name} begins {effect.kind.name}")
        try:
            return await proceed()
        finally:
            self.log.append(f"{self.name} ends {effect.kind.name}")


async def test_without_a_handler_no_request_is_made() -> None:
    def fail() -> WeatherRequest:
        raise AssertionError

    async def measure() -> float:
        return 3.0

    assert await WEATHER.perform(fail, measure) == 3.0


async def test_the_outermost_handler_sees_an_effect_first() -> None:
    log: list[str] = []
    with handle_effects(Logging("outer", log)), handle_effects(Logging("middle", log), Logging("inner", log)):
        assert await ask_weather("Bonn") == 21.5
    names = [line.split()[0] for line in log]
    assert names == ["outer", "middle", "inner", "inner", "middle", "outer"]


async def test_a_handler_is_told_everything_that_decides_the_outcome() -> None:
    handler = Logging("h", [])
    with handle_effects(handler), enter_scope("agent:a"):
        await ask_weather("Bonn")
    effect = handler.effects[0]
    assert (effect.kind, effect.idempotency, str(effect.scope)) == (WEATHER, "idempotent", "agent:a")
    assert effect.request == WeatherRequest(city="Bonn")


async def test_a_handler_answers_in_place_of_the_call() -> None:
    class Answering:
        async def handle(self, effect: Effect[Request, Result], proceed: Callable[[], Awaitable[Result]]) -> Result:
            return effect.kind.decode_result(7.0)

    async def measure() -> float:
        raise AssertionError

    with handle_effects(Answering()):
        assert await WEATHER.perform(lambda: WeatherRequest(city="Bonn"), measure) == 7.0


async def test_a_handler_does_an_effect_again() -> None:
    outcomes: list[Exception | float] = [OSError("busy"), 4.0]

    class Retrying:
        async def handle(self, effect: Effect[Request, Result], proceed: Callable[[], Awaitable[Result]]) -> Result:
            try:
                return await proceed()
            except OSError:
                return await proceed()

    async def measure() -> float:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    with handle_effects(Retrying()):
        assert await WEATHER.perform(lambda: WeatherRequest(city="Bonn"), measure) == 4.0


async def test_ids_are_the_same_each_time_and_differ_within_a_run() -> None:
    async def run() -> list[str]:
        handler = Logging("h", [])
        with handle_effects(handler):
            for name in ("a", "b"):
                with enter_scope(f"agent:{name}"):
                    await ask_weather("Bonn")
                    await ask_weather("Bonn")
                    await ask_weather("Köln")
        return [effect.id for effect in handler.effects]

    first = await run()
    assert first == await run()
    assert len(set(first)) == 6


async def test_the_code_of_an_effect_is_told_which_one_it_is() -> None:
    handler = Logging("h", [])

    async def measure() -> float:
        effect = current_effect()
        assert effect is not None
        assert effect.request == WeatherRequest(city="Bonn")
        return 1.0

    assert current_effect() is None
    with handle_effects(handler):
        await WEATHER.perform(lambda: WeatherRequest(city="Bonn"), measure)
        assert current_effect() is None


async def test_a_handlers_own_effects_pass_the_handlers_too() -> None:
    log: list[str] = []

    class Approving:
        async def handle(self, effect: Effect[Request, Result], proceed: Callable[[], Awaitable[Result]]) -> Result:
            if effect.kind is WEATHER:
                assert (await ask_human(self.ask, "Measure?", approval_of="Bonn")).approved
            return await proceed()

        async def ask(self, question: str) -> bool:
            return question == "Measure?"

    with handle_effects(Logging("journal", log), Approving()):
        await ask_weather("Bonn")
    assert [line for line in log if "begins" in line] == ["journal begins weather", "journal begins human"]


async def test_tasks_keep_the_handlers_under_which_they_were_started() -> None:
    handler = Logging("h", [])
    with handle_effects(handler):
        task = asyncio.create_task(_later())
    await task
    assert len(handler.effects) == 1
    await ask_weather("Bonn")
    assert len(handler.effects) == 1


async def _later() -> None:
    await asyncio.sleep(0)
    await ask_weather("Bonn")


class Pieces:
    """A stream of two pieces and a result."""

    def __init__(self, *, result: bool = True, error: Exception | None = None) -> None:
        self.result = result
        self.error = error
        self.closed = False

    async def items(self) -> AsyncGenerator[str | float, None]:
        try:
            yield "one"
            yield "two"
            if self.error is not None:
                raise self.error
            if self.result:
                yield 2.0
        finally:
            self.closed = True

    def stream(self) -> AsyncGenerator[str | float, None]:
        return WEATHER.stream(lambda: WeatherRequest(city="Bonn"), self.items, result_type=float)


@pytest.mark.parametrize("handled", [False, True])
async def test_the_pieces_of_a_stream_come_before_its_result(handled: bool) -> None:
    with handle_effects(*[Logging("h", [])] * handled):
        assert [item async for item in Pieces().stream()] == ["one", "two", 2.0]


@pytest.mark.parametrize("handled", [False, True])
async def test_an_error_of_a_stream_comes_after_its_pieces(handled: bool) -> None:
    seen: list[str | float] = []
    with handle_effects(*[Logging("h", [])] * handled):
        stream = Pieces(error=OSError("gone")).stream()
        seen += [await anext(stream), await anext(stream)]
        with pytest.raises(OSError, match="gone"):
            await anext(stream)
    assert seen == ["one", "two"]


@pytest.mark.parametrize("handled", [False, True])
async def test_a_stream_without_a_result_just_ends(handled: bool) -> None:
    with handle_effects(*[Logging("h", [])] * handled):
        assert [item async for item in Pieces(result=False).stream()] == ["one", "two"]


@pytest.mark.parametrize("handled", [False, True])
async def test_leaving_a_stream_early_closes_it(handled: bool) -> None:
    pieces = Pieces()
    with handle_effects(*[Logging("h", [])] * handled):
        async with aclosing(pieces.stream()) as stream:
            assert await anext(stream) == "one"
    assert pieces.closed


async def test_the_error_of_a_stream_that_was_left_early_is_not_reported_as_unseen() -> None:
    class Failing:
        async def handle(self, effect: Effect[Request, Result], proceed: Callable[[], Awaitable[Result]]) -> Result:
            await proceed()
            raise ValueError("refused")

    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context))
    with handle_effects(Failing()):
        async with aclosing(Pieces().stream()) as stream:
            async for _ in stream:
                await let_others_run()  # the handler has failed by then, with a piece still to be read
                break
    del stream
    gc.collect()
    assert reported == []


async def test_a_recorded_stream_is_its_result_alone() -> None:
    class Answering:
        async def handle(self, effect: Effect[Request, Result], proceed: Callable[[], Awaitable[Result]]) -> Result:
            return effect.kind.decode_result(9.0)

    with handle_effects(Answering()):
        assert [item async for item in Pieces().stream()] == [9.0]


async def test_cancelling_the_consumer_of_a_stream_cancels_the_effect() -> None:
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def items() -> AsyncGenerator[str | float, None]:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        yield 1.0

    async def consume() -> None:
        async for _ in WEATHER.stream(lambda: WeatherRequest(city="Bonn"), items, result_type=float):
            pass

    with handle_effects(Logging("h", [])):
        task = asyncio.create_task(consume())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert cancelled.is_set()


def test_a_kind_is_found_by_its_name() -> None:
    assert find_effect_kind("weather") is WEATHER


def test_an_unknown_kind_is_named_with_those_that_are_known() -> None:
    with pytest.raises(LookupError, match=r"no effect kind 'wether'; known are .*'weather'"):
        find_effect_kind("wether")


def test_two_kinds_cannot_have_one_name() -> None:
    with pytest.raises(ValueError, match="already is an effect kind 'weather'"):
        EffectKind("weather", WeatherRequest, float)


def test_a_kind_needs_a_result_type_or_a_codec() -> None:
    with pytest.raises(ValueError, match="either a result type or a codec"):
        EffectKind("nothing", WeatherRequest)


class Forgetful:
    """Handlers whose authors forgot something."""

    def __init__(self, forgotten: str) -> None:
        self.forgotten = forgotten

    def handle(self, effect: Effect[Any, Any], proceed: Callable[[], Awaitable[Any]]) -> Any:
        if self.forgotten == "async":
            return 12.5
        return self._handle(effect, proceed)

    async def _handle(self, _effect: Effect[Any, Any], proceed: Callable[[], Awaitable[Any]]) -> Any:
        if self.forgotten == "await":
            return proceed()
        result = await proceed()
        return str(result) if self.forgotten == "type" else None


@pytest.mark.parametrize(
    ("forgotten", "advice"),
    [
        ("await", r"<coroutine .*results are of type float\. Write `return await proceed\(\)`\."),
        ("return", r"returned None .*of type float\. A `return` may be missing\."),
        ("async", r"returned 12\.5 .*`async def handle`"),
        ("type", r"returned '21\.5' .*of type float\."),
    ],
)
async def test_a_handler_that_returns_no_result_of_the_kind_is_named(forgotten: str, advice: str) -> None:
    log: list[str] = []
    handler: Any = Forgetful(forgotten)  # Any: of the wrong type
    with (
        handle_effects(Logging("outer", log), handler),
        pytest.raises(ArgumentTypeError, match=advice) as raised,
    ):
        await ask_weather("Oslo")
    assert "The effect handler Forgetful returned" in str(raised.value)
    assert "kind 'weather'" in str(raised.value)
    assert log == ["outer begins weather", "outer ends weather"]  # an error as any other to the handlers around it


async def test_a_handler_of_a_stream_that_returns_no_result_is_named() -> None:
    async def measure() -> AsyncGenerator[str | float, None]:
        yield "cold"
        yield -3.5

    for forgotten in ("await", "return"):
        handler: Any = Forgetful(forgotten)  # Any: of the wrong type
        with (
            handle_effects(handler),
            pytest.raises(ArgumentTypeError, match=r"Forgetful returned .* of kind 'weather'"),
        ):
            async for _ in WEATHER.stream(lambda: WeatherRequest(city="Oslo"), measure, result_type=float):
                pass


async def test_a_handler_may_return_whatever_the_effect_itself_returned() -> None:
    stand_in: Any = object()  # Any: in the place of a float

    class Twice:
        async def handle(self, effect: Effect[Request, Result], proceed: Callable[[], Awaitable[Result]]) -> Result:
            first = await proceed()
            await proceed()
            return first

    with handle_effects(Twice()):
        assert await ask_weather("Oslo", stand_in) is stand_in


async def test_a_whole_number_is_a_result_of_type_float() -> None:
    class Recorded:
        async def handle(self, effect: Effect[Any, Any], proceed: Callable[[], Awaitable[Any]]) -> Any:
            return 20

    with handle_effects(Recorded()):
        assert await ask_weather("Oslo") == 20


def test_a_function_or_a_class_is_no_handler() -> None:
    for mistake in (ask_weather, Logging):
        handler: Any = mistake  # Any: of the wrong type
        with pytest.raises(ArgumentTypeError, match="an object with a method handle"), handle_effects(handler):
            pass


async def test_a_consumer_of_a_stream_that_is_cancelled_twice_ends_after_the_effect() -> None:
    begun, cleaning, may_end = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def items() -> AsyncGenerator[str | float, None]:
        try:
            begun.set()
            await asyncio.Event().wait()
            yield 1.0
        finally:
            cleaning.set()
            await may_end.wait()

    async def consume() -> None:
        async for _ in WEATHER.stream(lambda: WeatherRequest(city="Bonn"), items, result_type=float):
            pass

    with handle_effects(Logging("only", [])):
        consumer = asyncio.create_task(consume())
    await begun.wait()
    consumer.cancel()
    await cleaning.wait()
    consumer.cancel()
    await let_others_run()
    assert not consumer.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await consumer
