"""The two forms in which agents are called: plain methods, or asynchronous ones.

AutoGen 0.2 has each method twice, and programs override either. The logic of both is one `async def` function that
awaits nothing but the methods of a form. Those of the plain form never suspend, so a plain chat needs no event loop,
and works inside a running one, as in a notebook. Where the program has not overridden a plain method, they await its
logic: an agent's reply, in which it may hold chats, and a function that it executes are on a stack of their own.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Mapping
from types import MethodType
from typing import Any, Final, Protocol, TypeAlias, TypeVar, cast

from symposia.v02._background_call import call_in_caller
from symposia.v02._plain import logic_of, on_own_stack, run_plain
from symposia.v02._waiting import AsyncWaiting, PlainWaiting, Waiting
from symposia.v02.agentchat._conversable import Attended, Conversable, Conversing, Executing, Reply, ReplyFunction
from symposia.v02.agentchat._messages import Message
from symposia.v02.agentchat.agent import Agent

T = TypeVar("T")
R = TypeVar("R")
Step: TypeAlias = Callable[[], Coroutine[Any, Any, T]]  # Any: it yields and is sent nothing that matters here
Effect: TypeAlias = Callable[[Step[T]], Coroutine[Any, Any, R]]
"""Takes a step, and performs it or returns a result without it."""


class Form(Waiting, Protocol):
    """Calls agents and functions, in one of the two forms."""

    async def send(
        self,
        agent: Agent,
        message: Message | str,
        recipient: Agent,
        *,
        request_reply: bool | None = None,
        silent: bool | None,
    ) -> None:
        """Have an agent send a message."""
        ...

    async def receive(
        self, agent: Agent, message: Message | str, sender: Agent, request_reply: bool | None, silent: bool | None
    ) -> None:
        """Have an agent receive a message."""
        ...

    async def generate_reply(self, agent: Agent, messages: list[Message] | None, sender: Agent | None) -> Reply:
        """Have an agent generate a reply."""
        ...

    def ask(
        self, function: ReplyFunction, agent: Agent, messages: list[Message], sender: Agent | None, config: object
    ) -> Any:  # Any: as of reply functions
        """Call a reply function: its result, or what has to be awaited for it."""
        ...

    async def initiate_chat(self, agent: Conversable, chat: Mapping[str, Any]) -> Any:  # Any: arguments, `ChatResult`
        """Have an agent hold a chat."""
        ...

    async def initiate_chats(self, agent: Conversable, queue: list[dict[str, Any]]) -> Any:  # Any: as above
        """Have an agent hold chats: the results in order, or by their `chat_id`."""
        ...

    async def first_message(
        self, agent: Conversable, message: Message | str | None, options: dict[str, object]
    ) -> Message | str:
        """Have an agent make the first message of a chat."""
        ...

    async def human_input(self, agent: Attended, prompt: str) -> str:
        """Have an agent ask its person."""
        ...

    async def processed(self, agent: Conversing, messages: list[Message]) -> list[Message]:
        """Have an agent apply its hooks to received messages."""
        ...

    async def executed(self, agent: Executing, call: dict[str, Any]) -> tuple[bool, Message]:
        """Have an agent execute a function."""
        ...

    async def call(self, function: Callable[..., object], /, *args: object, **kwargs: object) -> Any:  # Any: its result
        """Call a function of the program; the asynchronous form awaits a coroutine function."""
        ...

    async def perform(self, effect: Effect[T, R], step: Step[T]) -> R:
        """Await an effect around a step of this form. A plain step is called in the thread that waits for it."""
        ...


class _Plain(PlainWaiting):
    """Calls the plain methods."""

    async def send(
        self,
        agent: Agent,
        message: Message | str,
        recipient: Agent,
        *,
        request_reply: bool | None = None,
        silent: bool | None,
    ) -> None:
        method = cast("Conversing", agent).send
        if (logic := logic_of(method)) is not None:
            await logic(agent, self, message, recipient, request_reply, silent)
        else:
            method(message, recipient, request_reply, silent)

    async def receive(
        self, agent: Agent, message: Message | str, sender: Agent, request_reply: bool | None, silent: bool | None
    ) -> None:
        method = cast("Conversing", agent).receive
        if (logic := logic_of(method)) is not None:
            await logic(agent, self, message, sender, request_reply, silent)
        else:
            method(message, sender, request_reply, silent)

    async def generate_reply(self, agent: Agent, messages: list[Message] | None, sender: Agent | None) -> Reply:
        method = agent.generate_reply
        if (logic := logic_of(method)) is not None:
            return await on_own_stack(logic(agent, self, messages=messages, sender=sender))
        return method(messages=messages, sender=sender)

    def ask(
        self, function: ReplyFunction, agent: Agent, messages: list[Message], sender: Agent | None, config: object
    ) -> Any:
        if (logic := logic_of(function)) is None:
            return function(agent, messages=messages, sender=sender, config=config)
        if isinstance(function, MethodType):
            return logic(function.__self__, self, agent, messages, sender, config)
        return logic(agent, self, messages, sender, config)

    async def initiate_chat(self, agent: Conversable, chat: Mapping[str, Any]) -> Any:
        method = agent.initiate_chat
        if (logic := logic_of(method)) is not None:
            return await logic(agent, self, **chat)
        return method(**chat)

    async def initiate_chats(self, agent: Conversable, queue: list[dict[str, Any]]) -> Any:
        method = agent.initiate_chats
        if (logic := logic_of(method)) is not None:
            return await logic(agent, self, queue)
        return method(queue)

    async def first_message(
        self, agent: Conversable, message: Message | str | None, options: dict[str, object]
    ) -> Message | str:
        return agent.generate_init_message(message, **options)

    async def human_input(self, agent: Attended, prompt: str) -> str:
        return agent.get_human_input(prompt)

    async def processed(self, agent: Conversing, messages: list[Message]) -> list[Message]:
        return agent.process_all_messages_before_reply(agent.process_last_received_message(messages))

    async def executed(self, agent: Executing, call: dict[str, Any]) -> tuple[bool, Message]:
        method = agent.execute_function
        if (logic := logic_of(method)) is not None:
            return await on_own_stack(logic(agent, self, call))
        return method(call)

    async def call(self, function: Callable[..., object], /, *args: object, **kwargs: object) -> Any:
        return function(*args, **kwargs)

    async def perform(self, effect: Effect[T, R], step: Step[T]) -> R:
        async def in_caller() -> T:
            return await call_in_caller(lambda: run_plain(step()))

        return await self.run(lambda: effect(in_caller))


class _Async(AsyncWaiting):
    """Awaits the asynchronous methods."""

    async def send(
        self,
        agent: Agent,
        message: Message | str,
        recipient: Agent,
        *,
        request_reply: bool | None = None,
        silent: bool | None,
    ) -> None:
        await cast("Conversing", agent).a_send(message, recipient, request_reply, silent)

    async def receive(
        self, agent: Agent, message: Message | str, sender: Agent, request_reply: bool | None, silent: bool | None
    ) -> None:
        await cast("Conversing", agent).a_receive(message, sender, request_reply, silent)

    async def generate_reply(self, agent: Agent, messages: list[Message] | None, sender: Agent | None) -> Reply:
        await asyncio.sleep(0)  # a chat in which nothing waits holds up no other task, and can be cancelled
        return await agent.a_generate_reply(messages=messages, sender=sender)

    def ask(
        self, function: ReplyFunction, agent: Agent, messages: list[Message], sender: Agent | None, config: object
    ) -> Any:
        return function(agent, messages=messages, sender=sender, config=config)

    async def initiate_chat(self, agent: Conversable, chat: Mapping[str, Any]) -> Any:
        return await agent.a_initiate_chat(**chat)

    async def initiate_chats(self, agent: Conversable, queue: list[dict[str, Any]]) -> Any:
        return await agent.a_initiate_chats(queue)

    async def first_message(
        self, agent: Conversable, message: Message | str | None, options: dict[str, object]
    ) -> Message | str:
        return await agent.a_generate_init_message(message, **options)

    async def human_input(self, agent: Attended, prompt: str) -> str:
        return await agent.a_get_human_input(prompt)

    async def processed(self, agent: Conversing, messages: list[Message]) -> list[Message]:
        # In the other order than the plain form, as in AutoGen 0.2.
        return await agent.a_process_last_received_message(await agent.a_process_all_messages_before_reply(messages))

    async def executed(self, agent: Executing, call: dict[str, Any]) -> tuple[bool, Message]:
        return await agent.a_execute_function(call)

    async def call(self, function: Callable[..., object], /, *args: object, **kwargs: object) -> Any:
        result = function(*args, **kwargs)
        return await result if inspect.isawaitable(result) else result

    async def perform(self, effect: Effect[T, R], step: Step[T]) -> R:
        return await effect(step)


PLAIN: Final[Form] = _Plain()
ASYNC: Final[Form] = _Async()
