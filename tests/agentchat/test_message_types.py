"""What type checkers know of messages: pyright strict runs over this file.

After ``isinstance(message, StructuredMessage)``, pyright takes the content for unknown, whatever default the type
variable has. A pattern that names the class of the content says more, and is as short.
"""

from typing import assert_type

from pydantic import BaseModel

from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, StructuredMessage, TextMessage


class Plan(BaseModel):
    steps: int


def steps_of(message: BaseChatMessage | BaseAgentEvent) -> int:
    match message:
        case StructuredMessage(content=Plan() as plan):
            assert_type(plan, Plan)
            return plan.steps
        case StructuredMessage(content=BaseModel() as other):
            assert_type(other, BaseModel)
            return -1
        case _:
            return 0


def content_of(message: StructuredMessage) -> BaseModel:
    assert_type(message.content, BaseModel)
    return message.content


def test_n13_the_content_of_a_structured_message_has_a_type() -> None:
    plan = StructuredMessage[Plan](content=Plan(steps=3), source="ann")
    assert_type(plan.content, Plan)

    assert steps_of(plan) == content_of(plan).model_dump()["steps"] == 3
    assert steps_of(TextMessage(content="hi", source="ann")) == 0
