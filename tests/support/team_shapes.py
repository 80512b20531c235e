"""Teams of every kind and nesting, whose models do what a test says: answer, call a tool, fail, or wait for ever."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from hypothesis import strategies as st
from tests.support.chat_agents import ABLE, asks_for, dangling_calls, says
from tests.support.magentic_one import ledger

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.base import ChatAgent, Team
from symposia.agentchat.teams import (
    BaseGroupChat,
    DebateGroupChat,
    DiGraphBuilder,
    GraphFlow,
    MagenticOneGroupChat,
    RoundRobinGroupChat,
    SelectorGroupChat,
    Swarm,
)
from symposia.core import AgentRuntime
from symposia.core.models import CreateResult, FunctionExecutionResultMessage, LLMMessage, UserMessage
from symposia.core.tools import FunctionTool
from symposia.ext.models.replay import ReplayChatCompletionClient

Shape: TypeAlias = Sequence[Any]
"""The kind of a team and the shapes of its two members; an agent is an empty tuple."""

ACTS = ("say", "call", "hand over", "fail")
"""What a model or a tool does in one call; "wait" besides."""

AGENTS_ONLY = ("swarm", "debate")
KINDS = ("round robin", "selector", "graph", "magentic", *AGENTS_ONLY)


def _shape(kind: str, members: Sequence[Shape]) -> Shape:
    return (kind, *(((), ()) if kind in AGENTS_ONLY else members))


_AGENT: Shape = ()
_MEMBERS = st.recursive(
    st.just(_AGENT), lambda inner: st.builds(_shape, st.sampled_from(KINDS), st.tuples(inner, inner)), max_leaves=4
)
# Of two swarms, one would be given the other's handoffs as its task, and refuse those to agents that it does not have.
SHAPES = st.builds(_shape, st.sampled_from(KINDS), st.tuples(_MEMBERS, _MEMBERS)).filter(
    lambda shape: str(shape).count("swarm") <= 1
)


class Stage:
    """Makes the teams, and says what their models and tools do.

    Attributes:
        acts: What the next calls do, in order; then they say something.
        waiting: Set when a call waits.
    """

    def __init__(self) -> None:
        self.acts: list[str] = []
        self.waiting = asyncio.Event()
        self._words = 0

    def word(self) -> str:
        """A word that nobody has said before, so that no two messages are equal."""
        self._words += 1
        return f"#{self._words}"

    async def act(self) -> str:
        """What the next call does; one that fails or waits does so here."""
        act = self.acts.pop(0) if self.acts else "say"
        if act == "fail":
            raise ConnectionError("no route")
        if act == "wait":
            self.waiting.set()
            await asyncio.Event().wait()
        return act

    def team(self, shape: Shape, runtime: AgentRuntime | None) -> tuple[BaseGroupChat, list[AssistantAgent]]:
        """A team, and the agents in it whose conversations are kept from turn to turn."""
        agents: list[AssistantAgent] = []
        team = self._team(shape, "t", agents, runtime=runtime)
        return team, agents

    def _team(
        self, shape: Shape, name: str, agents: list[AssistantAgent], runtime: AgentRuntime | None = None
    ) -> BaseGroupChat:
        kind, *inner = shape
        a, b = f"{name}a", f"{name}b"
        if kind == "swarm":
            pair = [self._agent(a, [b]), self._agent(b, [a])]
            agents += pair
            return Swarm(pair, name=name, max_turns=2, runtime=runtime)
        if kind == "debate":  # which resets its agents before each turn, and tells them again what was said
            debaters = [self._agent(a), self._agent(b)]
            return DebateGroupChat(
                debaters, {a: "tea", b: "coffee"}, max_rounds=1, vote_retries=0, name=name, runtime=runtime
            )
        members = [self._member(each, f"{name}{letter}", agents) for each, letter in zip(inner, "ab", strict=True)]
        make: Mapping[str, Callable[[], BaseGroupChat]] = {
            "round robin": lambda: RoundRobinGroupChat(members, name=name, max_turns=3, runtime=runtime),
            "selector": lambda: SelectorGroupChat(
                members, self._model(self._choice(a, b)), allow_repeated_speaker=True, name=name, max_turns=2,
                runtime=runtime,
            ),
            "graph": lambda: self._graph(members, name, agents, runtime),
            "magentic": lambda: MagenticOneGroupChat(
                members, self._model(self._lead(a, b)), name=name, max_turns=3, max_stalls=1, runtime=runtime
            ),
        }  # fmt: skip
        return make[kind]()

    def _member(self, shape: Shape, name: str, agents: list[AssistantAgent]) -> ChatAgent | Team:
        if shape:
            return self._team(shape, name, agents)
        agents.append(self._agent(name))
        return agents[-1]

    def _graph(
        self, members: Sequence[ChatAgent | Team], name: str, agents: list[AssistantAgent], runtime: AgentRuntime | None
    ) -> GraphFlow:
        """The second member sends the first one back, until the run has had its turns."""
        first, second = members
        end = self._agent(f"{name}end")
        agents.append(end)
        builder = DiGraphBuilder().add_node(first).add_node(second).add_node(end)
        builder.add_edge(first, second).add_edge(second, first, "#").add_edge(second, end, "never")
        graph = builder.set_entry_point(first).build()
        return GraphFlow(builder.get_participants(), graph, name=name, max_turns=3, runtime=runtime)

    def _agent(self, name: str, handoffs: Sequence[str] = ()) -> AssistantAgent:
        async def work(word: str) -> str:
            await self.act()
            return f"worked on {word}: {self.word()}"

        def answer(messages: Sequence[LLMMessage], act: str) -> CreateResult:
            if isinstance(messages[-1], FunctionExecutionResultMessage) or act == "say":
                return says(f"{name} says {self.word()}")
            if act == "hand over" and handoffs:
                return asks_for((f"transfer_to_{handoffs[0]}", "{}"))
            return asks_for(("work", json.dumps({"word": self.word()})), ("work", '{"word": "tea"}'))

        tool = FunctionTool(work, "Works.", name="work")
        return AssistantAgent(
            name, self._model(answer), tools=[tool], handoffs=[*handoffs] or None, reflect_on_tool_use=True
        )

    def _model(self, answer: Callable[[Sequence[LLMMessage], str], str | CreateResult]) -> ReplayChatCompletionClient:
        async def respond(messages: Sequence[LLMMessage]) -> str | CreateResult:
            return answer(messages, await self.act())

        return ReplayChatCompletionClient(respond, model_info=ABLE)

    def _choice(self, *names: str) -> Callable[[Sequence[LLMMessage], str], str]:
        return lambda _messages, act: names[0] if act == "call" else names[1]

    def _lead(self, *names: str) -> Callable[[Sequence[LLMMessage], str], str]:
        """Lets the members act in turn, and calls it a stall where a call of a tool is asked for."""

        def answer(messages: Sequence[LLMMessage], act: str) -> str:
            if "is_request_satisfied" not in str(messages[-1].content):
                return f"written {self.word()}"
            acted = sum(isinstance(message, UserMessage) for message in messages) - 3  # the prompts
            return ledger(names[acted % 2], f"step {self.word()}", done=acted >= 2, progress=act != "call")

        return answer


async def faults_of(agent: AssistantAgent) -> Sequence[str]:
    """What is wrong with an agent's conversation: calls without a result, and messages that it has heard twice."""
    messages = await agent.model_context.get_messages()
    heard = [str(message.content) for message in messages if isinstance(message, UserMessage)]
    said_once = [text for text in heard if "#" in text]  # the others are handoffs, which are all worded alike
    faults = [f"{agent.name} has the call {call} without a result" for call in dangling_calls(messages)]
    if len(set(said_once)) < len(said_once):
        faults.append(f"{agent.name} has heard {heard}")
    return faults
