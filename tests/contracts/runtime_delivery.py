"""Who gets a message, and in which order."""

import asyncio
from typing import Any

import pytest
from tests.support.agents import WAIT, Answer, Ask, Door, MakeRuntime, add_agent, answer, let_others_run, started

from symposia.core import (
    AgentId,
    BaseAgent,
    ClosureContext,
    DeadLetter,
    MessageContext,
    RoutedAgent,
    TopicId,
    TypePrefixSubscription,
    TypeSubscription,
)
from symposia.core.exceptions import ArgumentTypeError, RegistrationError, UndeliverableException


class WithoutBase(RoutedAgent):
    """Its constructor does not call that of its base class."""

    def __init__(self) -> None:  # pyright: ignore[reportMissingSuperCall] - the mistake under test
        self.mine = 1


class Counter(BaseAgent):
    """Counts its messages, and its instances."""

    instances = 0

    def __init__(self) -> None:
        super().__init__("counts")
        type(self).instances += 1
        self.count = 0

    async def on_message_impl(self, message: Any, ctx: MessageContext) -> int:
        self.count += 1
        return self.count

    async def save_state(self) -> dict[str, Any]:
        return {"count": self.count}

    async def load_state(self, state: Any) -> None:
        self.count = state["count"]


class DeliveryContract:
    async def test_a_request_is_answered_by_the_agent_that_it_names(self, make_runtime: MakeRuntime) -> None:
        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "echo", answer)
            assert await runtime.send_message(Ask("hello"), agent) == Answer("hello")

    async def test_each_key_is_an_agent_of_its_own(self, make_runtime: MakeRuntime) -> None:
        async with started(make_runtime()) as runtime:
            await Counter.register(runtime, "counter", Counter)
            counts = [await runtime.send_message(Ask(), AgentId("counter", key)) for key in ("a", "a", "b")]
            assert counts == [1, 2, 1]

    async def test_a_published_message_reaches_every_subscriber_once_but_not_its_sender(
        self, make_runtime: MakeRuntime
    ) -> None:
        heard: list[str] = []

        async def listen(agent: ClosureContext, _message: Any, _ctx: MessageContext) -> None:
            heard.append(agent.id.type)

        async def publish(agent: ClosureContext, message: Any, ctx: MessageContext) -> None:
            if ctx.is_rpc:
                await agent.publish_message(message, TopicId("news", "k"))
            else:
                heard.append("publisher")

        async with started(make_runtime()) as runtime:
            await add_agent(runtime, "first", listen, "news")
            await runtime.add_subscription(TypePrefixSubscription("ne", "first"))
            await add_agent(runtime, "second", listen, "news")
            await add_agent(runtime, "elsewhere", listen, "sports")
            publisher = await add_agent(runtime, "publisher", publish, "news")
            await runtime.send_message(Ask(), publisher)
            await runtime.stop_when_idle()
        assert sorted(heard) == ["first", "second"]

    async def test_a_subscription_that_was_removed_delivers_nothing(self, make_runtime: MakeRuntime) -> None:
        door = Door()
        async with started(make_runtime()) as runtime:
            await add_agent(runtime, "listener", door)
            subscription = TypeSubscription("news", "listener")
            await runtime.add_subscription(subscription)
            await runtime.remove_subscription(subscription.id)
            await runtime.publish_message(Ask(), TopicId("news", "k"))
            await runtime.stop_when_idle()
        assert door.entries == 0

    async def test_the_topics_source_is_the_key_of_the_agent(self, make_runtime: MakeRuntime) -> None:
        keys: list[str] = []

        async def listen(agent: ClosureContext, _message: Any, _ctx: MessageContext) -> None:
            keys.append(agent.id.key)

        async with started(make_runtime()) as runtime:
            await add_agent(runtime, "listener", listen, "news")
            for source in ("x", "y"):
                await runtime.publish_message(Ask(), TopicId("news", source))
            await runtime.stop_when_idle()
        assert sorted(keys) == ["x", "y"]

    async def test_f07_five_requests_at_once_to_a_new_agent_make_one_instance(self, make_runtime: MakeRuntime) -> None:
        class Slow(Counter):
            instances = 0

        async def factory() -> Slow:
            await asyncio.sleep(0)
            return Slow()

        async with started(make_runtime()) as runtime:
            await Slow.register(runtime, "slow", factory)
            counts = await asyncio.gather(*(runtime.send_message(Ask(), AgentId("slow", "k")) for _ in range(5)))
        assert Slow.instances == 1
        assert sorted(counts) == [1, 2, 3, 4, 5]

    async def test_f07_five_publications_to_a_new_agent_make_one_instance(self, make_runtime: MakeRuntime) -> None:
        class Slow(Counter):
            instances = 0

        async def factory() -> Slow:
            await asyncio.sleep(0)
            return Slow()

        async with started(make_runtime()) as runtime:
            await Slow.register(runtime, "slow", factory)
            await runtime.add_subscription(TypeSubscription("news", "slow"))
            for _ in range(5):
                await runtime.publish_message(Ask(), TopicId("news", "k"))
            await runtime.stop_when_idle()
            saved = await runtime.agent_save_state(AgentId("slow", "k"))
        assert (Slow.instances, saved) == (1, {"count": 5})

    async def test_f08_the_messages_of_one_agent_are_handled_in_order_and_one_at_a_time(
        self, make_runtime: MakeRuntime
    ) -> None:
        done: list[str] = []
        slow = asyncio.Event()
        here = 0

        async def handle(_agent: ClosureContext, message: Any, _ctx: MessageContext) -> None:
            nonlocal here
            here += 1
            assert here == 1
            if message.text == "first":
                await slow.wait()
            await asyncio.sleep(0)
            here -= 1
            done.append(message.text)

        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "worker", handle, "news")
            first = asyncio.create_task(runtime.send_message(Ask("first"), agent))
            await asyncio.sleep(0)
            await runtime.publish_message(Ask("second"), TopicId("news", "k"))
            third = asyncio.create_task(runtime.send_message(Ask("third"), agent))
            await asyncio.sleep(0)
            await runtime.publish_message(Ask("fourth"), TopicId("news", "k"))
            slow.set()
            await asyncio.gather(first, third)
            await runtime.stop_when_idle()
        assert done == ["first", "second", "third", "fourth"]

    async def test_f15_a_request_to_an_unknown_type_names_the_agent_and_the_types_known(
        self, make_runtime: MakeRuntime
    ) -> None:
        async with started(make_runtime()) as runtime:
            await add_agent(runtime, "known", answer)
            with pytest.raises(UndeliverableException, match=r"stranger/k.*known"):
                await runtime.send_message(Ask(), AgentId("stranger", "k"))

    async def test_f11_a_request_made_before_the_start_is_answered_once_started(
        self, make_runtime: MakeRuntime
    ) -> None:
        runtime = make_runtime()
        agent = await add_agent(runtime, "echo", answer)
        request = asyncio.create_task(runtime.send_message(Ask("early"), agent))
        await let_others_run()
        assert not request.done()
        async with started(runtime), asyncio.timeout(WAIT):
            assert await request == Answer("early")

    async def test_what_was_published_before_the_start_is_delivered_once_started(
        self, make_runtime: MakeRuntime
    ) -> None:
        door = Door()
        door.opened.set()
        runtime = make_runtime()
        await add_agent(runtime, "listener", door, "news")
        await runtime.publish_message(Ask(), TopicId("news", "k"))
        assert door.entries == 0
        async with started(runtime):
            await runtime.stop_when_idle()
        assert door.entries == 1

    async def test_messages_without_a_recipient_become_dead_letters(self, make_runtime: MakeRuntime) -> None:
        letters: list[DeadLetter] = []
        async with started(make_runtime(on_dead_letter=letters.append)) as runtime:
            await runtime.publish_message(Ask("anybody?"), TopicId("void", "k"))
            with pytest.raises(UndeliverableException):
                await runtime.send_message(Ask("you?"), AgentId("nobody", "k"))
            await runtime.stop_when_idle()
        assert [(letter.message.text, letter.topic_id, letter.recipient) for letter in letters] == [
            ("anybody?", TopicId("void", "k"), None),
            ("you?", None, AgentId("nobody", "k")),
        ]

    async def test_a_type_is_registered_once(self, make_runtime: MakeRuntime) -> None:
        runtime = make_runtime()
        await add_agent(runtime, "echo", answer)
        with pytest.raises(RegistrationError, match="echo"):
            await add_agent(runtime, "echo", answer)

    async def test_a_constructor_without_that_of_the_base_class_is_named(self, make_runtime: MakeRuntime) -> None:
        async with started(make_runtime()) as runtime:
            await WithoutBase.register(runtime, "bare", WithoutBase)
            with pytest.raises(RegistrationError, match=r"WithoutBase\.__init__ .*super\(\)\.__init__\("):
                await runtime.send_message(Ask(), AgentId("bare", "k"))
        with pytest.raises(RegistrationError, match=r"super\(\)\.__init__\("):
            WithoutBase().id  # noqa: B018 - reading it raises

    async def test_an_agent_in_the_place_of_its_factory_is_refused(self, make_runtime: MakeRuntime) -> None:
        runtime = make_runtime()
        agent: Any = Counter()
        with pytest.raises(RegistrationError, match=r"'count'.*function.*such as Counter.*register_instance"):
            await Counter.register(runtime, "count", agent)
        await Counter.register(runtime, "count", Counter)  # the refused one left nothing behind

    @pytest.mark.parametrize("agent_type", ["my agent!", "", "a/b"])
    async def test_a_type_that_no_id_can_have_is_refused(self, make_runtime: MakeRuntime, agent_type: str) -> None:
        with pytest.raises(RegistrationError, match=r"letters, digits, '_', '-' and '\.'.*No AgentId"):
            await Counter.register(make_runtime(), agent_type, Counter)

    @pytest.mark.parametrize(
        ("made", "text"), [(Counter, r"class Counter.*Counter\(\)"), (None, "None.*return"), ("agent", "not an agent")]
    )
    async def test_a_factory_has_to_return_an_agent(self, make_runtime: MakeRuntime, made: Any, text: str) -> None:
        async with started(make_runtime()) as runtime:
            await Counter.register(runtime, "typed", lambda: made)
            await runtime.register_factory("untyped", lambda: made)
            for agent_type in ("typed", "untyped"):
                with pytest.raises(RegistrationError, match=f"'{agent_type}' returned.*{text}"):
                    await runtime.send_message(Ask(), AgentId(agent_type, "k"))
            with pytest.raises(RegistrationError, match=r"register_agent_instance was given .*not an agent"):
                await runtime.register_agent_instance(made, AgentId("instance", "k"))

    async def test_a_subscription_is_added_once(self, make_runtime: MakeRuntime) -> None:
        runtime = make_runtime()
        await runtime.add_subscription(TypeSubscription("news", "echo"))
        with pytest.raises(RegistrationError, match="news"):
            await runtime.add_subscription(TypeSubscription("news", "echo"))

    async def test_an_instance_takes_its_place_under_its_id(self, make_runtime: MakeRuntime) -> None:
        counter = Counter()
        async with started(make_runtime()) as runtime:
            await counter.register_instance(runtime, AgentId("counter", "k"))
            await runtime.send_message(Ask(), AgentId("counter", "k"))
            with pytest.raises(RegistrationError, match="keys registered are: k"):
                await runtime.send_message(Ask(), AgentId("counter", "other"))
        assert counter.count == 1

    async def test_the_state_of_every_agent_can_be_saved_and_loaded(self, make_runtime: MakeRuntime) -> None:
        async with started(make_runtime()) as runtime:
            await Counter.register(runtime, "counter", Counter)
            for key in ("a", "a", "b"):
                await runtime.send_message(Ask(), AgentId("counter", key))
            saved = await runtime.save_state()
        async with started(make_runtime()) as fresh:
            await Counter.register(fresh, "counter", Counter)
            await fresh.load_state(saved)
            assert await fresh.send_message(Ask(), AgentId("counter", "a")) == 3
            assert await fresh.agent_save_state(AgentId("counter", "b")) == {"count": 1}

    async def test_d22_states_are_saved_and_loaded_between_two_messages(self, make_runtime: MakeRuntime) -> None:
        class Pair(Counter):
            """Two halves that are equal between two messages."""

            def __init__(self) -> None:
                super().__init__()
                self.other = 0

            async def on_message_impl(self, message: Any, ctx: MessageContext) -> int:
                self.count += 1
                half.set()
                await go_on.wait()
                self.other += 1
                return self.other

            async def save_state(self) -> dict[str, Any]:
                return {"count": self.count, "other": self.other}

            async def load_state(self, state: Any) -> None:
                self.count, self.other = state["count"], state["other"]

        half, go_on = asyncio.Event(), asyncio.Event()
        async with started(make_runtime()) as runtime:
            await Pair.register(runtime, "pair", Pair)
            agents = [AgentId("pair", key) for key in "ab"]
            requests = [asyncio.create_task(runtime.send_message(Ask(), agent)) for agent in agents]
            await half.wait()
            saving = asyncio.create_task(runtime.save_state())
            loading = asyncio.create_task(runtime.load_state({"pair/a": {"count": 5, "other": 5}}))
            await let_others_run()
            requests += [asyncio.create_task(runtime.send_message(Ask(), agent)) for agent in agents]
            go_on.set()
            assert await saving == {f"pair/{key}": {"count": 1, "other": 1} for key in "ab"}
            await loading
            assert await asyncio.gather(*requests) == [1, 1, 6, 2]

    async def test_d22_a_handler_can_save_the_state_of_its_runtime(self, make_runtime: MakeRuntime) -> None:
        runtime = make_runtime()

        class Saver(Counter):
            async def on_message_impl(self, message: Any, ctx: MessageContext) -> Any:
                await super().on_message_impl(message, ctx)
                return await runtime.save_state()

        async with started(runtime):
            await Saver.register(runtime, "saver", Saver)
            assert await runtime.send_message(Ask(), AgentId("saver", "k")) == {"saver/k": {"count": 1}}

    async def test_d22_the_state_of_one_agent_is_saved_and_loaded_between_two_messages(
        self, make_runtime: MakeRuntime
    ) -> None:
        half, go_on = asyncio.Event(), asyncio.Event()

        class Slow(Counter):
            async def on_message_impl(self, message: Any, ctx: MessageContext) -> int:
                half.set()
                await go_on.wait()
                return await super().on_message_impl(message, ctx)

        async with started(make_runtime()) as runtime:
            await Slow.register(runtime, "slow", Slow)
            agent = AgentId("slow", "k")
            request = asyncio.create_task(runtime.send_message(Ask(), agent))
            await half.wait()
            saving = asyncio.create_task(runtime.agent_save_state(agent))
            loading = asyncio.create_task(runtime.agent_load_state(agent, {"count": 5}))
            await let_others_run()
            later = asyncio.create_task(runtime.send_message(Ask(), agent))
            go_on.set()
            assert await saving == {"count": 1}
            await loading
            assert (await request, await later) == (1, 6)

    async def test_what_is_no_agent_id_or_topic_is_refused(self, make_runtime: MakeRuntime) -> None:
        name: Any = "echo"  # Any: of the wrong type
        async with started(make_runtime()) as runtime:
            with pytest.raises(ArgumentTypeError, match="A recipient is an AgentId"):
                await runtime.send_message(Ask("x"), name)
            with pytest.raises(ArgumentTypeError, match="A topic is a TopicId"):
                await runtime.publish_message(Ask("x"), name)
