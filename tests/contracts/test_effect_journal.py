"""What a journal needs of effects: a program that is recorded, killed anywhere and run again does nothing twice.

Each program runs in a world, which is what lies outside of it and outlives it. It is run once to its end; then it is
killed at each of the journal's writes, and run again from its beginning with what the journal holds.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias, cast

import pytest
from tests.support.chat_agents import ABLE, asks_for, says
from tests.support.journal import Crash, Journal
from tests.support.magentic_one import leads
from tests.support.sandboxes import require

from symposia.agentchat.agents import (
    AssistantAgent,
    CodeExecutorAgent,
    GuardedAgent,
    SocietyOfMindAgent,
    UserProxyAgent,
)
from symposia.agentchat.base import ChatAgent, TaskResult, Team
from symposia.agentchat.conditions import MaxMessageTermination, TextMentionTermination
from symposia.agentchat.guardrails import Change, FunctionGuardrail, ModelGuardrail, PersonApproval
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, ModelClientStreamingChunkEvent, TextMessage
from symposia.agentchat.skills import SkillWorkbench
from symposia.agentchat.teams import (
    DebateGroupChat,
    DiGraphBuilder,
    GraphFlow,
    GroupChat,
    MagenticOneGroupChat,
    RoundRobinGroupChat,
    SelectorGroupChat,
    Speak,
    Stop,
    TeamRule,
)
from symposia.agentchat.tools import AgentTool, TeamTool
from symposia.core import CancellationToken
from symposia.core.code_executor import CodeBlock, CommandLineCodeResult
from symposia.core.effects import HumanAnswer, HumanQuestion, current_effect, handle_effects
from symposia.core.memory import ListMemory, MemoryContent, MemoryQueryResult, UpdateContextResult
from symposia.core.model_context import ChatCompletionContext
from symposia.core.models import CreateResult, FunctionExecutionResultMessage, LLMMessage, UserMessage
from symposia.core.tools import ApprovedWorkbench, FunctionTool, StaticWorkbench, ToolApprovalRequest, ToolResult
from symposia.ext.code_executors.namespaces import NamespaceBackend, NamespaceCommandLineCodeExecutor
from symposia.ext.experimental.task_centric_memory import MemoryBank, MemoryController
from symposia.ext.experimental.task_centric_memory.utils import Teachability
from symposia.ext.models.replay import ReplayChatCompletionClient


@dataclass
class World:
    """What lies outside of a program.

    Attributes:
        done: The ids of the effects that really happened.
        timing: Draws how long each effect takes.
    """

    done: list[str] = field(default_factory=list[str])
    timing: random.Random = field(default_factory=lambda: random.Random(0))

    async def do(self) -> None:
        """Let an effect happen, and take its time."""
        effect = current_effect()
        if effect is not None:
            self.done.append(effect.id)
        for _ in range(self.timing.randrange(5)):
            await asyncio.sleep(0)

    def model(self, answer: Callable[[Sequence[LLMMessage]], str | CreateResult]) -> ReplayChatCompletionClient:
        """A model whose answers depend on what it is shown alone."""

        async def respond(messages: Sequence[LLMMessage]) -> str | CreateResult:
            await self.do()
            return answer(messages)

        return ReplayChatCompletionClient(respond, model_info=ABLE)

    def echo(self, name: str) -> ReplayChatCompletionClient:
        """A model that says its name, and how many messages it was shown."""
        return self.model(lambda messages: f"{name} read {len(messages)}")

    def tool(self, name: str, *, fails: bool = False) -> FunctionTool:
        async def look_up(word: str) -> str:
            await self.do()
            if fails:
                raise ValueError(f"{word} is unknown")
            return f"{name} of {word}"

        return FunctionTool(look_up, "Look a word up.", name=name)


Transcript: TypeAlias = list[tuple[str, str, str]]
Program: TypeAlias = Callable[[World], Awaitable[Transcript]]


def transcript(result: TaskResult) -> Transcript:
    """The messages, without their ids and times, which are new in each run."""
    return [(type(message).__name__, message.source, message.to_text()) for message in result.messages]


def calls_then_words(*names: str) -> Callable[[Sequence[LLMMessage]], CreateResult]:
    """Answers with a call of each tool, and then with what they gave."""

    def answer(messages: Sequence[LLMMessage]) -> CreateResult:
        last = messages[-1]
        if isinstance(last, FunctionExecutionResultMessage):
            return says(" and ".join(result.content for result in last.content))
        return asks_for(*((name, '{"word": "tea"}') for name in names))

    return answer


async def parallel_tool_calls(world: World) -> Transcript:
    tools = [world.tool("price"), world.tool("origin"), world.tool("taste")]
    names = ["price", "origin", "price", "taste"]
    agent = AssistantAgent("buyer", world.model(calls_then_words(*names)), tools=tools, reflect_on_tool_use=True)
    return transcript(await agent.run(task="Tea?"))


class EveryoneTwice(TeamRule):
    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._turns = 0

    async def decide(self, transcript: object, context: object, /) -> Speak | Stop:
        self._turns += 1
        return Speak(self._names) if self._turns <= 2 else Stop("all have spoken twice")

    def save_state(self) -> dict[str, int]:
        return {"turns_taken": self._turns}

    def load_state(self, state: dict[str, int], /) -> None:  # type: ignore[override]  # the state is its own
        self._turns = state["turns_taken"]

    def reset(self) -> None:
        self._turns = 0


async def parallel_speakers(world: World) -> Transcript:
    names = ["ann", "bob", "cleo"]
    team = GroupChat([AssistantAgent(name, world.echo(name)) for name in names], rule=EveryoneTwice(names))
    return transcript(await team.run(task="Speak."))


async def nested_teams_with_agents_of_one_name(world: World) -> Transcript:
    def newsroom(name: str) -> RoundRobinGroupChat:
        members = [
            AssistantAgent("writer", world.echo(f"writer of {name}")),
            AssistantAgent("editor", world.echo("ed")),
        ]
        return RoundRobinGroupChat(members, name=name, termination_condition=MaxMessageTermination(3))

    team = RoundRobinGroupChat([newsroom("north"), newsroom("south")], max_turns=4)
    return transcript(await team.run(task="News."))


async def parallel_teams_with_agents_of_one_name(world: World) -> Transcript:
    def newsroom(name: str) -> Team:
        return RoundRobinGroupChat([AssistantAgent("writer", world.echo("same"))], name=name, max_turns=2)

    teams = [newsroom("north"), newsroom("south")]
    team = GroupChat(teams, rule=EveryoneTwice(["north", "south"]))
    return transcript(await team.run(task="News."))


async def a_selector_inside_a_team_inside_a_tool(world: World) -> Transcript:
    def choose(messages: Sequence[LLMMessage]) -> CreateResult:
        prompt = messages[-1]
        assert isinstance(prompt, UserMessage)
        return asks_for(
            ("choose_speaker", '{"name": "%s"}' % ("chemist" if "poet read" in str(prompt.content) else "poet"))
        )

    async def ask_experts(question: str) -> str:
        experts: list[ChatAgent | Team] = [
            AssistantAgent("poet", world.echo("poet")),
            AssistantAgent("chemist", world.echo("chemist")),
            AssistantAgent("cook", world.echo("cook")),
        ]
        panel = SelectorGroupChat(experts, world.model(choose), max_turns=2)
        outer = RoundRobinGroupChat([panel], max_turns=1)
        return (await outer.run(task=question)).messages[-1].to_text()

    tool = FunctionTool(ask_experts, "Ask experts.", transparent=True)

    def answer(messages: Sequence[LLMMessage]) -> CreateResult:
        last = messages[-1]
        if isinstance(last, FunctionExecutionResultMessage):
            return says(" and ".join(result.content for result in last.content))
        return asks_for(("ask_experts", '{"question": "Tea?"}'), ("ask_experts", '{"question": "Tea?"}'))

    agent = AssistantAgent("host", world.model(answer), tools=[tool], reflect_on_tool_use=True)
    return transcript(await RoundRobinGroupChat([agent], max_turns=2).run(task="What is tea?"))


async def an_agent_and_a_team_as_tools_called_at_once(world: World) -> Transcript:
    poet = AssistantAgent("poet", world.echo("poet"), description="Writes.")
    panel = RoundRobinGroupChat(
        [AssistantAgent("cook", world.echo("cook")), AssistantAgent("chemist", world.echo("chemist"))], max_turns=3
    )

    def answer(messages: Sequence[LLMMessage]) -> CreateResult:
        last = messages[-1]
        if isinstance(last, FunctionExecutionResultMessage):
            return says(" and ".join(result.content for result in last.content))
        task = '{"task": "Tea?"}'
        return asks_for(("poet", task), ("panel", task), ("poet", task), ("panel", task))

    tools = [AgentTool(poet), TeamTool(panel, "panel", "Discusses.")]
    host = AssistantAgent("host", world.model(answer), tools=tools, reflect_on_tool_use=True)
    return transcript(await RoundRobinGroupChat([host], max_turns=2).run(task="What is tea?"))


async def a_society_of_mind_in_a_graph(world: World) -> Transcript:
    inner = RoundRobinGroupChat([AssistantAgent(name, world.echo(name)) for name in ("ann", "bob")], max_turns=2)
    society = SocietyOfMindAgent("society", inner, world.echo("society"))
    cleo, dan = (AssistantAgent(name, world.echo(name)) for name in ("cleo", "dan"))
    builder = DiGraphBuilder().add_node(society).add_node(cleo).add_node(dan)
    builder.add_edge(society, dan).add_edge(cleo, dan)
    return transcript(await GraphFlow(builder.get_participants(), builder.build()).run(task="Speak."))


async def a_debate_with_a_vote_that_is_asked_for_again(world: World) -> Transcript:
    def argues_for(*positions: str) -> Callable[[Sequence[LLMMessage]], str]:
        """Votes for the positions, one in each round; first, for one that does not exist."""

        def answer(messages: Sequence[LLMMessage]) -> str:
            told = "\n".join(str(message.content) for message in messages)
            if "Vote now" not in told:
                return f"A statement after {len(told)} characters."
            if "Input should be" not in told:
                return '{"position": "none", "confidence": 1, "reason": ""}'
            position = positions[next(number for number in (1, 0) if f"Round {number + 1} of" in told)]
            return f'{{"position": "{position}", "confidence": 0.5, "reason": "It is right."}}'

        return answer

    def sums_up(messages: Sequence[LLMMessage]) -> str:
        return f'{{"summary": "After {len(str(messages))} characters.", "agreed": []}}'

    ann = AssistantAgent("ann", world.model(argues_for("tea", "tea")))
    bob = AssistantAgent("bob", world.model(argues_for("coffee", "tea")))
    critic, moderator = AssistantAgent("zoe", world.echo("zoe")), AssistantAgent("max", world.model(sums_up))
    team = DebateGroupChat([ann, bob], {"ann": "tea", "bob": "coffee"}, critic=critic, moderator=moderator)
    return transcript(await team.run(task="Tea or coffee?"))


async def a_magentic_team_with_a_reviewed_plan_and_a_team_in_it(world: World) -> Transcript:
    async def review(prompt: str) -> str:
        await world.do()
        return "yes" if "written of 4" not in prompt else "Shorter."

    inner = RoundRobinGroupChat([AssistantAgent("bob", world.echo("bob"))], name="pair", max_turns=1)
    boss = world.model(leads("ann", "pair", turns=2))
    team = MagenticOneGroupChat(
        [AssistantAgent("ann", world.echo("ann")), inner], boss, max_turns=3, plan_review=review
    )
    outer = RoundRobinGroupChat([team], max_turns=2)
    return transcript(await outer.run(task="Solve it."))


async def streams(world: World) -> Transcript:
    members = [AssistantAgent(name, world.echo(name), model_client_stream=True) for name in ("ann", "bob")]
    team = RoundRobinGroupChat(members, max_turns=3)
    shown: Transcript = []
    async for item in team.run_stream(task="Speak."):
        if isinstance(item, BaseAgentEvent | BaseChatMessage) and not isinstance(item, ModelClientStreamingChunkEvent):
            shown.append((type(item).__name__, item.source, item.to_text()))
    return shown


async def a_human_answer(world: World) -> Transcript:
    async def ask(prompt: str, _token: object) -> str:
        await world.do()
        return f"Yes to {prompt}"

    team = RoundRobinGroupChat(
        [AssistantAgent("ann", world.echo("ann")), UserProxyAgent("person", input_func=ask)], max_turns=4
    )
    return transcript(await team.run(task="Speak."))


async def a_tool_call_that_a_person_approves(world: World) -> Transcript:
    async def approve(request: ToolApprovalRequest) -> HumanAnswer:
        await world.do()
        return HumanAnswer(text=f"Not {request.tool}.", approved=request.tool == "price")

    workbench = ApprovedWorkbench(StaticWorkbench([world.tool("price"), world.tool("taste")]), approve)
    model = world.model(calls_then_words("price", "taste"))
    agent = AssistantAgent("buyer", model, workbench=workbench, reflect_on_tool_use=True)
    return transcript(await agent.run(task="Tea?"))


class CountingExecutor(NamespaceCommandLineCodeExecutor):
    """Tells the world when it runs code."""

    world: World

    async def execute_code_blocks(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken
    ) -> CommandLineCodeResult:
        await self.world.do()
        return await super().execute_code_blocks(code_blocks, cancellation_token)


async def guardrails_that_ask_a_model_and_a_person(world: World) -> Transcript:
    async def approve(question: HumanQuestion) -> bool:
        await world.do()
        return "origin" not in question

    def judge(messages: Sequence[LLMMessage]) -> CreateResult:
        return asks_for(("give_verdict", '{"verdict": "allow", "reason": "It is kind."}'))

    buyer = AssistantAgent(
        "buyer",
        world.model(calls_then_words("price", "origin", "price")),
        tools=[world.tool("price"), world.tool("origin")],
        reflect_on_tool_use=True,
        guardrails=[
            ModelGuardrail(world.model(judge), "Be kind."),
            PersonApproval(approve),  # asked again about what the next one makes of it
            FunctionGuardrail("green", on_tool_call=lambda call: Change({"word": f"green {call.arguments['word']}"})),
        ],
    )
    ann = GuardedAgent(AssistantAgent("ann", world.echo("ann")), [ModelGuardrail(world.model(judge), "Be kind.")])
    return transcript(await RoundRobinGroupChat([buyer, ann], max_turns=4).run(task="Tea?"))


class CountedSkills(SkillWorkbench):
    """Tells the world when a skill is read."""

    world: World

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, object] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        await self.world.do()
        return await super().call_tool(name, arguments, cancellation_token, call_id)


async def a_skill(world: World) -> Transcript:
    def answer(messages: Sequence[LLMMessage]) -> CreateResult:
        last = messages[-1]
        if isinstance(last, FunctionExecutionResultMessage):
            return says(last.content[0].content.splitlines()[0])
        return asks_for(("read_skill", '{"name": "loan-plan"}'))

    skills = CountedSkills(Path(__file__).parents[2] / "examples" / "skills")
    skills.world = world
    return transcript(await AssistantAgent("advisor", world.model(answer), skills=skills).run(task="A loan?"))


async def code_with_files(world: World) -> Transcript:
    executor = CountingExecutor()  # in a work folder of its own: a new process has none of the old one's files
    executor.world = world
    programs = ["open('tea.txt', 'w').write('green')", "print(open('tea.txt').read())"]
    async with executor:
        runner = CodeExecutorAgent("runner", executor)
        messages: Transcript = []
        for program in programs:
            task = TextMessage(content=f"```python\n{program}\n```", source="user")
            messages += transcript(await runner.run(task=task))
        return messages


async def a_failing_effect(world: World) -> Transcript:
    tools = [world.tool("price"), world.tool("origin", fails=True)]
    agent = AssistantAgent(
        "buyer", world.model(calls_then_words("price", "origin")), tools=tools, reflect_on_tool_use=True
    )
    broken = AssistantAgent("broken", world.model(_fail))
    team = RoundRobinGroupChat([agent, broken])
    with pytest.raises(ConnectionError, match="no route"):
        await team.run(task="Tea?")
    again = AssistantAgent("again", world.echo("again"))
    return transcript(await RoundRobinGroupChat([again], max_turns=1).run(task="Once more."))


def _fail(messages: Sequence[LLMMessage]) -> str:
    raise ConnectionError("no route")


class SlowMemory(ListMemory):
    """A memory that has something new each time."""

    world: World

    async def update_context(self, model_context: ChatCompletionContext) -> UpdateContextResult:
        await self.world.do()
        return await super().update_context(model_context)


async def a_memory(world: World) -> Transcript:
    memory = SlowMemory("notes", [MemoryContent(content="Tea is hot.", mime_type="text/plain")])
    memory.world = world
    agent = AssistantAgent("ann", world.echo("ann"), memory=[memory])
    team = RoundRobinGroupChat([agent], termination_condition=TextMentionTermination("never"), max_turns=2)
    return transcript(await team.run(task="Speak."))


class CountedTeachability(Teachability):
    """Tells the world when it looks what fits a conversation."""

    world: World

    async def update_context(self, model_context: ChatCompletionContext) -> UpdateContextResult:
        await self.world.do()
        return await super().update_context(model_context)


class CountedBank(MemoryBank):
    """A bank with three memos, which tells the world when it is used. It has no folder, which would outlive a run."""

    world: World

    async def add(self, content: MemoryContent, cancellation_token: CancellationToken | None = None) -> None:
        await self.world.do()

    async def query(self, *arguments: object, **options: object) -> MemoryQueryResult:
        await self.world.do()
        found = [MemoryContent(content=f"Tea is {each}.", mime_type="text/plain") for each in ("hot", "good", "green")]
        return MemoryQueryResult(results=found)


async def a_teachable_agent(world: World) -> Transcript:
    """Its memory asks a model and a bank in the course of one effect, of memos at the same time."""

    def answer(messages: Sequence[LLMMessage]) -> str:
        question = str(messages[-1].content)
        return ("yes" if "good" not in question else "no") if "<insight>" in question else "Tea is cheap."

    controller = MemoryController(False, world.model(answer), config={"generalize_task": False})
    bank = CountedBank(False)
    controller.memory_bank = bank
    memory = CountedTeachability(controller)
    bank.world = memory.world = world
    agent = AssistantAgent("ann", world.echo("ann"), memory=[memory])
    return transcript(await agent.run(task="Is tea hot?"))


PROGRAMS: list[Program] = [
    parallel_tool_calls,
    parallel_speakers,
    nested_teams_with_agents_of_one_name,
    parallel_teams_with_agents_of_one_name,
    a_selector_inside_a_team_inside_a_tool,
    an_agent_and_a_team_as_tools_called_at_once,
    a_society_of_mind_in_a_graph,
    a_debate_with_a_vote_that_is_asked_for_again,
    a_magentic_team_with_a_reviewed_plan_and_a_team_in_it,
    streams,
    a_human_answer,
    guardrails_that_ask_a_model_and_a_person,
    a_tool_call_that_a_person_approves,
    a_skill,
    code_with_files,
    a_failing_effect,
    a_memory,
    a_teachable_agent,
]


@pytest.fixture(params=PROGRAMS, ids=lambda program: program.__name__)
def program(request: pytest.FixtureRequest) -> Program:
    if request.param is code_with_files:
        require(NamespaceBackend())
    return cast("Program", request.param)


async def run(program: Program, world: World, journal: Journal) -> Transcript:
    with handle_effects(journal):
        return await asyncio.wait_for(program(world), timeout=30)


async def crash(program: Program, world: World, journal: Journal) -> None:
    """Run until the journal ends the process."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - task groups and runtimes wrap what ends them
        await run(program, world, journal)
    assert _is_crash(caught.value), caught.value


