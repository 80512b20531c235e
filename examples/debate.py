"""Two agents debate a question until their votes decide it. Needs no key: the models' answers are scripted."""

import asyncio
import json

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.teams import DebateGroupChat, Position
from symposia.ext.models.replay import ReplayChatCompletionClient


def vote(position: str, confidence: float, reason: str) -> str:
    """What a model answers when it is asked to vote."""
    return json.dumps({"position": position, "confidence": confidence, "reason": reason})


def minutes(summary: str, *agreed: str) -> str:
    """What a model answers when it is asked to sum up."""
    return json.dumps({"summary": summary, "agreed": agreed})


postgres = ReplayChatCompletionClient(
    [
        "One transaction covers the fixed and the flexible part, in a system that we know.",
        vote("postgres", 0.8, "One system is less to run than two."),
        "Fields that are queried often become generated columns, with statistics.",
        vote("postgres", 0.9, "The weak points have known remedies."),
    ]
)
documents = ReplayChatCompletionClient(
    [
        "Single fields are updated in place, and the planner knows what is inside of documents.",
        vote("documents", 0.7, "The flexible part is the main part."),
        "Granted: with generated columns the planner knows enough, and our documents are small.",
        vote("postgres", 0.6, "With small documents the difference does not pay for a second system."),
    ]
)
sums_up = ReplayChatCompletionClient(
    [
        minutes("One system to run, against updates and statistics of single fields.", "The documents are small."),
        minutes("PostgreSQL, with generated columns for what is queried often.", "The documents are small."),
    ]
)
team = DebateGroupChat(
    [AssistantAgent("ann", postgres), AssistantAgent("bob", documents)],
    positions={
        "ann": Position("postgres", "PostgreSQL with JSONB columns."),
        "bob": Position("documents", "A document store."),
    },
    critic=AssistantAgent("critic", ReplayChatCompletionClient(["Nobody has said how large the documents are."])),
    moderator=AssistantAgent("moderator", sums_up),
    quorum=0.8,
)


async def main() -> None:
    """Debate, and print how the positions moved."""
    result = await team.debate("PostgreSQL or a document store, for data with a flexible schema?")
    print(f"{result.decision}: {result.reason}")
    for name, positions in result.moves.items():
        print(f"{name}: {' -> '.join(position or 'abstained' for position in positions)}")
    print(f"Agreed: {', '.join(result.agreed)}")
    print(result.conclusion)


if __name__ == "__main__":
    asyncio.run(main())
