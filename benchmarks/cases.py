"""The same work on Symposia and on AutoGen 0.7.5: messages, fan-out, actors, teams, streaming, state, import.

Both offer the same names, so a case is written once, against Symposia's types, and reads its modules from `Library`.

    python cases.py symposia|autogen CASE      prints one JSON object: figure name to number
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import logging
import os
import resource
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise, product
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symposia import core
    from symposia.agentchat import agents, base, conditions, messages, teams
    from symposia.core import models
    from symposia.ext.models import replay

ROOTS = {
    "autogen": ("autogen_core", "autogen_agentchat", "autogen_ext"),
    "symposia": ("symposia.core", "symposia.agentchat", "symposia.ext"),
}

Figures = dict[str, float]
clock = time.process_time
"""Nothing but `mcp` waits for anything outside, so the processor's time leaves out what else the machine does."""
which = sys.argv[1] if len(sys.argv) > 1 else "symposia"
if not TYPE_CHECKING:
    _core, _chat, _ext = ROOTS[which]
    core = importlib.import_module(_core)
    models = importlib.import_module(_core + ".models")
    agents = importlib.import_module(_chat + ".agents")
    base = importlib.import_module(_chat + ".base")
    conditions = importlib.import_module(_chat + ".conditions")
    messages = importlib.import_module(_chat + ".messages")
    teams = importlib.import_module(_chat + ".teams")
    replay = importlib.import_module(_ext + ".models.replay")


@dataclass
class Ping:
    number: int


class Echo(core.RoutedAgent):
    @core.message_handler
    async def on_ping(self, message: Ping, ctx: core.MessageContext) -> Ping:
        return message


class Listener(core.RoutedAgent):
    heard = 0

    @core.message_handler
    async def on_ping(self, message: Ping, ctx: core.MessageContext) -> None:
        Listener.heard += 1


class Talker(agents.BaseChatAgent):
    @property
    def produced_message_types(self) -> Sequence[type[messages.BaseChatMessage]]:
        return (messages.TextMessage,)

    async def on_messages(
        self, messages: Sequence[messages.BaseChatMessage], cancellation_token: core.CancellationToken
    ) -> base.Response:
        return base.Response(chat_message=_text("hello", self.name))

    async def on_reset(self, cancellation_token: core.CancellationToken) -> None:
        pass


def _text(content: str, source: str) -> messages.TextMessage:
    return messages.TextMessage(content=content, source=source)


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _talkers(turns: int) -> teams.RoundRobinGroupChat:
    return teams.RoundRobinGroupChat(
        [Talker("a", "a"), Talker("b", "b")], termination_condition=conditions.MaxMessageTermination(turns + 1)
    )


async def rpc(calls: int = 5000) -> Figures:
    """Request and answer between agents: one after another, then all at once."""
    runtime = core.SingleThreadedAgentRuntime()
    await Echo.register(runtime, "echo", lambda: Echo("echo"))
    runtime.start()
    echo = core.AgentId("echo", "key")
    for _ in range(100):
        await runtime.send_message(Ping(0), echo)
    started = clock()
    for number in range(calls):
        await runtime.send_message(Ping(number), echo)
    sequential = calls / (clock() - started)
    started = clock()
    await asyncio.gather(*(runtime.send_message(Ping(number), echo) for number in range(calls)))
    concurrent = calls / (clock() - started)
    await runtime.stop_when_idle()
    return {"sequential calls/s": sequential, "concurrent calls/s": concurrent}


async def fanout(subscribers: int = 100, published: int = 200) -> Figures:
    """One message to a hundred subscribers."""
    runtime = core.SingleThreadedAgentRuntime()
    for number in range(subscribers):
        await Listener.register(runtime, f"listener{number}", lambda: Listener("listener"))
        await runtime.add_subscription(core.TypeSubscription("topic", f"listener{number}"))
    runtime.start()
    Listener.heard = 0
    started = clock()
    for number in range(published):
        await runtime.publish_message(Ping(number), core.TopicId("topic", "key"))
    await runtime.stop_when_idle()
    elapsed = clock() - started
    assert Listener.heard == subscribers * published, Listener.heard
    return {"deliveries/s": Listener.heard / elapsed}


