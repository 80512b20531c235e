"""Registering agents tells a runtime what they take; inside one process nothing is ever written."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, model_serializer
from tests.support.agents import started

from symposia.core import (
    AgentId,
    ClosureAgent,
    ClosureContext,
    DefaultTopicId,
    MessageContext,
    MessageSerializer,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    TopicId,
    default_subscription,
    message_handler,
    rpc,
)


@dataclass
class Point:
    x: int


class Note(BaseModel):
    text: str


class Plain:
    """A message that has no serializer."""


class Secret(BaseModel):
    """A message that must not be written."""

    @model_serializer
    def _refuse(self) -> str:
        raise AssertionError("this message was written")


@dataclass
class Holder:
    """A message that cannot be written."""

    plain: Plain


class LearningRuntime(SingleThreadedAgentRuntime):
    """Remembers what it was taught to write."""

    def __init__(self) -> None:
        super().__init__()
        self.learned: list[str] = []

    def add_message_serializer(self, serializer: MessageSerializer[Any] | Sequence[MessageSerializer[Any]]) -> None:
        super().add_message_serializer(serializer)
        several = serializer if isinstance(serializer, Sequence) else [serializer]
        self.learned += [one.type_name for one in several]


@default_subscription
class Taker(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("takes messages of many types")

    @message_handler
    async def on_two(self, message: Point | Note, ctx: MessageContext) -> None: ...

    @rpc
    async def on_plain(self, message: Plain, ctx: MessageContext) -> Plain:
        return message


@default_subscription
class Echo(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("gives back what it gets")
        self.seen: list[object] = []

    @message_handler
    async def on_any(self, message: Any, ctx: MessageContext) -> Any:
        self.seen.append(message)
        return message


async def take_note(agent: ClosureContext, message: Note | Point, ctx: MessageContext) -> None: ...


async def test_registering_a_class_teaches_the_runtime_the_types_of_its_handlers() -> None:
    runtime = LearningRuntime()
    await Taker.register(runtime, "taker", Taker)
    assert sorted(runtime.learned) == ["Note", "Point"]


async def test_registering_an_instance_teaches_the_runtime_the_types_of_its_handlers() -> None:
    runtime = LearningRuntime()
    await Taker().register_instance(runtime, AgentId("taker", "k"))
    assert sorted(runtime.learned) == ["Note", "Point"]


async def test_registering_a_closure_teaches_the_runtime_its_types() -> None:
    runtime = LearningRuntime()
    await ClosureAgent.register_closure(runtime, "closure", take_note)
    assert runtime.learned == ["Note", "Point"]


async def test_nothing_is_written_inside_one_process() -> None:
    runtime = SingleThreadedAgentRuntime()
    await Echo.register(runtime, "echo", Echo)
    messages = [Secret(), Holder(Plain()), Plain(), "text", 1]
    async with started(runtime):
        for message in messages:
            assert await runtime.send_message(message, AgentId("echo", "default")) is message
            await runtime.publish_message(message, DefaultTopicId())
            await runtime.publish_message(message, TopicId("nobody", "listens"))
        await runtime.stop_when_idle()
    echo = await runtime.try_get_underlying_agent_instance(AgentId("echo", "default"), Echo)
    assert len(echo.seen) == 2 * len(messages)
    assert all(any(seen is message for message in messages) for seen in echo.seen)


async def test_an_agent_may_take_messages_that_cannot_leave_the_process() -> None:
    runtime = SingleThreadedAgentRuntime()
    await Taker.register(runtime, "taker", Taker)
    plain = Plain()
    async with started(runtime):
        assert await runtime.send_message(plain, AgentId("taker", "k")) is plain
