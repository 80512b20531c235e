"""The questions by which a memory learns and searches: topics of tasks, lessons of failures, advice in messages."""

from __future__ import annotations

import re
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from symposia.core.json_values import json_in
from symposia.core.models import ChatCompletionClient
from symposia.ext.experimental.task_centric_memory._conversation import ModelConversation
from symposia.ext.experimental.task_centric_memory.utils import page_logger

_SYSTEM: Final = "You help to keep a memory of what was learned from tasks. Answer exactly what is asked, briefly."

_TOPICS: Final = """\
The text below is going to be filed under a few topics, so that it is found again for texts about the same \
things. List at most {most} topics of one to four words each, the most characteristic first: subjects, methods \
and kinds of problems, not names and numbers that only this text has.

Answer with one JSON object and nothing else: {{"topics": ["…", "…"]}}

<text>
{text}
</text>"""

_GENERALIZE: Final = """\
State the task below so that the statement also describes other tasks of its kind. Keep what decides how it is \
solved, and replace names, numbers and other details by what they are examples of. Answer with the statement \
alone.

<task>
{task}
</task>"""

_CRITICIZE: Final = """\
Which words of your statement still belong to that one task only, and which does a reader miss who knows the \
method but not the task? Answer in at most three sentences."""

_REVISE: Final = """\
Write the statement anew so that these faults are gone. Answer with the statement alone, in one or two \
sentences."""

_DIAGNOSE: Final = """\
An agent was given a task, and its response is wrong.

<task>
{task}
</task>
{insights}
<work>
{work}
</work>

<response>
{response}
</response>

<expected>
{expected}
</expected>

Follow the work step by step, and name the first step where it leaves the way that leads to the expected \
response. If the work is not shown, name the assumption that explains the response best."""

_REMEDY: Final = "What would the agent have had to know, or to do, at that step? Say it without the expected response."

_LESSON: Final = """\
Write the advice that this agent, and any other, should be given with tasks of this kind, in at most three \
sentences. It must be true and useful without this conversation, and must not contain the expected response. \
Answer with the advice alone."""

_IS_RELEVANT: Final = """\
Would the insight help somebody who has to solve this task? An insight about something else does not, however \
true it is.

<insight>
{insight}
</insight>

<task>
{task}
</task>"""

_ADVICE: Final = """\
A user wrote the message below. Does it teach something that is worth remembering for other conversations: \
advice, a rule, a correction, a preference, a fact about the user? If so, write that as one piece of advice \
that can be understood without the message. A plain request or question teaches nothing.

Answer with one JSON object and nothing else: {{"found": "the advice"}}, or {{"found": null}} if there is \
none.

<message>
{text}
</message>"""

MAX_TOPICS: Final = 20
"""Of one text: each is compared with all in the bank, and a model that repeats itself names hundreds."""


_LIST: Final = TypeAdapter(list[str], config=ConfigDict(defer_build=True))


class _Topics(BaseModel, defer_build=True):
    model_config = ConfigDict(extra="forbid")

    topics: list[str] = Field(min_length=1)


class _Found(BaseModel, defer_build=True):
    model_config = ConfigDict(extra="forbid")

    found: str | None


class Prompter:
    """Asks a model.

    Args:
        client: The model.
        logger: Logs the questions and answers.
    """

    def __init__(self, client: ChatCompletionClient, logger: page_logger.PageLogger) -> None:
        self._client = client
        self._logger = logger

    async def learn_from_failure(
        self, task: str, insights: str, response: str, expected_answer: str, work_history: str
    ) -> str:
        """An insight that would have helped with a task.

        Args:
            task: The task.
            insights: The section with the insights that the agent had.
            response: Its response.
            expected_answer: The right one.
            work_history: How it came to its response.
        """
        conversation = self._conversation()
        question = _DIAGNOSE.format(
            task=task, insights=insights, work=work_history, response=response, expected=expected_answer
        )
        await conversation.ask("Find the step that failed", question)
        await conversation.ask("Find what was missing", _REMEDY)
        return (await conversation.ask("Write the insight", _LESSON)).strip()

    async def find_index_topics(self, text: str) -> list[str]:
        """The topics of a text; the text itself if the model names none."""
        found = await self._conversation().ask_for(
            "Find topics", _TOPICS.format(text=text, most=MAX_TOPICS), _Topics, _read_lines
        )
        topics = [topic.strip() for topic in found.topics if topic.strip()] if found else []
        return list(dict.fromkeys(topics))[:MAX_TOPICS] or [text]

    async def generalize_task(self, task: str, *, revise: bool = True) -> str:
        """A task in terms of its kind.

        Args:
            task: The task.
            revise: Whether the model criticizes its first statement and writes another one.
        """
        conversation = self._conversation()
        statement = await conversation.ask("Generalize the task", _GENERALIZE.format(task=task))
        if revise:
            await conversation.ask("Criticize the general task", _CRITICIZE)
            statement = await conversation.ask("Revise the general task", _REVISE)
        return statement.strip() or task

    async def validate_insight(self, insight: str, task: str) -> bool:
        """Whether an insight helps with a task. An answer that cannot be read is a no.

        An error would end the agent's turn, while an insight that is left out only makes it as good as without one.
        """
        question = _IS_RELEVANT.format(insight=insight, task=task)
        return bool(await self._conversation().ask_whether("Validate an insight", question))

    async def extract_advice(self, text: str) -> str | None:
        """What a message teaches; None for nothing."""
        answer = await self._conversation().ask_for("Find advice", _ADVICE.format(text=text), _Found, _read_text)
        found = (answer.found or "").strip() if answer else ""
        return None if found.strip("\"'`*.").lower() in {"", "none", "null"} else found

    def _conversation(self) -> ModelConversation:
        return ModelConversation(self._client, self._logger, _SYSTEM)


def _read_text(text: str) -> _Found:
    """What is answered in words. An object of another kind than asked for says nothing that can be kept."""
    return _Found(found=None if json_in(text).startswith("{") else text)


def _read_lines(text: str) -> _Topics | None:
    """Topics that are given as a list, or line by line, perhaps with the marks of a list."""
    try:
        return _Topics(topics=_LIST.validate_json(json_in(text)))
    except ValidationError:
        pass  # the common case: it is no JSON
    lines = [re.sub(r"^\s*(?:[-*•]|\d+[.)])\s+", "", line).strip() for line in text.splitlines()]
    named = [line for line in lines if line]
    return _Topics(topics=named) if named else None
