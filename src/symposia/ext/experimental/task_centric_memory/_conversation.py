"""Questions to a model, whose answers are text, or an object of a schema as far as the model is able to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from symposia.core import Image
from symposia.core.exceptions import ModelAnswerError
from symposia.core.json_values import json_in
from symposia.core.models import (
    AssistantMessage,
    ChatCompletionClient,
    CreateOptions,
    LLMMessage,
    SystemMessage,
    UserMessage,
    call_model,
)
from symposia.ext.experimental.task_centric_memory.utils import page_logger

AnswerT = TypeVar("AnswerT", bound=BaseModel)

_WORDS: Final = {"1": True, "yes": True, "true": True, "0": False, "no": False, "false": False}


class Verdict(BaseModel, defer_build=True):
    """The answer to a question of yes or no.

    Attributes:
        reason: The reason, which models give before they answer.
        answer: The answer.
    """

    model_config = ConfigDict(extra="forbid")

    reason: str = ""
    answer: bool


class ModelConversation:
    """A conversation with a model, in which each question is logged.

    Args:
        client: The model.
        logger: Logs the questions and answers.
        system_message: The instructions to the model.
    """

    def __init__(self, client: ChatCompletionClient, logger: page_logger.PageLogger, system_message: str) -> None:
        self._client = client
        self._logger = logger
        self._system_message = system_message
        self._history: list[LLMMessage] = []

    async def ask(
        self,
        summary: str,
        question: str | list[str | Image],
        *,
        system_message: str | None = None,
        keep: bool = True,
        schema: type[BaseModel] | None = None,
    ) -> str:
        """Ask for a text, as an effect.

        Args:
            summary: The title of the question in the log.
            question: The question.
            system_message: In place of the conversation's.
            keep: Whether later questions are asked with this one and its answer before them.
            schema: The class of the answer, for models that take one.

        Raises:
            ModelAnswerError: The model answered with something else than text.
            Exception: See `ChatCompletionClient.create`.
        """
        asked = UserMessage(content=question, source="user")
        system = SystemMessage(content=self._system_message if system_message is None else system_message)
        messages: list[LLMMessage] = [system, *self._history, asked]
        result = await call_model(self._client, messages, **self._options(schema))
        self._logger.log_model_call(summary, messages, result)
        if not isinstance(result.content, str):
            raise ModelAnswerError(
                f"The model was asked a question ({summary}), and answered with calls of tools. Give a client that "
                "offers it no tools of its own."
            )
        if keep:
            self._history += [asked, AssistantMessage(content=result.content, source="assistant")]
        return result.content

    async def ask_for(
        self, summary: str, question: str, schema: type[AnswerT], read: Callable[[str], AnswerT | None]
    ) -> AnswerT | None:
        """Ask for an object.

        Args:
            summary: The title of the question in the log.
            question: The question, which describes the object.
            schema: The class of the object.
            read: Makes the object of an answer in other words.

        Returns:
            The object; None if the answer cannot be read.
        """
        text = await self.ask(summary, question, schema=schema)
        try:
            return schema.model_validate_json(json_in(text))
        except ValidationError:
            return read(text)

    async def ask_whether(self, summary: str, question: str) -> bool | None:
        """Ask a question of yes or no.

        Returns:
            The answer; None if it cannot be read.
        """
        how = 'Answer with one JSON object and nothing else: {"reason": "…", "answer": true or false}'
        verdict = await self.ask_for(summary, f"{question}\n\n{how}", Verdict, _read_word)
        return None if verdict is None else verdict.answer

    def _options(self, schema: type[BaseModel] | None) -> CreateOptions:
        """What the model is told of the schema: the schema itself, or only that JSON is wanted."""
        info = self._client.model_info
        if schema is None or not (info.get("structured_output", False) or info["json_output"]):
            return {}
        return {"json_output": schema if info.get("structured_output", False) else True}


def _read_word(text: str) -> Verdict | None:
    """A verdict in one word, or in a sentence that begins with it."""
    words = text.split()
    answer = _WORDS.get(words[0].strip("\"'`*.,:;!").lower()) if words else None
    return None if answer is None else Verdict(reason=text, answer=answer)