async def actors(count: int = 20_000) -> Figures:
    """Creating an agent by its first message."""
    runtime = core.SingleThreadedAgentRuntime()
    await Echo.register(runtime, "echo", lambda: Echo("echo"))
    runtime.start()
    gc.collect()
    before = _resident_bytes()
    started = clock()
    for number in range(count):
        await runtime.send_message(Ping(number), core.AgentId("echo", str(number)))
    elapsed = clock() - started
    gc.collect()
    grown = _resident_bytes() - before
    await runtime.stop_when_idle()
    return {"activations/s": count / elapsed, "bytes/agent": grown / count}


async def turns() -> Figures:
    """One turn of a team, in conversations of three lengths; what the first team of a process costs is `one`."""
    await _talkers(2).run(task="go")
    figures: Figures = {}
    for length in (100, 1000, 4000):
        team = _talkers(length)
        gc.collect()
        started = clock()
        result = await team.run(task="go")
        figures[f"µs/turn of {length}"] = (clock() - started) / length * 1e6
        assert len(result.messages) == length + 1, len(result.messages)
    return figures


def _pair_of_teams(inner: int, outer: int) -> teams.RoundRobinGroupChat:
    """Two teams of two, in turn, each of which takes `inner` turns in each of its runs."""
    nested = [
        teams.RoundRobinGroupChat(
            [Talker(f"{name}1", "Talks."), Talker(f"{name}2", "Talks.")], name=name, max_turns=inner
        )
        for name in ("a", "b")
    ]
    return teams.RoundRobinGroupChat(nested, max_turns=outer)


