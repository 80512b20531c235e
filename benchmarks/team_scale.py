"""A turn of a team costs the same, however long the conversation is: every team, over ten thousand turns in one run.

Each agent looks at the clock when it speaks, so the time of a turn is that between two speakers.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

from rich.table import Table

from symposia.agentchat.agents import BaseChatAgent
from symposia.agentchat.base import Response
from symposia.agentchat.messages import BaseChatMessage, HandoffMessage, TextMessage
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
from symposia.core import CancellationToken
from symposia.core.model_context import BufferedChatCompletionContext
from symposia.core.models import ChatCompletionClient, CreateResult, LLMMessage, ModelInfo, RequestUsage

WINDOW = 100
"""Turns over which one figure is the mean."""

clock = time.process_time


class Talker(BaseChatAgent):
    """Notes the time of each of its turns, and hands over to the other where that is asked for."""

    def __init__(self, name: str, times: list[float], target: str | None = None) -> None:
        super().__init__(name, "Talks.")
        self._times = times
        self._target = target

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (TextMessage, HandoffMessage)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        self._times.append(clock())
        if self._target is not None:
            return Response(chat_message=HandoffMessage(content="over", source=self.name, target=self._target))
        return Response(chat_message=TextMessage(content="hello", source=self.name))

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        pass


class Debater(Talker):
    """Writes a statement and then votes, always alike; notes the time of the statement alone."""

    def __init__(self, name: str, times: list[float], position: str) -> None:
        super().__init__(name, times)
        self._vote = json.dumps({"position": position, "confidence": 0.5, "reason": "because"})
        self._votes = False

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        self._votes, votes = not self._votes, self._votes
        if votes:
            return Response(chat_message=TextMessage(content=self._vote, source=self.name))
        return await super().on_messages(messages, cancellation_token)


class Model(ChatCompletionClient):
    """Answers by the number of the call, without a look at what it is shown: all that is timed is the team."""

    def __init__(self, answer: Callable[[int], str]) -> None:
        self._answer = answer
        self._calls = 0

    async def create(self, messages: Sequence[LLMMessage], **options: object) -> CreateResult:
        self._calls += 1
        usage = RequestUsage(prompt_tokens=1, completion_tokens=1)
        return CreateResult(finish_reason="stop", content=self._answer(self._calls), usage=usage, cached=False)

    async def create_stream(self, messages: object, **options: object) -> AsyncGenerator[CreateResult]:
        raise NotImplementedError("no figure streams it")
        yield  # makes it a generator

    async def close(self) -> None:
        pass

    def actual_usage(self) -> RequestUsage:
        return RequestUsage(prompt_tokens=0, completion_tokens=0)

    total_usage = actual_usage

    def count_tokens(self, messages: object, **options: object) -> int:
        return 0

    remaining_tokens = count_tokens

    @property
    def model_info(self) -> ModelInfo:
        return {
            "vision": False,
            "function_calling": False,
            "json_output": True,
            "family": "unknown",
            "structured_output": True,
        }

    @property
    def capabilities(self) -> ModelInfo:
        return self.model_info


def _ledger(call: int) -> str:
    answers = {
        "is_request_satisfied": False,
        "is_in_loop": False,
        "is_progress_being_made": True,
        "next_speaker": "ab"[call % 2],
        "instruction_or_question": "go on",
    }
    return json.dumps({key: {"reason": "because", "answer": answer} for key, answer in answers.items()})


def _pair(times: list[float]) -> list[Talker]:
    return [Talker("a", times), Talker("b", times)]


def _round_robin(turns: int, times: list[float]) -> BaseGroupChat:
    return RoundRobinGroupChat(_pair(times), max_turns=turns)


def _selector(turns: int, times: list[float]) -> BaseGroupChat:
    model = Model(lambda call: "ab"[call % 2])
    return SelectorGroupChat(_pair(times), model, allow_repeated_speaker=True, max_turns=turns)


def _selector_of_the_last_twenty(turns: int, times: list[float]) -> BaseGroupChat:
    model = Model(lambda call: "ab"[call % 2])
    context = BufferedChatCompletionContext(20)
    return SelectorGroupChat(_pair(times), model, allow_repeated_speaker=True, max_turns=turns, model_context=context)


def _swarm(turns: int, times: list[float]) -> BaseGroupChat:
    return Swarm([Talker("a", times, "b"), Talker("b", times, "a")], max_turns=turns)


def _graph_with_a_loop(turns: int, times: list[float]) -> BaseGroupChat:
    a, b = _pair(times)
    end = Talker("end", times)
    builder = DiGraphBuilder().add_node(a).add_node(b).add_node(end)
    builder.add_edge(a, b).add_edge(b, a, "hello").add_edge(b, end, "never").set_entry_point(a)
    return GraphFlow(builder.get_participants(), builder.build(), max_turns=turns)


def _magentic(turns: int, times: list[float]) -> BaseGroupChat:
    return MagenticOneGroupChat(_pair(times), Model(_ledger), max_turns=turns)


def _debate(turns: int, times: list[float]) -> BaseGroupChat:
    """Two that never agree."""
    debaters = [Debater("a", times, "tea"), Debater("b", times, "coffee")]
    positions = {"a": "tea", "b": "coffee"}
    return DebateGroupChat(debaters, positions, independent_rounds=0, max_rounds=turns // 2, settled_rounds=None)


def _nested(turns: int, times: list[float]) -> BaseGroupChat:
    """Two teams that take one turn whenever it is theirs."""
    teams = [RoundRobinGroupChat([talker], name=talker.name.upper(), max_turns=1) for talker in _pair(times)]
    return RoundRobinGroupChat(teams, max_turns=turns)


def _in_one_nested_run(turns: int, times: list[float]) -> BaseGroupChat:
    """One team inside another that takes all its turns in one run."""
    return RoundRobinGroupChat([RoundRobinGroupChat(_pair(times), name="inner", max_turns=turns)], max_turns=1)


TEAMS: Mapping[str, Callable[[int, list[float]], BaseGroupChat]] = {
    "round robin": _round_robin,
    "swarm": _swarm,
    "graph with a loop": _graph_with_a_loop,
    "selector, the last 20 messages": _selector_of_the_last_twenty,
    "selector, all messages": _selector,
    "Magentic-One": _magentic,
    "debate": _debate,
    "round robin in a team": _in_one_nested_run,
    "teams in turn in a team": _nested,
}


async def turns_of_teams(largest: int) -> Table:
    """Microseconds of a turn around the hundredth, the thousandth, … turn of one run."""
    lengths: list[int] = [10**power for power in range(2, len(str(largest)))]
    table = Table("team", *(f"µs at turn {length:,}" for length in lengths), "last / first")
    for name, make in TEAMS.items():
        times: list[float] = []
        await make(10, times).run(task="go")  # what the first team of its kind imports is not charged
        times.clear()
        gc.collect()
        await make(largest, times).run(task="go")
        means = [(times[length - 1] - times[length - WINDOW]) / (WINDOW - 1) * 1e6 for length in lengths]
        table.add_row(name, *(f"{mean:.0f}" for mean in means), f"{means[-1] / means[0]:.2f}")
    return table
