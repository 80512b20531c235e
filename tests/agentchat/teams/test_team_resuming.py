"""A team that is saved in the middle of a run goes on where it was; loading a state is all or nothing."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextvars import Context
from functools import partial
from typing import Any, cast

import pytest
from tests.support.agents import let_others_run
from tests.support.chat_agents import ABLE, says
from tests.support.team_log import Log
from tests.support.team_members import Member, Script, lines, pair

from symposia.agentchat.base import Response, TaskResult, TerminationCondition
from symposia.agentchat.conditions import (
    ExternalTermination,
    FunctionalTermination,
    MaxMessageTermination,
    TextMentionTermination,
    TimeoutTermination,
    TokenUsageTermination,
)
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, StopMessage
from symposia.agentchat.teams import (
    BaseGroupChat,
    DecisionMade,
    DiGraphBuilder,
    GraphFlow,
    GroupChat,
    RoundRobinGroupChat,
    RunEnded,
    SelectorGroupChat,
    Speak,
    Stop,
    TeamLogEntry,
    fold_log,
)
from symposia.core import AgentRuntime, CancellationToken
from symposia.core.exceptions import InvalidArgumentError
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.testing.simulation import simulate

Where = AgentRuntime | None
State = Mapping[str, Any]
NEVER = 30.0


async def saved_after(team: RoundRobinGroupChat, messages: int, *, task: str = "go") -> State:
    """The state of a team that is saved, as JSON, when it has shown that many messages; then the run is cancelled."""
    stream = team.run_stream(task=task)
    async with asyncio.timeout(NEVER):
        for _ in range(messages):
            await anext(stream)
        await let_others_run()  # until the next speaker is at its turn
        state = json.loads(json.dumps(await team.save_state()))
    await stream.aclose()
    return state


def team_of(*turns: str | asyncio.Event, condition: TerminationCondition, runtime: Where = None) -> RoundRobinGroupChat:
    """Of ann, who does this in her turns, and bob."""
    return RoundRobinGroupChat([Member("ann", *turns), Member("bob")], termination_condition=condition, runtime=runtime)


async def test_r01_a_limit_of_six_messages_saved_after_three_gives_three_more(runtime: Where) -> None:
    team = team_of("1", asyncio.Event(), condition=MaxMessageTermination(6), runtime=runtime)
    state = await saved_after(team, 3)
    other = team_of("2", condition=MaxMessageTermination(6), runtime=runtime)
    await other.load_state(state)
    result = await other.run()

    assert len(result.messages) == 3
    assert result.stop_reason == "Maximum number of messages 6 reached, current message count: 6"
    assert len((await other.run(task="on")).messages) == 6  # the next run has the whole limit again


async def test_r01_a_state_between_two_runs_holds_no_condition() -> None:
    team = team_of(condition=MaxMessageTermination(3))
    await team.run(task="go")
    other = team_of(condition=TextMentionTermination("hello"))
    await other.load_state(await team.save_state())

    assert len((await other.run()).messages) == 1


async def test_r01_the_number_of_turns_is_saved_and_goes_on(runtime: Where) -> None:
    team = team_of("1", asyncio.Event(), condition=MaxMessageTermination(99), runtime=runtime)
    state = await saved_after(team, 3)

    assert state["agent_states"]["RoundRobinGroupChatManager"]["progress"]["turns"] == 2
    other = RoundRobinGroupChat([Member("ann"), Member("bob")], runtime=runtime, max_turns=3)
    await other.load_state(state)
    assert len((await other.run()).messages) == 1
    progress = (await other.save_state())["agent_states"]["RoundRobinGroupChatManager"]["progress"]
    assert progress["turns"] == 3


def never(messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> bool:
    return messages[-1].source == "eve"


def combined() -> TerminationCondition:
    either = TextMentionTermination("1") & MaxMessageTermination(5)
    return either | TokenUsageTermination(10_000) | ExternalTermination() | FunctionalTermination(never)


async def test_r01_combined_conditions_go_on_where_each_of_them_was() -> None:
    team = team_of("1", asyncio.Event(), condition=combined())
    state = await saved_after(team, 3)
    other = team_of("2", condition=combined())
    await other.load_state(state)
    result = await other.run()

    assert result.stop_reason == ("Text '1' mentioned, Maximum number of messages 5 reached, current message count: 5")
    assert len(result.messages) == 2


async def test_r01_loading_and_saving_in_the_middle_of_a_run_gives_the_same_state() -> None:
    state = await saved_after(team_of("1", asyncio.Event(), condition=combined()), 3)
    other = team_of("2", condition=combined())
    await other.load_state(state)

    assert json.loads(json.dumps(await other.save_state())) == state


async def test_r01_a_condition_of_ones_own_without_a_state_begins_anew() -> None:
    class Third(TerminationCondition):
        def __init__(self) -> None:
            self._seen = 0

        @property
        def terminated(self) -> bool:
            return self._seen >= 3

        async def __call__(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> StopMessage | None:
            self._seen += len(messages)
            return StopMessage(content="third", source="third") if self.terminated else None

        async def reset(self) -> None:
            self._seen = 0

    team = team_of("1", asyncio.Event(), condition=Third())
    state = await saved_after(team, 2)
    other = team_of("2", condition=Third())
    await other.load_state(state)

    assert len((await other.run()).messages) == 3


async def test_r01_another_condition_in_the_middle_of_a_run_is_named_and_nothing_changes() -> None:
    state = await saved_after(team_of("1", asyncio.Event(), condition=MaxMessageTermination(6)), 3)
    other = team_of(condition=TextMentionTermination("x"))
    before = await other.save_state()

    with pytest.raises(InvalidArgumentError, match="MaxMessageTermination ends, and this team has a TextMention"):
        await other.load_state(state)
    assert await other.save_state() == before


def test_r01_the_time_in_which_no_process_had_the_run_does_not_count() -> None:
    async def play() -> TaskResult:
        loop = asyncio.get_running_loop()
        team = team_of(asyncio.Event(), condition=TimeoutTermination(5))
        run = asyncio.create_task(team.run(task="go"))
        await asyncio.sleep(3)
        state = await team.save_state()
        run.cancel()
        other = team_of(asyncio.Event(), condition=TimeoutTermination(5))
        await other.load_state(state)
        await asyncio.sleep(1000)
        started = loop.time()
        result = await other.run()
        assert loop.time() - started == pytest.approx(2)
        return result

    simulate(play)


async def test_a_team_saved_by_its_own_condition_does_not_wait_for_itself() -> None:
    states: list[State] = []

    async def save(_: Sequence[BaseAgentEvent | BaseChatMessage]) -> bool:
        states.append(await team.save_state())
        return False

    team = team_of(condition=FunctionalTermination(save) | MaxMessageTermination(3))
    async with asyncio.timeout(NEVER):
        await team.run(task="go")

    assert [len(state["agent_states"]["RoundRobinGroupChatManager"]["message_thread"]) for state in states] == [1, 2, 3]


async def test_a_team_saved_by_its_own_condition_in_another_task_does_not_wait_for_itself() -> None:
    saved: list[State] = []

    async def save(_: Sequence[BaseAgentEvent | BaseChatMessage]) -> bool:
        saved.extend(await asyncio.gather(team.save_state(), asyncio.create_task(team.save_state())))
        return False

    team = team_of(condition=FunctionalTermination(save) | MaxMessageTermination(2))
    async with asyncio.timeout(NEVER):
        await team.run(task="go")

    assert len(saved) == 4


class Keeper(Member):
    """Has a state, of which it loads a part before it notices that the rest is wrong."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.parts = {"first": 0, "second": 0}

    async def save_state(self) -> State:
        return dict(self.parts)

    async def load_state(self, state: State) -> None:
        self.parts["first"] = state["first"]
        if state["second"] == "wrong":
            raise ValueError("wrong state")
        self.parts["second"] = state["second"]


