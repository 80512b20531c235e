"""Answers in a schema from agents of any kind."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import NamedTuple

from pydantic import BaseModel, ValidationError

from symposia.agentchat._response import ask_agent_stream, checked_item, checked_response
from symposia.agentchat.base import AnswersInSchema, ChatAgent, Response
from symposia.agentchat.messages import (
    BaseChatMessage,
    Item,
    ModelClientStreamingChunkEvent,
    OutputRejectedEvent,
    StructuredMessage,
    TextMessage,
)
from symposia.core import CancellationToken
from symposia.core.exceptions import AgentError, ModelAnswerError
from symposia.core.json_values import json_in, validation_faults
from symposia.core.models import RequestUsage


class SchemaAnswer(NamedTuple):
    """The last item of `ask_in_schema`.

    Attributes:
        content: The content; None if no answer was accepted.
        text: The last answer as text.
        usage: The tokens of the answer that was accepted. The events have those of the others.
        fault: What was wrong with the last answer; empty if it was accepted.
    """

    content: BaseModel | None
    text: str = ""
    usage: RequestUsage | None = None
    fault: str = ""


async def ask_in_schema(
    agent: ChatAgent,
    request: TextMessage,
    schema: type[BaseModel],
    *,
    retries: int,
    token: CancellationToken,
    as_json: Callable[[str], str] = json_in,
) -> AsyncGenerator[Item | SchemaAnswer, None]:
    """Ask an agent, and yield its events; the last item is the answer.

    An `AnswersInSchema` is asked by that method. Any other agent is asked in words; its answer is validated, and sent
    back with its faults. The number of attempts is bounded in both cases.

    Args:
        agent: The agent.
        request: The request, which names the fields.
        schema: The class of the content.
        retries: How often an answer is sent back.
        token: Cancels it.
        as_json: Finds the JSON in an answer that is text.
    """
    if isinstance(agent, AnswersInSchema):
        answers = _by_agent(agent, request, schema, retries, token)
    else:
        answers = _in_words(agent, request, schema, retries, token, as_json)
    async with aclosing(answers) as items:
        async for item in items:
            if not isinstance(item, ModelClientStreamingChunkEvent):  # pieces of JSON
                yield item


async def _by_agent(
    agent: AnswersInSchema, request: TextMessage, schema: type[BaseModel], retries: int, token: CancellationToken
) -> AsyncGenerator[Item | SchemaAnswer, None]:
    rejected = ""
    try:
        async with aclosing(agent.answer_in_schema([request], schema, token, retries=retries)) as items:
            async for item in items:
                if not isinstance(item, Response):
                    rejected = item.content if isinstance(item, OutputRejectedEvent) else rejected
                    yield item
                    continue
                message = item.chat_message
                match message:
                    case StructuredMessage(content=BaseModel() as content):
                        yield SchemaAnswer(content, message.to_text(), message.models_usage)
                    case _:
                        fault = f"It answered with a {type(message).__name__}."
                        yield SchemaAnswer(None, message.to_text(), message.models_usage, fault)
    except ModelAnswerError as error:  # no attempt was accepted; the events have all of them, with their tokens
        yield SchemaAnswer(None, rejected, fault=str(error))


async def _in_words(
    agent: ChatAgent,
    request: TextMessage,
    schema: type[BaseModel],
    retries: int,
    token: CancellationToken,
    as_json: Callable[[str], str],
) -> AsyncGenerator[Item | SchemaAnswer, None]:
    how = f"Answer with one JSON object and nothing else. Its fields: {', '.join(schema.model_fields)}."
    question = f"{request.content} {how}"
    for attempt in range(retries + 1):
        message: BaseChatMessage | None = None
        asked = TextMessage(content=question, source=request.source)
        async with aclosing(answer_of(agent, [asked], token)) as items:
            async for item in items:
                if isinstance(item, Response):
                    message = item.chat_message
                else:
                    yield item
        if message is None:
            raise AgentError(f"The stream of a turn of the agent {agent.name!r} ended without a Response.")
        text = message.to_text()
        try:
            content = schema.model_validate_json(as_json(text))
        except ValidationError as error:
            fault = "; ".join(validation_faults(error, "the answer"))
        else:
            yield SchemaAnswer(content, text, message.models_usage)
            return
        yield OutputRejectedEvent(
            content=text, reason=fault, attempt=attempt, source=agent.name, models_usage=message.models_usage
        )
        if attempt == retries:
            yield SchemaAnswer(None, text, fault=fault)
        question = f"That cannot be used: {fault}. {request.content} {how}"


async def answer_of(
    agent: ChatAgent, messages: list[TextMessage], token: CancellationToken
) -> AsyncGenerator[Item | Response, None]:
    """The items of an agent's turn, checked; the last one is the response."""
    async with aclosing(ask_agent_stream(agent, messages, token)) as items:
        async for item in items:
            if isinstance(item, Response):
                yield checked_response(agent, "on_messages_stream", item)
            else:
                yield checked_item(agent, item)
