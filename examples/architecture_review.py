"""An architecture review: experts who hold no position look at a proposal on their own, and then decide about it.

Needs no key: the models' answers are scripted.
"""

import asyncio
import json

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.teams import DebateGroupChat, DebateStatement, Position
from symposia.ext.models.replay import ReplayChatCompletionClient

PROPOSAL = """\
Every endpoint of our API takes JSON and GraphQL, the schema is generated from our pydantic models, and answers are
cached for five minutes. Do we build it like this?
"""


def vote(position: str, confidence: float, reason: str) -> str:
    """What a model answers when it is asked to vote."""
    return json.dumps({"position": position, "confidence": confidence, "reason": reason})


def expert(name: str, field: str, *answers: str) -> AssistantAgent:
    """An expert of a field, with a scripted model."""
    return AssistantAgent(
        name, ReplayChatCompletionClient([*answers]), system_message=f"You review architectures with an eye on {field}."
    )


security = expert(
    "security",
    "security",
    "A cache in front of answers that depend on the user leaks data between users, unless its key has the user in it.",
    vote("reject", 0.6, "The cache does not know who asks."),
    "With the cache limited to public answers, my objection is gone; nested GraphQL queries need a limit of depth.",
    vote("change", 0.8, "Public answers only, and a limit of depth."),
)
backend = expert(
    "backend",
    "maintenance",
    "Two protocols for every endpoint double the tests. Generating the schema is right.",
    vote("change", 0.7, "GraphQL only where clients ask for it."),
    "I agree with the limits, and stay with GraphQL for the read endpoints alone.",
    vote("change", 0.8, "The generated schema stays, the doubling goes."),
)
frontend = expert(
    "frontend",
    "clients",
    "We need GraphQL for four screens, and five minutes are too long for prices.",
    vote("accept", 0.5, "It gives us what we need now."),
    "Read endpoints are all we need. Prices have to be left out of the cache.",
    vote("change", 0.7, "The same for us, with less to keep up."),
)
chair = ReplayChatCompletionClient(
    [
        json.dumps(
            {"summary": "Open: what is cached, and which endpoints take GraphQL.", "agreed": ["Generate the schema."]}
        ),
        json.dumps(
            {
                "summary": "Build it with GraphQL for reading only, a limit of depth, and a cache of public answers.",
                "agreed": ["Generate the schema.", "Leave prices and answers for users out of the cache."],
            }
        ),
    ]
)
review = DebateGroupChat(
    [security, backend, frontend],
    open_positions=[
        Position("accept", "Build it as proposed."),
        Position("change", "Build it with changes."),
        Position("reject", "Do not build it."),
    ],
    moderator=AssistantAgent("chair", chair),
    simultaneous=True,
)


async def main() -> None:
    """Review the proposal, and print each vote as it comes, and the result."""
    async for item in review.run_stream(task=PROPOSAL):
        if isinstance(item, DebateStatement):
            print(f"round {item.round}: {item.source} {item.vote}")
    result = review.debate_result
    print(f"{result.decision}: {result.reason}")
    for point in result.agreed:
        print(f"- {point}")
    print(result.conclusion)


if __name__ == "__main__":
    asyncio.run(main())
