"""An agent that answers in a schema, whatever its model can do, and asks again when an answer does not fit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError
from typing_extensions import override

from symposia.agentchat.agents import BaseChatAgent
from symposia.agentchat.base import Response
from symposia.agentchat.messages import BaseChatMessage, StructuredMessage
from symposia.core import CancellationToken, step
from symposia.core.exceptions import ModelError
from symposia.core.models import (
    ChatCompletionClient,
    CreateResult,
    LLMMessage,
    RequestUsage,
    SystemMessage,
    UserMessage,
)

Content = TypeVar("Content", bound=BaseModel)
ATTEMPTS = 3


class SchemaAgent(BaseChatAgent, Generic[Content]):
    """Answers with a `StructuredMessage` of one schema.

    A model that can be held to a schema is; another one is told the schema in words. An answer that is no such object,
    or that `complaint` finds fault with, is sent back with the reason, at most twice.

    Args:
        name: The agent's name.
        description: What it does, in a sentence.
        client: The model.
        prompt: What the model is told to be.
        schema: What it answers.
    """

    def __init__(
        self, name: str, description: str, *, client: ChatCompletionClient, prompt: str, schema: type[Content]
    ) -> None:
        super().__init__(name, description)
        self._client = client
        self._schema = schema
        self._message_type = StructuredMessage[schema]
        self._start = SystemMessage(content=prompt if _held_to_schema(client) else f"{prompt}\n{_in_words(schema)}")
        self._context: list[LLMMessage] = []

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """A `StructuredMessage` of the schema."""
        return (self._message_type,)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """Answer in the schema.

        Raises:
            ModelError: The model gave no fitting answer, three times.
        """
        self._context += self.heard(messages)
        usage = RequestUsage(0, 0)
        complaint, content = "", None
        for _ in range(ATTEMPTS):
            result = await self._ask(cancellation_token)
            usage += result.usage
            self._context.append(result.to_message(self.name))
            content, complaint = self._read(result)
            if content is not None and not complaint:
                return self._response(content, usage)
            self._context.append(UserMessage(content=f"{complaint} Answer again.", source="user"))
        return self._response(self.settle(content, complaint), usage)

    def heard(self, messages: Sequence[BaseChatMessage]) -> list[LLMMessage]:
        """Put new messages into words for the model."""
        return [message.to_model_message() for message in messages]

    def complaint(self, content: Content) -> str:
        """Say what is wrong with an answer that fits the schema; nothing by default."""
        del content
        return ""

    def settle(self, content: Content | None, complaint: str) -> Content:
        """Decide what to answer when no attempt was good: by default, an error.

        Args:
            content: The last answer, if it fitted the schema.
            complaint: What was wrong with it.
        """
        del content
        raise ModelError(
            f"{self.name}: the model gave no usable {self._schema.__name__} in {ATTEMPTS} answers. {complaint}"
        )

    @override
    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Forget the conversation."""
        self._context.clear()

    async def _ask(self, cancellation_token: CancellationToken) -> CreateResult:
        messages = [self._start, *self._context]
        json_output: bool | type[BaseModel] | None = _output_mode(self._client, self._schema)
        request = {"messages": messages, "json_output": self._schema.model_json_schema()}
        return await step(
            "model",
            self.name,
            request,
            lambda: self._client.create(messages, json_output=json_output, cancellation_token=cancellation_token),
        )

    def _read(self, result: CreateResult) -> tuple[Content | None, str]:
        """Give the content of an answer, or None, and what is wrong with it, or nothing."""
        if not isinstance(result.content, str):
            return None, "Answer with the object itself and call no tool."
        try:
            content = self._schema.model_validate_json(json_object_in(result.content))
        except ValidationError as error:
            return None, f"That is not a {self._schema.__name__}: {_faults(error)}"
        return content, self.complaint(content)

    def _response(self, content: Content, usage: RequestUsage) -> Response:
        message = self._message_type(content=content, source=self.name, models_usage=usage)
        return Response(chat_message=message)


def json_object_in(text: str) -> str:
    """Cut the JSON object out of an answer that has a fence or words around it."""
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else text


def _held_to_schema(client: ChatCompletionClient) -> bool:
    return bool(client.model_info.get("structured_output"))


def _output_mode(client: ChatCompletionClient, schema: type[BaseModel]) -> bool | type[BaseModel] | None:
    if _held_to_schema(client):
        return schema
    return True if client.model_info["json_output"] else None


def _in_words(schema: type[BaseModel]) -> str:
    return f"Answer with one JSON object and nothing else. Its JSON schema:\n{json.dumps(schema.model_json_schema())}"


def _faults(error: ValidationError) -> str:
    return (
        "; ".join(f"{'.'.join(map(str, each['loc'])) or 'the answer'}: {each['msg']}" for each in error.errors()) + "."
    )
