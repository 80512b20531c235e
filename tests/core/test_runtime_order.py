"""Whatever is sent and published in whatever order: settled once, in order, one at a time."""

import asyncio
from collections import defaultdict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.agents import WAIT, add_agent

from symposia.core import AgentId, ClosureContext, MessageContext, SingleThreadedAgentRuntime, TopicId
from symposia.core.exceptions import SymposiaError

AGENTS = ("a", "b", "c")
MESSAGES = st.lists(
    st.tuples(
        st.sampled_from(["send", "publish", "send and cancel"]),
        st.sampled_from(AGENTS),
        st.integers(0, 3),  # how often its handler lets others run
        st.booleans(),  # whether its handler raises
        st.integers(0, 2),  # how often the sender lets others run before the next
    ),
    max_size=30,
)


class Recorder:
    """Handles messages, and records their results."""

    def __init__(self) -> None:
        self.begun: dict[str, list[int]] = defaultdict(list)
        self.here: dict[str, int] = defaultdict(int)

    async def __call__(self, agent: ClosureContext, message: Any, _ctx: MessageContext) -> int:
        number, pauses, fails = message
        name = agent.id.type
        self.begun[name].append(number)
        assert self.here[name] == 0, "two handlers of one agent at once"
        self.here[name] += 1
        try:
            for _ in range(pauses):
                await asyncio.sleep(0)
            if fails:
                raise ValueError(number)
            return number
        finally:
            self.here[name] -= 1


@settings(max_examples=150, deadline=None)
@given(messages=MESSAGES)
def test_every_message_is_settled_once_in_order_and_one_at_a_time(
    messages: list[tuple[str, str, int, bool, int]],
) -> None:
    asyncio.run(_play(messages))


async def _play(messages: list[tuple[str, str, int, bool, int]]) -> None:
    runtime = SingleThreadedAgentRuntime()
    recorder = Recorder()
    for name in AGENTS:
        await add_agent(runtime, name, recorder, name)
    runtime.start()
    requests: dict[int, asyncio.Task[Any]] = {}
    published: dict[int, bool] = {}
    cancelled: set[int] = set()
    async with asyncio.timeout(WAIT):
        for number, (how, name, pauses, fails, rest) in enumerate(messages):
            body = (number, pauses, fails)
            if how == "publish":
                await runtime.publish_message(body, TopicId(name, "k"))
                published[number] = fails
            else:
                requests[number] = asyncio.create_task(runtime.send_message(body, AgentId(name, "k")))
                await asyncio.sleep(0)  # a request is accepted when its task first runs
            if how == "send and cancel" and requests[number].cancel():
                cancelled.add(number)
            for _ in range(rest):
                await asyncio.sleep(0)
        failures = await _idle(runtime)
        outcomes = dict(zip(requests, await asyncio.gather(*requests.values(), return_exceptions=True), strict=True))

    for begun in recorder.begun.values():
        assert begun == sorted(begun), "first in, first out"
        assert len(begun) == len(set(begun)), "once"
    everything = {number for begun in recorder.begun.values() for number in begun}
    assert everything | cancelled == set(range(len(messages)))
    assert sorted(failures) == [n for n, fails in published.items() if fails]
    for number, outcome in outcomes.items():
        fails = messages[number][3]
        if isinstance(outcome, asyncio.CancelledError):
            assert number in cancelled
        else:
            assert isinstance(outcome, ValueError) if fails else outcome == number
            assert not isinstance(outcome, SymposiaError)


async def _idle(runtime: SingleThreadedAgentRuntime) -> list[int]:
    """The numbers of the messages whose publish handlers failed: of the error raised, and of its notes."""
    try:
        await runtime.stop_when_idle()
    except ValueError as error:
        others = getattr(error, "__notes__", [])
        return [int(text.rpartition(" ")[2]) for text in (str(error), *others)]
    return []