def nested() -> tuple[RoundRobinGroupChat, dict[str, Keeper]]:
    keepers = {name: Keeper(name) for name in ("ann", "bob", "cid", "dan")}
    condition = MaxMessageTermination(9)
    inner = RoundRobinGroupChat([keepers["bob"], keepers["cid"]], name="inner", termination_condition=condition)
    return RoundRobinGroupChat([keepers["ann"], inner, keepers["dan"]], max_turns=4), keepers


INNER = "inner/agent_state/agent_states"
MANAGER = "RoundRobinGroupChatManager"
STUCK = {"running": True, "condition": {"condition": "MaxMessageTermination", "state": {"count": "x"}}}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("ann/agent_state/second", "wrong"),
        ("dan/agent_state/second", "wrong"),
        (f"{INNER}/bob/agent_state/second", "wrong"),
        (f"{INNER}/cid/agent_state/second", "wrong"),
        (f"{INNER}/{MANAGER}/next_speaker_index", "first"),
        (f"{INNER}/{MANAGER}/message_thread", [{"type": "Unheard"}]),
        (f"{INNER}/{MANAGER}/progress", STUCK),
        (f"{MANAGER}/progress", {"turns": "many"}),
    ],
)
async def test_d08_a_state_that_cannot_be_loaded_leaves_everything_as_it_was(path: str, value: object) -> None:
    team, keepers = nested()
    other, _ = nested()
    for keeper in keepers.values():
        keeper.parts = {"first": 1, "second": 1}
    await team.run(task="mine")
    before = json.loads(json.dumps(await team.save_state()))
    state = json.loads(json.dumps(await other.save_state()))
    *folders, last = path.split("/")
    place = state["agent_states"]
    for folder in folders:
        place = place[folder]
    place[last] = value

    with pytest.raises(Exception, match=r"wrong state|validation error|Unknown message type"):
        await team.load_state(state)
    assert json.loads(json.dumps(await team.save_state())) == before
    assert [keeper.parts for keeper in keepers.values()] == 4 * [{"first": 1, "second": 1}]


