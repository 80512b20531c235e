"""Cancelling the token, or the awaiting task, stops the handler and what it awaits."""

import asyncio
from typing import Any

import pytest
from tests.support.agents import WAIT, Answer, Ask, Door, MakeRuntime, add_agent, answer, started

from symposia.core import CancellationToken, ClosureContext, MessageContext, TopicId


class CancellationContract:
    async def test_f02_a_handler_that_raises_after_its_token_was_cancelled_leaves_the_runtime_idle(
        self, make_runtime: MakeRuntime
    ) -> None:
        entered = asyncio.Event()

        async def fail_when_cancelled(_agent: ClosureContext, _message: Any, _ctx: MessageContext) -> None:
            entered.set()
            try:
                await asyncio.Event().wait()
            finally:
                raise ZeroDivisionError("while being cancelled")

        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "stubborn", fail_when_cancelled)
            token = CancellationToken()
            request = asyncio.create_task(runtime.send_message(Ask(), agent, cancellation_token=token))
            await entered.wait()
            token.cancel()
            with pytest.raises(asyncio.CancelledError):
                await request
            await runtime.stop_when_idle()

    async def test_f04_cancelling_the_token_cancels_the_handler(self, make_runtime: MakeRuntime) -> None:
        door = Door()
        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "slow", door)
            token = CancellationToken()
            request = asyncio.create_task(runtime.send_message(Ask(), agent, cancellation_token=token))
            await door.entered.wait()
            token.cancel()
            with pytest.raises(asyncio.CancelledError):
                await request
            assert door.cancelled.is_set()

    async def test_f04_cancelling_the_awaiting_task_cancels_the_handler(self, make_runtime: MakeRuntime) -> None:
        door = Door()
        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "slow", door)
            request = asyncio.create_task(runtime.send_message(Ask(), agent))
            await door.entered.wait()
            request.cancel()
            with pytest.raises(asyncio.CancelledError):
                await request
            assert door.cancelled.is_set()
            await runtime.stop_when_idle()

    async def test_cancelling_the_token_cancels_what_the_handler_asked_of_others(
        self, make_runtime: MakeRuntime
    ) -> None:
        door = Door()
        async with started(make_runtime()) as runtime:
            slow = await add_agent(runtime, "slow", door)

            async def ask_slow(agent: ClosureContext, message: Any, _ctx: MessageContext) -> Any:
                return await agent.send_message(message, slow)

            agent = await add_agent(runtime, "middle", ask_slow)
            token = CancellationToken()
            request = asyncio.create_task(runtime.send_message(Ask(), agent, cancellation_token=token))
            await door.entered.wait()
            token.cancel()
            with pytest.raises(asyncio.CancelledError):
                await request
            assert door.cancelled.is_set()

    async def test_cancelling_the_token_of_a_publication_cancels_its_handlers(self, make_runtime: MakeRuntime) -> None:
        door = Door()
        async with started(make_runtime()) as runtime:
            await add_agent(runtime, "slow", door, "news")
            token = CancellationToken()
            await runtime.publish_message(Ask(), TopicId("news", "k"), cancellation_token=token)
            await door.entered.wait()
            token.cancel()
            await runtime.stop_when_idle()
            assert door.cancelled.is_set()

    async def test_a_token_that_was_cancelled_before_sends_nothing(self, make_runtime: MakeRuntime) -> None:
        door = Door()
        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "slow", door)
            token = CancellationToken()
            token.cancel()
            with pytest.raises(asyncio.CancelledError):
                await runtime.send_message(Ask(), agent, cancellation_token=token)
        assert door.entries == 0

    async def test_f13_a_waiter_that_is_cancelled_lets_the_next_one_in(self, make_runtime: MakeRuntime) -> None:
        door = Door()
        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "slow", door)
            first, second, third = (
                asyncio.create_task(runtime.send_message(Ask(text), agent)) for text in ("first", "second", "third")
            )
            await door.entered.wait()
            second.cancel()
            with pytest.raises(asyncio.CancelledError):
                await second
            door.opened.set()
            assert await first == Answer("first")
            assert await third == Answer("third")
        assert door.entries == 2

    async def test_f13_a_waiter_that_is_cancelled_as_its_turn_comes_lets_the_next_one_in(
        self, make_runtime: MakeRuntime
    ) -> None:
        door = Door()
        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "slow", door)
            first, second, third = (
                asyncio.create_task(runtime.send_message(Ask(text), agent)) for text in ("first", "second", "third")
            )
            await door.entered.wait()
            door.opened.set()
            await first
            second.cancel()
            assert await third == Answer("third")
            assert (await asyncio.gather(second, return_exceptions=True))[0] != Answer("third")

    async def test_an_agent_takes_messages_again_after_one_was_cancelled(self, make_runtime: MakeRuntime) -> None:
        door = Door()
        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "slow", door)
            request = asyncio.create_task(runtime.send_message(Ask(), agent))
            await door.entered.wait()
            request.cancel()
            door.opened.set()
            await asyncio.gather(request, return_exceptions=True)
            assert await runtime.send_message(Ask("next"), agent) == Answer("next")

    async def test_a_token_may_be_cancelled_from_another_thread(self, make_runtime: MakeRuntime) -> None:
        door = Door()
        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "slow", door)
            token = CancellationToken()
            request = asyncio.create_task(runtime.send_message(Ask(), agent, cancellation_token=token))
            await door.entered.wait()
            await asyncio.to_thread(token.cancel)
            with pytest.raises(asyncio.CancelledError):
                await request
            assert door.cancelled.is_set()

    async def test_a_finished_request_is_not_touched_by_its_token(self, make_runtime: MakeRuntime) -> None:
        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "echo", answer)
            token = CancellationToken()
            assert await runtime.send_message(Ask("a"), agent, cancellation_token=token) == Answer("a")
            token.cancel()
            assert await runtime.send_message(Ask("b"), agent) == Answer("b")

    @pytest.mark.parametrize("first", range(6))
    async def test_an_agent_whose_saving_is_cancelled_twice_takes_messages_afterwards(
        self, make_runtime: MakeRuntime, first: int
    ) -> None:
        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "echo", answer)
            for second in range(6):
                saving = asyncio.create_task(runtime.agent_save_state(agent))
                for ticks in (first, second):
                    for _ in range(ticks):
                        await asyncio.sleep(0)
                    saving.cancel()
                await asyncio.wait([saving])
                async with asyncio.timeout(WAIT):
                    assert await runtime.send_message(Ask("on"), agent) == Answer("on")
