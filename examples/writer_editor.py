"""A writer and an editor work on a text until the editor, who answers in a schema, accepts it. Needs no key."""

import asyncio

from pydantic import BaseModel

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.conditions import FunctionalTermination, MaxMessageTermination, Messages
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, StructuredMessage, TextMessage
from symposia.agentchat.teams import RoundRobinGroupChat
from symposia.ext.models.replay import ReplayChatCompletionClient


class Review(BaseModel):
    """What the editor answers."""

    accepted: bool
    remarks: list[str]


def review_in(message: BaseAgentEvent | BaseChatMessage) -> Review | None:
    match message:
        case StructuredMessage(content=Review() as review):
            return review
        case _:
            return None


def is_accepted(messages: Messages) -> bool:
    return any(review.accepted for review in map(review_in, messages) if review is not None)


DRAFTS = [
    "Bees are important insects that are very important for many plants.",
    "One bite in three of what we eat grows because a bee came by.",
]
REVIEWS = [
    Review(accepted=False, remarks=["Say it with a figure.", "One 'important' is enough."]),
    Review(accepted=True, remarks=[]),
]
writer = AssistantAgent(
    "writer",
    ReplayChatCompletionClient(DRAFTS),
    system_message="You write one sentence, and improve it by the remarks of the editor.",
)
editor = AssistantAgent(
    "editor",
    ReplayChatCompletionClient([review.model_dump_json() for review in REVIEWS]),
    system_message="You accept a sentence, or say what to improve.",
    output_content_type=Review,
)
team = RoundRobinGroupChat(
    [writer, editor], termination_condition=FunctionalTermination(is_accepted) | MaxMessageTermination(9)
)


async def main() -> None:
    team.check().raise_for_errors()  # what is wrong with a team is said before a model is paid
    result = await team.run(task="Write a sentence on bees.")
    for message in result.messages:
        review = review_in(message)
        if review is not None:
            print("editor:", "accepted" if review.accepted else " ".join(review.remarks))
        elif isinstance(message, TextMessage):
            print(f"{message.source}: {message.content}")


if __name__ == "__main__":
    asyncio.run(main())