def met(*members: str) -> dict[str, Any]:
    """The progress of a run that is under way and over."""
    states = [{"condition": name, "state": {"terminated": index == 1}} for index, name in enumerate(members)]
    return {"running": True, "condition": {"condition": "OrTerminationCondition", "state": {"members": states}}}


async def test_a_run_that_is_under_way_and_over_is_refused_and_nothing_changes() -> None:
    either = TextMentionTermination("x") | MaxMessageTermination(3)
    team = RoundRobinGroupChat([Keeper("ann"), Keeper("bob")], termination_condition=either)
    await team.run(task="mine")
    before = json.loads(json.dumps(await team.save_state()))
    state = json.loads(json.dumps(before))
    state["agent_states"][MANAGER]["progress"] = met("TextMentionTermination", "MaxMessageTermination")

    with pytest.raises(InvalidArgumentError, match=r"progress\.running .* terminated in progress\.condition, of a Or"):
        await team.load_state(state)
    assert json.loads(json.dumps(await team.save_state())) == before
    assert len((await team.run(task="on")).messages) == 3


@pytest.mark.parametrize("given", ['{"agent_states": {}}', b"{}"])
async def test_json_text_is_no_state_and_the_error_says_what_to_pass(given: Any) -> None:  # Any: what is wrong
    with pytest.raises(TypeError, match=r"JSON text: pass json\.loads\(text\)"):
        await pair().load_state(given)


async def test_a_state_that_is_no_mapping_is_shown_in_the_error() -> None:
    with pytest.raises(TypeError, match=r"the team 'RoundRobinGroupChat' has to be a mapping.*\[1\]"):
        await pair().load_state(cast("Any", [1]))


async def test_d08_a_participant_that_cannot_be_put_back_is_named_on_the_error() -> None:
    class Stubborn(Keeper):
        async def load_state(self, state: State) -> None:
            raise ValueError(f"never {state}")

    team = RoundRobinGroupChat([Stubborn("ann"), Keeper("bob")])

    with pytest.raises(ValueError, match="never") as caught:
        await team.load_state(await team.save_state())
    assert "'ann' from before could not be put back" in caught.value.__notes__[0]


async def test_a_saved_selector_team_counts_the_tokens_of_its_choice_after_loading() -> None:
    def team(*turns: asyncio.Event) -> SelectorGroupChat:
        members = [Member("ann", *turns), Member("bob", *turns)]
        client = ReplayChatCompletionClient([says("ann"), says("bob")], model_info=ABLE)
        return SelectorGroupChat(members, client, termination_condition=TokenUsageTermination(5))

    first = team(asyncio.Event())
    run = asyncio.create_task(first.run(task="go"))
    await let_others_run()
    state = await first.save_state()
    run.cancel()
    other = team()
    await other.load_state(state)
    result = await other.run()

    assert lines(result.messages) == []
    assert str(result.stop_reason).startswith("Token usage limit reached, total token count: 5")


