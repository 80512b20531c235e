"""What does not grow: a runtime's memory with its messages, the cost of a message or a turn with what else there is.

python scale.py [--largest N] [--turns N]      prints one table a question
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from team_scale import turns_of_teams

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.teams import Swarm
from symposia.core import (
    AgentId,
    MessageContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    TopicId,
    TypeSubscription,
    message_handler,
)
from symposia.core.models import ModelInfo
from symposia.ext.models.replay import ReplayChatCompletionClient

ABLE = ModelInfo(vision=False, function_calling=True, json_output=True, structured_output=True, family="unknown")

MESSAGES = 20_000
"""How many are sent for one figure: 0.1 to 0.5 seconds, hundreds of times what the clock can tell."""

clock = time.process_time


@dataclass
class Ping:
    number: int


class Echo(RoutedAgent):
    @message_handler
    async def on_ping(self, message: Ping, ctx: MessageContext) -> Ping:
        return message


def resident_bytes() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def started_runtime() -> SingleThreadedAgentRuntime:
    runtime = SingleThreadedAgentRuntime()
    await Echo.register(runtime, "echo", lambda: Echo("echo"))
    runtime.start()
    return runtime


async def send(runtime: SingleThreadedAgentRuntime, key: str, messages: int) -> float:
    """Microseconds of one request and its answer."""
    echo = AgentId("echo", key)
    started = clock()
    for number in range(messages):
        await runtime.send_message(Ping(number), echo)
    return (clock() - started) / messages * 1e6


async def publish(runtime: SingleThreadedAgentRuntime, topics: list[TopicId], messages: int) -> float:
    """Microseconds of one published message with one subscriber, to each topic in turn."""
    started = clock()
    for number in range(messages):
        await runtime.publish_message(Ping(number), topics[number % len(topics)])
        if number % 100 == 0:
            await asyncio.sleep(0)
    await runtime.stop_when_idle()
    taken = clock() - started
    runtime.start()
    return taken / messages * 1e6


async def one_million(parts: int = 10, messages: int = 100_000) -> Table:
    """A million requests through one runtime."""
    table = Table("messages so far", "MiB more than after the first part", "µs/message")
    runtime = await started_runtime()
    first = 0
    for part in range(parts):
        microseconds = await send(runtime, "one", messages)
        memory = resident_bytes()
        first = first or memory
        table.add_row(f"{(part + 1) * messages:,}", f"{(memory - first) / 2**20:.2f}", f"{microseconds:.2f}")
    await runtime.stop_when_idle()
    return table


async def agents_alive(largest: int) -> Table:
    """Agents alive, their memory, and a message to one of them."""
    table = Table("agents", "bytes/agent", "µs to make one", "µs/message to one")
    for count in sizes(largest):
        runtime = await started_runtime()
        before, started = resident_bytes(), clock()
        for number in range(count):
            await runtime.send_message(Ping(number), AgentId("echo", str(number)))
        made = (clock() - started) / count * 1e6
        memory = (resident_bytes() - before) / count
        table.add_row(
            f"{count:,}",
            f"{memory:,.0f}" if count >= 1000 else "",  # noqa: PLR2004 - memory comes in pages of 4 KiB
            f"{made:.1f}",
            f"{await send(runtime, str(count // 2), MESSAGES):.2f}",
        )
        await runtime.stop_when_idle()
    return table


async def subscriptions(largest: int) -> Table:
    """A published message with one subscriber, among so many subscriptions to other topics."""
    table = Table("other subscriptions", "µs/message")
    for count in sizes(largest):
        runtime = await started_runtime()
        await runtime.add_subscription(TypeSubscription("topic", "echo"))
        for number in range(count):
            await runtime.add_subscription(TypeSubscription(f"other{number}", "echo"))
        table.add_row(f"{count:,}", f"{await publish(runtime, [TopicId('topic', 'one')], MESSAGES):.2f}")
        await runtime.stop_when_idle()
    return table


async def topics(largest: int) -> Table:
    """A published message to each of so many topics in turn, each with a subscription of its own to one agent."""
    table = Table("topics", "µs/message, the first to each topic", "µs/message after that")
    for count in sizes(largest):
        runtime = await started_runtime()
        for number in range(count):
            await runtime.add_subscription(TypeSubscription(f"topic{number}", "echo"))
        every = [TopicId(f"topic{number}", "one") for number in range(count)]
        first = await publish(runtime, every, count)
        table.add_row(f"{count:,}", f"{first:.2f}", f"{await publish(runtime, every, max(MESSAGES, count)):.2f}")
        await runtime.stop_when_idle()
    return table


async def checks(largest: int) -> Table:
    """`team.check()` of teams of so many agents, each with a tool and a handoff."""

    def look(city: str) -> str:
        """Look something up."""
        return city

    model = ReplayChatCompletionClient([], model_info=ABLE)
    table = Table("agents", "ms/check")
    for count in (10, 50, 250):
        agents = [
            AssistantAgent(f"agent{number}", model, tools=[look], handoffs=[f"agent{(number + 1) % count}"])
            for number in range(min(count, largest))
        ]
        team = Swarm(agents, max_turns=100)
        team.check()  # a tool's schema is made when it is first asked for
        started = clock()
        for _ in range(10):
            team.check("Look around.")
        table.add_row(f"{count:,}", f"{(clock() - started) / 10 * 1e3:.2f}")
    return table


def sizes(largest: int) -> list[int]:
    return [10**power for power in range(1, len(str(largest)))]


async def main(largest: int, turns: int) -> None:
    questions: list[tuple[str, Callable[[], Awaitable[Table]]]] = [
        ("A million messages through one runtime", one_million),
        ("Agents alive", lambda: agents_alive(largest)),
        ("Unrelated subscriptions", lambda: subscriptions(largest)),
        ("Topics", lambda: topics(largest)),
        ("Checks of a team", lambda: checks(largest)),
        ("Turns of one run of a team", lambda: turns_of_teams(turns)),
    ]
    for title, ask in questions:
        table = await ask()
        table.title = title
        Console().print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--largest", type=int, default=100_000, help="a power of ten (default: %(default)s)")
    parser.add_argument("--turns", type=int, default=10_000, help="a power of ten (default: %(default)s)")
    logging.disable(logging.CRITICAL)
    given = parser.parse_args()
    asyncio.run(main(given.largest, given.turns))