async def nested(turns: int = 500) -> Figures:
    """A turn of a flat team, and one inside nested teams that take one or ten turns in each of their runs."""
    await _pair_of_teams(1, 2).run(task="go")
    figures: Figures = {}
    for name, team in (
        ("flat", teams.RoundRobinGroupChat([Talker("a", "a"), Talker("b", "b")], max_turns=turns)),
        ("nested, 1 a run", _pair_of_teams(1, turns)),
        ("nested, 10 a run", _pair_of_teams(10, turns // 10)),
    ):
        gc.collect()
        started = clock()
        result = await team.run(task="go")
        figures[f"µs/turn, {name}"] = (clock() - started) / turns * 1e6
        assert len(result.messages) == turns + 1, len(result.messages)
    return figures


def _chain(nodes: int) -> teams.GraphFlow:
    """Nodes that speak one after another."""
    talkers = [Talker(f"n{number}", "Talks.") for number in range(nodes)]
    builder = teams.DiGraphBuilder()
    for talker in talkers:
        builder.add_node(talker)
    for before, after in pairwise(talkers):
        builder.add_edge(before, after)
    return teams.GraphFlow(talkers, builder.build())


def _layers(layers: int, width: int) -> teams.GraphFlow:
    """Layers of nodes that speak at the same time, each after all of the layer before."""
    talkers = [[Talker(f"n{layer}_{number}", "Talks.") for number in range(width)] for layer in range(layers)]
    builder = teams.DiGraphBuilder()
    for talker in chain.from_iterable(talkers):
        builder.add_node(talker)
    for before, after in pairwise(talkers):
        for source, target in product(before, after):
            builder.add_edge(source, target)
    return teams.GraphFlow([*chain.from_iterable(talkers)], builder.build())


async def graph(nodes: int = 100) -> Figures:
    """A graph of a hundred nodes: one after another, and in ten layers of ten."""
    await _chain(3).run(task="go")
    figures: Figures = {}
    for name, flow in (("a chain", _chain(nodes)), ("layers", _layers(10, nodes // 10))):
        gc.collect()
        started = clock()
        result = await flow.run(task="go")
        figures[f"µs/node of {name}"] = (clock() - started) / nodes * 1e6
        assert sum(isinstance(message, messages.TextMessage) for message in result.messages) > nodes
    return figures


class Leader(models.ChatCompletionClient):
    """Leads a Magentic-One team for so many turns, whatever it is shown: all that is timed is the team."""

    def __init__(self, names: Sequence[str], turns: int) -> None:
        self._answers = iter(["facts", "plan", *(_ledger(names[turn % len(names)]) for turn in range(turns))])
        self._last = iter([_ledger(names[0], done=True), "the answer"])

    async def create(self, messages: Sequence[models.LLMMessage], **options: object) -> models.CreateResult:
        answer = next(self._answers, None) or next(self._last)
        usage = models.RequestUsage(prompt_tokens=1, completion_tokens=1)
        return models.CreateResult(finish_reason="stop", content=answer, usage=usage, cached=False)

    async def create_stream(self, messages: object, **options: object) -> AsyncGenerator[models.CreateResult]:
        raise NotImplementedError("no figure streams it")
        yield  # makes it a generator

    async def close(self) -> None:
        pass

    def actual_usage(self) -> models.RequestUsage:
        return models.RequestUsage(prompt_tokens=0, completion_tokens=0)

    total_usage = actual_usage

    def count_tokens(self, messages: object, **options: object) -> int:
        return 0

    remaining_tokens = count_tokens

    @property
    def model_info(self) -> models.ModelInfo:
        return {
            "vision": False,
            "function_calling": True,
            "json_output": True,
            "family": "unknown",
            "structured_output": True,
        }

    @property
    def capabilities(self) -> models.ModelInfo:
        return self.model_info


def _ledger(name: str, *, done: bool = False) -> str:
    answers = {
        "is_request_satisfied": done,
        "is_in_loop": False,
        "is_progress_being_made": True,
        "next_speaker": name,
        "instruction_or_question": "go on",
    }
    return json.dumps({key: {"reason": "because", "answer": answer} for key, answer in answers.items()})


def _led(turns: int) -> teams.MagenticOneGroupChat:
    talkers = [Talker("a", "a"), Talker("b", "b")]
    return teams.MagenticOneGroupChat(talkers, Leader(["a", "b"], turns), max_turns=None)


async def magentic(turns: int = 200) -> Figures:
    """A Magentic-One team of two hundred turns, whose model answers at once."""
    await _led(2).run(task="go")
    team = _led(turns)
    gc.collect()
    started = clock()
    result = await team.run(task="go")
    elapsed = clock() - started
    assert result.messages[-1].to_text() == "the answer"
    assert sum(message.source in "ab" for message in result.messages) == turns
    return {"µs/turn": elapsed / turns * 1e6}


async def many_teams(count: int = 200, length: int = 20) -> Figures:
    """Two hundred teams at once."""
    await _talkers(2).run(task="go")
    crowd = [_talkers(length) for _ in range(count)]
    gc.collect()
    started = clock()
    results = await asyncio.gather(*(team.run(task="go") for team in crowd))
    elapsed = clock() - started
    assert all(len(result.messages) == length + 1 for result in results)
    return {"turns/s": count * length / elapsed}


async def assistant(runs: int = 100) -> Figures:
    """One run of an agent: a tool call, its result, and a reflection on it."""
    usage = models.RequestUsage(prompt_tokens=1, completion_tokens=1)
    script: list[models.CreateResult | str] = []
    for number in range(4 * runs):
        call = core.FunctionCall(id=str(number), name="add", arguments='{"a": 1, "b": 2}')
        script += [
            models.CreateResult(finish_reason="function_calls", content=[call], usage=usage, cached=False),
            models.CreateResult(finish_reason="stop", content="done", usage=usage, cached=False),
        ]
    client = replay.ReplayChatCompletionClient(
        script,
        model_info={
            "vision": False,
            "function_calling": True,
            "json_output": True,
            "family": "unknown",
            "structured_output": True,
        },
    )

    async def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    agent = agents.AssistantAgent("a", model_client=client, tools=[add], reflect_on_tool_use=True)
    timed: list[float] = []
    for _ in range(3):
        started = clock()
        for _ in range(runs):
            await agent.run(task="go")
        timed.append((clock() - started) / runs * 1e6)
    started = clock()
    for _ in range(runs):
        await agents.AssistantAgent("a", model_client=client, tools=[add], reflect_on_tool_use=True).run(task="go")
    made_anew = (clock() - started) / runs * 1e6
    return {"µs/run, the first": timed[0], "µs/run, after 200": timed[2], "µs, made anew and run": made_anew}


async def stream(words: int = 5000) -> Figures:
    """Chunks of a streaming model through a team."""
    client = replay.ReplayChatCompletionClient(["a first answer", " ".join(["token"] * words)])
    agent = agents.AssistantAgent("a", model_client=client, model_client_stream=True)
    team = teams.RoundRobinGroupChat([agent], termination_condition=conditions.MaxMessageTermination(2))
    await team.run(task="go")
    gc.collect()  # as above: what importing and the first run left is not charged to what is measured
    started = clock()
    events = 0
    async for _ in team.run_stream(task="go"):
        events += 1
    elapsed = clock() - started
    assert events >= words, events
    return {"chunks/s": events / elapsed}


async def state(length: int = 2000) -> Figures:
    """Saving and loading a team after two thousand turns."""
    team = _talkers(length)
    await team.run(task="go")
    gc.collect()
    started = clock()
    saved = await team.save_state()
    save = clock() - started
    fresh = _talkers(length)
    gc.collect()
    started = clock()
    await fresh.load_state(saved)
    load = clock() - started
    return {"ms to save": save * 1e3, "ms to load": load * 1e3, "bytes": len(json.dumps(saved))}


async def mcp(calls: int = 1000, parallel: int = 100, adapter_calls: int = 10) -> Figures:
    """Calls of a tool of an MCP server on standard input and output; the start of servers counts for adapters."""
    tools = importlib.import_module(f"{ROOTS[which][2]}.tools.mcp")
    server = str(Path(__file__).with_name("mcp_server.py"))
    params = tools.StdioServerParams(command=sys.executable, args=[server], read_timeout_seconds=60)
    token = core.CancellationToken()
    (adapter,) = await tools.mcp_server_tools(params)
    await adapter.run_json({"text": "hello"}, token)
    started = clock() + _seconds_of_children()
    for _ in range(adapter_calls):
        await adapter.run_json({"text": "hello"}, token)
    figures = {"calls of an adapter/s": adapter_calls / (clock() + _seconds_of_children() - started)}
    async with tools.McpWorkbench(params) as workbench:
        await workbench.list_tools()
        started = clock()
        for _ in range(calls):
            await workbench.call_tool("echo", {"text": "hello"})
        figures["calls of a workbench/s"] = calls / (clock() - started)
        started = clock()
        for _ in range(calls // parallel):
            results = await asyncio.gather(*(workbench.call_tool("echo", {"text": "hello"}) for _ in range(parallel)))
            assert all(result.to_text() == "hello" for result in results), results
        figures["calls, 100 at once/s"] = calls / (clock() - started)
    return figures


async def imports() -> Figures:
    """A fresh interpreter imports an agent and a team, and one that also runs a first team; medians of seven."""
    chat = ROOTS[which][1]
    program = f"from {chat}.agents import AssistantAgent; from {chat}.teams import RoundRobinGroupChat"
    return {
        "ms to import": _median_ms("-c", program),
        "ms to import and run a team": _median_ms(__file__, which, "one"),
    }


async def one() -> Figures:
    """The first team of a process, of two turns."""
    started = clock()
    await _talkers(2).run(task="go")
    return {"ms for the first team": (clock() - started) * 1e3}


def _median_ms(*arguments: str, times: int = 7) -> float:
    timed: list[float] = []
    for _ in range(1 + times):  # the first one writes the bytecode
        started = _seconds_of_children()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - ourselves
        timed.append(_seconds_of_children() - started)
    return sorted(timed[1:])[times // 2] * 1e3


def _seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


CASES: dict[str, Callable[[], Awaitable[Figures]]] = {
    case.__name__: case
    for case in (
        rpc,
        fanout,
        actors,
        turns,
        nested,
        graph,
        magentic,
        many_teams,
        assistant,
        stream,
        state,
        mcp,
        one,
        imports,
    )
}


async def _run(name: str) -> Figures:
    return await CASES[name]()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    print(json.dumps(asyncio.run(_run(sys.argv[2]))))