def _is_crash(error: BaseException | None) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return any(_is_crash(each) for each in cast("BaseExceptionGroup[BaseException]", error).exceptions)
    return isinstance(error, Crash) or (error is not None and _is_crash(error.__cause__ or error.__context__))


async def test_a_recorded_program_is_replayed_without_an_effect(program: Program) -> None:
    journal = Journal()
    outcome = await run(program, World(), journal)
    assert journal.performed

    world, replay = World(), Journal(records=journal.records)
    assert await run(program, world, replay) == outcome
    assert (replay.performed, world.done) == ([], [])


async def test_a_program_killed_at_any_record_goes_on_and_does_nothing_twice(program: Program) -> None:
    whole = Journal()
    outcome = await run(program, World(), whole)
    for length in range(len(whole.records)):
        world, journal = World(), Journal(crash_at=length)
        await crash(program, world, journal)
        ended = {record.effect for record in journal.records if record.what != "begun"}
        unknown = {record.effect for record in journal.records} - ended

        resumed = Journal(records=list(journal.records))
        assert await run(program, world, resumed) == outcome
        times = Counter(world.done)
        assert {effect for effect in times if times[effect] > 1} <= unknown
        assert set(times) == {record.effect for record in whole.records}


async def test_what_is_recorded_does_not_depend_on_timing(program: Program) -> None:
    first = Journal()
    outcome = await run(program, World(), first)
    for seed in range(1, 6):
        journal = Journal()
        assert await run(program, World(timing=random.Random(seed)), journal) == outcome
        assert sorted(_essence(journal)) == sorted(_essence(first))


def _essence(journal: Journal) -> list[tuple[str, str, str]]:
    return [(record.what, record.effect, record.scope) for record in journal.records]