class SavesAround(FunctionalTermination):
    """Saves a team while it looks at messages, in some way, and takes its time."""

    def __init__(self, save: Callable[[], Awaitable[State]]) -> None:
        super().__init__(self.look_and_save)
        self.save = save
        self.states: list[State] = []

    async def look_and_save(self, _: Sequence[BaseAgentEvent | BaseChatMessage]) -> bool:
        self.states.append(await self.save())
        return False


async def saved_in_a_context_of_its_own(team: BaseGroupChat) -> State:
    return await asyncio.get_running_loop().create_task(team.save_state(), context=Context())


async def test_a_condition_saves_its_team_in_a_task_whose_context_says_nothing(runtime: Where) -> None:
    condition = SavesAround(lambda: saved_in_a_context_of_its_own(team))
    team = pair(termination_condition=condition, max_turns=2, runtime=runtime)
    async with asyncio.timeout(NEVER):
        await team.run(task="go")

    assert len(condition.states) == 3


async def test_the_condition_of_a_nested_team_saves_the_team_around_it(runtime: Where) -> None:
    async def save() -> State:
        return await outer.save_state()

    condition = SavesAround(save)
    inner = pair(termination_condition=condition, max_turns=2, runtime=runtime, name="inner")
    outer = RoundRobinGroupChat([inner, Member("cid")], max_turns=2, runtime=runtime)
    async with asyncio.timeout(NEVER):
        result = await outer.run(task="go")
    assert lines(result.messages) == ["user: go", "ann: hello", "bob: hello", "cid: hello"]
    assert len(condition.states) == 3
    for state in condition.states:
        again = pair(termination_condition=SavesAround(save), max_turns=2, name="inner")
        resumed = RoundRobinGroupChat([again, Member("cid")], max_turns=2)
        await resumed.load_state(state)
        await resumed.run()
        assert lines(resumed.transcript) == lines(result.messages)


