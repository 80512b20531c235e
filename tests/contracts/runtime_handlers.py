"""What a handler may be: by message type, by kind of message, a coroutine or a plain function."""

import threading
from dataclasses import dataclass
from typing import Any

import pytest
from tests.support.agents import Answer, Ask, MakeRuntime, started

from symposia.core import (
    AgentId,
    ClosureAgent,
    ClosureContext,
    MessageContext,
    MessageHandlerContext,
    RoutedAgent,
    TopicId,
    TypeSubscription,
    event,
    message_handler,
    rpc,
)
from symposia.core.exceptions import CantHandleException


@dataclass(frozen=True)
class Other:
    pass


class Routed(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("routes")
        self.events: list[str] = []

    @rpc
    async def on_request(self, message: Ask, ctx: MessageContext) -> Answer:
        return Answer(f"{MessageHandlerContext.agent_id()} answers {message.text}")

    @event
    async def on_event(self, message: Ask, ctx: MessageContext) -> None:
        self.events.append(message.text)

    @message_handler
    async def on_either(self, message: int | str, ctx: MessageContext) -> str:
        return type(message).__name__


class Names(RoutedAgent):
    @message_handler
    async def handle(self, question: Ask, about: MessageContext) -> str:
        return f"{question.text} {about.is_rpc}"


class Matching(RoutedAgent):
    @message_handler(match=lambda message, _ctx: message.text.startswith("a"))
    async def a_words(self, message: Ask, ctx: MessageContext) -> str:
        return "a word with a"

    @message_handler
    async def others(self, message: Ask, ctx: MessageContext) -> str:
        return "another word"


class Plain(RoutedAgent):
    @message_handler
    def on_ask(self, message: Ask, ctx: MessageContext) -> int:
        return threading.get_ident()


class Wrong(RoutedAgent):
    @message_handler
    async def on_ask(self, message: Ask, ctx: MessageContext) -> int:
        return "not a number"  # type: ignore[return-value]  # what the test is about


class HandlerContract:
    async def test_a_message_goes_to_the_handler_of_its_type_and_kind(self, make_runtime: MakeRuntime) -> None:
        async with started(make_runtime()) as runtime:
            await Routed.register(runtime, "routed", Routed)
            await runtime.add_subscription(TypeSubscription("news", "routed"))
            agent = AgentId("routed", "k")
            assert await runtime.send_message(Ask("x"), agent) == Answer("routed/k answers x")
            assert await runtime.send_message(1, agent) == "int"
            assert await runtime.send_message("1", agent) == "str"
            await runtime.publish_message(Ask("event"), TopicId("news", "k"))
            routed = await runtime.try_get_underlying_agent_instance(agent, Routed)
            await runtime.stop_when_idle()
            assert routed.events == ["event"]

    async def test_f19_a_handlers_parameters_may_have_any_names(self, make_runtime: MakeRuntime) -> None:
        async with started(make_runtime()) as runtime:
            await Names.register(runtime, "names", lambda: Names("names"))
            assert await runtime.send_message(Ask("rpc?"), AgentId("names", "k")) == "rpc? True"

    async def test_match_decides_between_handlers_of_one_type(self, make_runtime: MakeRuntime) -> None:
        async with started(make_runtime()) as runtime:
            await Matching.register(runtime, "matching", lambda: Matching("matches"))
            agent = AgentId("matching", "k")
            assert await runtime.send_message(Ask("apple"), agent) == "a word with a"
            assert await runtime.send_message(Ask("pear"), agent) == "another word"

    async def test_a_message_without_a_handler_is_a_dead_letter(self, make_runtime: MakeRuntime) -> None:
        letters: list[Any] = []
        async with started(make_runtime(on_dead_letter=letters.append)) as runtime:
            await Names.register(runtime, "names", lambda: Names("names"))
            await runtime.send_message(Other(), AgentId("names", "k"))
        assert [(letter.message, letter.recipient) for letter in letters] == [(Other(), AgentId("names", "k"))]

    async def test_an_answer_of_another_type_than_the_signature_says_is_an_error(
        self, make_runtime: MakeRuntime
    ) -> None:
        async with started(make_runtime()) as runtime:
            await Wrong.register(runtime, "wrong", lambda: Wrong("wrong"))
            with pytest.raises(ValueError, match=r"on_ask returned str.*int"):
                await runtime.send_message(Ask(), AgentId("wrong", "k"))

    async def test_a_closure_may_refuse_messages_of_other_types(self, make_runtime: MakeRuntime) -> None:
        async def closure(_agent: ClosureContext, message: Ask, _ctx: MessageContext) -> str:
            return message.text

        async with started(make_runtime()) as runtime:
            await ClosureAgent.register_closure(runtime, "picky", closure, unknown_type_policy="error")
            with pytest.raises(CantHandleException, match="Ask"):
                await runtime.send_message(Other(), AgentId("picky", "k"))

    async def test_a_plain_function_runs_in_a_worker_thread(self, make_runtime: MakeRuntime) -> None:
        async with started(make_runtime()) as runtime:
            await Plain.register(runtime, "plain", lambda: Plain("plain"))
            assert await runtime.send_message(Ask(), AgentId("plain", "k")) != threading.get_ident()
