"""A team that is saved or cancelled at any tick of the event loop keeps its promises."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from tests.support.team_members import Member, lines

from symposia.agentchat.base import Response
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, TextMessage
from symposia.agentchat.teams import BaseGroupChat, RoundRobinGroupChat, TeamLogEntry, fold_log
from symposia.core import AgentRuntime

Where = AgentRuntime | None
State = Mapping[str, Any]


class Counter(Member):
    """Numbers its answers, and waits some ticks whatever it does."""

    def __init__(self, name: str, *, ticks: int = 0) -> None:
        super().__init__(name)
        self.count = 0
        self.given: list[str] = []
        self._ticks = ticks

    async def _wait(self) -> None:
        for _ in range(self._ticks):
            await asyncio.sleep(0)

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: Any
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        await self._wait()
        self.given += [message.to_text() for message in messages]
        self.count += 1
        yield Response(chat_message=TextMessage(content=f"{self.name}{self.count}", source=self.name))

    async def on_reset(self, cancellation_token: Any) -> None:
        await self._wait()
        self.count, self.given = 0, []

    async def save_state(self) -> State:
        await self._wait()
        return {"count": self.count, "given": list(self.given)}

    async def load_state(self, state: State) -> None:
        await self._wait()
        self.count = state["count"]
        await self._wait()
        self.given = list(state["given"])


def counters(runtime: Where, *, ticks: int = 3, max_turns: int = 4) -> RoundRobinGroupChat:
    members = [Counter("ann", ticks=ticks), Counter("bob", ticks=ticks - 1)]
    return RoundRobinGroupChat(members, max_turns=max_turns, runtime=runtime)


async def ticks(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def settled(team: BaseGroupChat) -> State:
    return json.loads(json.dumps(await team.save_state()))


def is_running(state: State) -> bool:
    return bool(state["agent_states"]["RoundRobinGroupChatManager"].get("progress", {}).get("running"))


async def test_a_team_saved_at_any_tick_and_resumed_has_the_transcript_that_it_would_have_had(runtime: Where) -> None:
    saved = 0
    for tick in range(1, 500):
        team = counters(runtime)
        run = asyncio.create_task(team.run(task="go"))
        await ticks(tick)
        if run.done():
            break
        state = await settled(team)
        await run
        if not is_running(state):
            continue
        saved += 1
        other = counters(runtime)
        await other.load_state(state)
        await other.run()
        assert lines(other.transcript) == lines(team.transcript), f"saved at tick {tick}"
    assert run.done()
    assert saved > 5


async def test_a_team_resumed_from_any_entry_of_its_log_takes_no_more_turns_than_the_maximum(runtime: Where) -> None:
    class Listener:
        def __init__(self) -> None:
            self.entries: list[TeamLogEntry] = []
            self.states: list[State] = []

        async def write(self, entry: TeamLogEntry) -> None:
            self.entries.append(entry)
            self.states.append(fold_log(self.entries))

    listener = Listener()
    team = counters(runtime)
    async with team.log_to(listener):
        await team.run(task="go")
    running = [state for state in listener.states if is_running(state)]

    assert len(running) >= 5
    for state in running:
        other = counters(runtime)
        await other.load_state(state)
        result = await other.run()
        assert lines(other.transcript) == lines(team.transcript)
        assert result.stop_reason == "Maximum number of turns 4 reached."