async def test_a_team_that_is_saved_while_its_condition_looks_shows_the_messages_to_the_next_one(
    runtime: Where,
) -> None:
    """The condition had counted them, and waits then; what it counted is not in the state, where they are unseen."""

    class Waits(MaxMessageTermination):
        async def __call__(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> StopMessage | None:
            stop = await super().__call__(messages)
            if messages[-1].source == "bob" and not may_answer.is_set():
                looking.set()
                await may_answer.wait()
            return stop

    looking, may_answer = asyncio.Event(), asyncio.Event()
    for limit in (3, 4, 5):
        looking.clear()
        may_answer.clear()
        team = pair(termination_condition=Waits(limit), runtime=runtime)
        run = asyncio.create_task(team.run(task="go"))
        await looking.wait()
        state = await team.save_state()
        may_answer.set()
        whole = await run
        resumed = pair(termination_condition=Waits(limit), runtime=runtime)
        await resumed.load_state(state)
        rest = await resumed.run()

        assert lines(resumed.transcript) == lines(whole.messages)
        assert rest.stop_reason == whole.stop_reason


async def test_a_team_that_is_saved_while_its_condition_looks_at_the_task_shows_it_to_the_next_one(
    runtime: Where,
) -> None:
    looking, may_answer = asyncio.Event(), asyncio.Event()

    async def waits(_messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> bool:
        looking.set()
        await may_answer.wait()
        return False

    def limited() -> TerminationCondition:
        return MaxMessageTermination(4) | FunctionalTermination(waits)

    team = pair(termination_condition=limited(), runtime=runtime)
    run = asyncio.create_task(team.run(task="go"))
    await looking.wait()
    state = json.loads(json.dumps(await team.save_state()))
    may_answer.set()
    await run
    resumed = pair(termination_condition=limited(), runtime=runtime)
    await resumed.load_state(state)
    assert await resumed.save_state() == state
    await resumed.run()

    assert lines(resumed.transcript) == lines(team.transcript)


async def test_a_turn_that_was_saved_with_some_answers_keeps_its_number(runtime: Where) -> None:
    """What a journal has recorded under the number belongs to that turn alone."""

    def speakers(bob: asyncio.Event | str) -> GroupChat:
        together = Speak(("ann", "bob"))
        return GroupChat(
            [Member("ann"), Member("bob", bob)], rule=Script(together, together), max_turns=1, runtime=runtime
        )

    class Numbers:
        def __init__(self) -> None:
            self.turns: list[int] = []

        async def write(self, entry: TeamLogEntry, /) -> None:
            if isinstance(entry, DecisionMade):
                self.turns.append(entry.turn)

    numbers = Numbers()
    team = speakers(asyncio.Event())
    run = asyncio.create_task(team.run(task="go"))
    await let_others_run()
    state = json.loads(json.dumps(await team.save_state()))
    run.cancel()
    await asyncio.wait([run])
    resumed = speakers("hello")
    await resumed.load_state(state)
    async with resumed.log_to(numbers):
        await resumed.run()

    assert lines(resumed.transcript) == ["user: go", "ann: hello", "ann: hello", "bob: hello"]
    assert numbers.turns == [2]


def ended_by_a_condition(messages: int) -> BaseGroupChat:
    return team_of(condition=MaxMessageTermination(messages))


def ended_by_its_rule() -> BaseGroupChat:
    return GroupChat([Member("ann")], rule=Script(*[Speak(("ann",)), Stop("")] * 2))


def ended_by_time() -> BaseGroupChat:
    return RoundRobinGroupChat([Member("ann", asyncio.Event())], turn_timeout=0.001)


def ended_by_its_graph() -> BaseGroupChat:
    members = [Member(name) for name in "abc"]
    graph = DiGraphBuilder()
    for member in members:
        graph.add_node(member)
    graph.add_edge(members[0], members[1]).add_edge(members[0], members[2])
    return GraphFlow(graph.get_participants(), graph.build())


ENDS: Mapping[str, Callable[[], BaseGroupChat]] = {
    "condition": partial(ended_by_a_condition, 2),
    "condition at the task": partial(ended_by_a_condition, 1),
    "number of turns": lambda: pair(max_turns=2),
    "rule": ended_by_its_rule,
    "graph": ended_by_its_graph,
    "time": ended_by_time,
}


@pytest.mark.parametrize("make", ENDS.values(), ids=ENDS)
async def test_a_run_whose_end_was_decided_but_not_logged_ends_when_it_is_continued(
    make: Callable[[], BaseGroupChat],
) -> None:
    team, log = make(), Log()
    async with team.log_to(log):
        result = await team.run(task="go")
    assert isinstance(log.entries[-1], RunEnded)
    cut = json.loads(json.dumps(fold_log(log.entries[:-1])))

    other = make()
    await other.load_state(cut)
    assert await other.save_state() == cut
    continued = await other.run()
    assert (continued.messages, continued.stop_reason) == ([], result.stop_reason)
    assert await other.save_state() == await team.save_state()  # the same turns, and no run more

    third = make()
    await third.load_state(cut)
    again = await third.run(task="go")  # another task is another run
    assert lines(again.messages) == lines((await team.run(task="go")).messages)


class SavesWhenCancelled(Member):
    """Saves its team when it is cancelled.

    Attributes:
        team: The team.
        saved: Its states.
    """

    team: BaseGroupChat

    def __init__(self, name: str) -> None:
        super().__init__(name, asyncio.Event())
        self.saved: list[State] = []

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        try:
            async for item in super().on_messages_stream(messages, cancellation_token):
                yield item
        except asyncio.CancelledError:
            self.saved.append(await self.team.save_state())
            raise


async def test_a_team_that_is_saved_while_its_time_is_over_and_its_turn_is_not_can_be_loaded() -> None:
    ann = SavesWhenCancelled("ann")
    ann.team = team = RoundRobinGroupChat([ann], termination_condition=TimeoutTermination(0.001))
    result = await team.run(task="go")
    (state,) = ann.saved

    await team.load_state(json.loads(json.dumps(state)))
    assert (await team.run()).stop_reason == result.stop_reason == "Timeout of 0.001 seconds reached"
