"""Answers in a schema: how a model is held to it, and what happens to an answer that does not fit.

A model with structured output is held to the schema by its vendor. A model that at least writes JSON is told the schema
in words, and so is any other. Fences and words around the object are ignored, since models write them whatever they are
told.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

from pydantic import BaseModel, ValidationError

from symposia.agentchat.agents._model_turn import ModelCall
from symposia.agentchat.messages import BaseChatMessage
from symposia.core import call_function
from symposia.core.exceptions import ModelAnswerError
from symposia.core.json_values import json_in, validation_faults
from symposia.core.models import ChatCompletionClient

if TYPE_CHECKING:
    from symposia.agentchat.messages import StructuredMessageFactory

ContentT = TypeVar("ContentT", bound=BaseModel)

OutputCheck: TypeAlias = Callable[[ContentT, Sequence[BaseChatMessage]], str | Awaitable[str | None] | None]
"""Returns the fault of an answer that fits the schema; None or an empty text if it has none.

It is given the content, and the messages that the assistant received in this turn. The text is sent to the model. A
plain function runs in a worker thread.
"""

OutputFallback: TypeAlias = Callable[[ContentT | None, str], ContentT | Awaitable[ContentT]]
"""Gives the answer of a turn in which no attempt was accepted.

It is given the content of the last attempt, None if it did not fit the schema, and what was wrong with it. It returns
the content to answer with, or raises. A plain function runs in a worker thread.
"""

_schemas: Final[MutableMapping[type[BaseModel], str]] = WeakKeyDictionary()


class Verdict(NamedTuple, Generic[ContentT]):
    """The verdict on one answer.

    Attributes:
        content: The content, if the answer fits the schema.
        complaint: The fault of the answer; empty if it is accepted.
        cause: The error of validation, if the answer does not fit the schema.
    """

    content: ContentT | None
    complaint: str = ""
    cause: ValidationError | None = None


class StructuredOutput(NamedTuple, Generic[ContentT]):
    """The answers of an assistant that answers in a schema.

    Attributes:
        agent: The assistant's name.
        factory: Makes the messages.
        content_type: The class of their content.
        retries: How often an answer that is not accepted is sent back.
        check: Checks the content.
        fallback: Gives the answer if no attempt was accepted; None raises an error.
    """

    agent: str
    factory: StructuredMessageFactory
    content_type: type[ContentT]
    retries: int
    check: OutputCheck[ContentT] | None
    fallback: OutputFallback[ContentT] | None

    def mode(self, client: ChatCompletionClient) -> bool | type[BaseModel] | None:
        """The `json_output` of a call: the schema, just JSON, or None for a model that has neither."""
        if client.model_info.get("structured_output"):
            return self.content_type
        return True if client.model_info["json_output"] else None

    def instructions(self, client: ChatCompletionClient) -> str | None:
        """The schema in words, for a model whose vendor does not hold it to the schema."""
        if client.model_info.get("structured_output"):
            return None
        return f"Answer with one JSON object and nothing else. Its JSON schema:\n{_schema_text(self.content_type)}"

    # The check is no effect, and its result is not recorded: it decides by the answer and the messages alone, which a
    # replay has too.
    async def judge(self, call: ModelCall, received: Sequence[BaseChatMessage]) -> Verdict[ContentT]:
        """Validate an answer, and check its content.

        Args:
            call: The call that gave the answer.
            received: The messages of this turn.
        """
        if not isinstance(call.result.content, str):
            return Verdict(None, "Answer with the object itself and call no tool.")
        name = self.content_type.__name__
        try:
            content = self.content_type.model_validate_json(json_in(call.text))
        except ValidationError as error:
            return Verdict(None, f"That is not a {name}: {'; '.join(validation_faults(error, 'the answer'))}.", error)
        complaint = await call_function(self.check, content, received) if self.check is not None else None
        return Verdict(content, complaint or "")

    def correction(self, verdict: Verdict[ContentT]) -> str:
        """The message that sends an answer back; of one that does not fit the schema, with the fields to give."""
        fields = _field_list(self.content_type) if verdict.content is None else ""
        how = f", with one JSON object of these fields: {fields}" if fields else ""
        return f"{verdict.complaint} Answer again{how}."

    async def settle(self, verdict: Verdict[ContentT], call: ModelCall) -> BaseChatMessage:
        """The answer of the turn, of the last attempt.

        It has the tokens of the call, unless the attempt was not accepted: then its `OutputRejectedEvent` has them.

        Raises:
            ModelAnswerError: The attempt was not accepted, and there is no fallback.
        """
        content, usage = verdict.content, call.result.usage
        if verdict.complaint or content is None:
            content, usage = await self._fall_back(verdict), None
        return self.factory.StructuredMessage(
            id=call.message_id,
            content=content,
            source=self.agent,
            models_usage=usage,
            format_string=self.factory.format_string,
        )

    async def _fall_back(self, verdict: Verdict[ContentT]) -> ContentT:
        if self.fallback is not None:
            return await call_function(self.fallback, verdict.content, verdict.complaint)
        attempts = f" after {self.retries + 1} attempts" if self.retries else ""
        raise ModelAnswerError(
            f"Agent '{self.agent}': the model's answer cannot be used{attempts}. {verdict.complaint}"
        ) from verdict.cause


def _schema_text(content_type: type[BaseModel]) -> str:
    """The schema of a class, derived once for it."""
    text = _schemas.get(content_type)
    if text is None:
        import json  # noqa: PLC0415 - most agents answer in text

        text = _schemas[content_type] = json.dumps(content_type.model_json_schema(), ensure_ascii=False)
    return text


def _field_list(content_type: type[BaseModel]) -> str:
    """The names of the fields as JSON has them; empty for a class whose JSON is no object of fields."""
    schema = content_type.model_json_schema()
    required = schema.get("required", ())
    return ", ".join(name if name in required else f"{name} (optional)" for name in schema.get("properties", ()))
