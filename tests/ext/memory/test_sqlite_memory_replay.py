"""A recorded program with a memory in SQLite, which is killed and runs again."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.contracts.memory_contract import FACTS, text
from tests.support.chat_agents import ByLength, asks_for, says
from tests.support.journal import Crash, Journal

from symposia.agentchat.agents import AssistantAgent
from symposia.core.effects import handle_effects
from symposia.core.memory import query_memory
from symposia.core.tools import FunctionTool
from symposia.ext.memory.embedders import FunctionEmbedder, HashingEmbedder
from symposia.ext.memory.sqlite import SQLiteMemory

TASK = "How do penguins incubate their eggs?"
QUERY = "harbour of Trieste"


async def run(path: Path, journal: Journal) -> tuple[list[str], list[str]]:
    """Run the program in a process of its own, as far as the memory can tell.

    Returns:
        The messages, and the texts that the store was asked for.
    """
    asked: list[str] = []

    def embed(texts: Sequence[str]) -> list[list[float]]:
        asked.extend(texts)
        return HashingEmbedder().hash_texts(texts)

    async with SQLiteMemory(path, embedder=FunctionEmbedder(embed, "ngrams-1"), limit=1) as memory:

        async def look_up(query: str) -> str:
            return str((await query_memory(memory, query)).results[0].content)

        agent = AssistantAgent(
            "ann",
            ByLength({3: asks_for(("look_up", f'{{"query": "{QUERY}"}}')), 5: says("On their feet.")}),
            tools=[FunctionTool(look_up, "Look up.", transparent=True)],
            memory=[memory],
            max_tool_iterations=2,
        )
        with handle_effects(journal):
            result = await agent.run(task=TASK)
    return [message.to_text() for message in result.messages], asked


async def test_a_program_that_is_killed_asks_the_store_nothing_twice(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    async with SQLiteMemory(path, embedder=FunctionEmbedder(HashingEmbedder().hash_texts, "ngrams-1")) as memory:
        await memory.add_many([text(each) for each in FACTS])
    whole = Journal()
    messages, asked = await run(path, whole)
    assert asked == [TASK, QUERY]
    assert FACTS[1] in messages[1]
    assert FACTS[0] in messages[3]

    for crash_at in range(len(whole.records)):
        journal = Journal(crash_at=crash_at)
        with pytest.raises((Crash, BaseExceptionGroup)):
            await run(path, journal)
        answered = [record for record in journal.records if record.kind == "memory" and record.what == "result"]
        journal.crash_at = None
        assert await run(path, journal) == (messages, asked[len(answered) :])

    async with SQLiteMemory(path, embedder=FunctionEmbedder(HashingEmbedder().hash_texts, "ngrams-1")) as memory:
        await memory.clear()
    assert await run(path, whole) == (messages, [])
