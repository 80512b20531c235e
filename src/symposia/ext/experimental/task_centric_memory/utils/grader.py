"""`Grader`: judges whether a response gives the expected answer, whatever its words."""

from __future__ import annotations

from typing import Final, Protocol

from symposia.core import Image
from symposia.core.argument_checks import check_model_client
from symposia.core.exceptions import ModelAnswerError
from symposia.core.models import ChatCompletionClient
from symposia.ext.experimental.task_centric_memory._conversation import ModelConversation
from symposia.ext.experimental.task_centric_memory.utils.page_logger import PageLogger, checked_logger

__all__ = ["Assignee", "Grader"]

_SYSTEM: Final = "You grade responses to tasks, strictly and fairly. Answer exactly what is asked."

_EXTRACT: Final = """\
Below are a task and a response to it. Copy the final answer that the response gives, without the way to it. \
If it gives none, answer: no answer

<task>
{task}
</task>

<response>
{response}
</response>"""

_COMPARE: Final = """\
Below are a task, its correct answer, and the answer that was given. Do both say the same? Other words, units \
of the same size and details that the task does not ask for make no difference; a different value does, and so \
does a missing part.

<task>
{task}
</task>

<correct>
{correct}
</correct>

<given>
{given}
</given>"""


class Assignee(Protocol):
    """Something that solves tasks, such as an `Apprentice`."""

    async def assign_task(self, task: str, use_memory: bool = True, should_await: bool = True) -> str:
        """Solve a task, and return the response."""
        ...


class Grader:
    """Judges responses by a model.

    Args:
        client: The model.
        logger: Logs the questions and answers; by default nothing is logged.

    Raises:
        ArgumentTypeError: `client` is no model client, or `logger` no `PageLogger`.
    """

    def __init__(self, client: ChatCompletionClient, logger: PageLogger | None = None) -> None:
        check_model_client(type(self).__name__, client)
        self.client = client
        self.logger = checked_logger(type(self).__name__, logger)
        self._conversation = self._begin()

    async def test_apprentice(
        self,
        apprentice: Assignee,
        task_description: str,
        expected_answer: str,
        num_trials: int,
        use_memory: bool,
        client: ChatCompletionClient,
    ) -> tuple[int, int]:
        """Assign a task several times, and count the right responses.

        Args:
            apprentice: Solves the task.
            task_description: The task.
            expected_answer: Its answer.
            num_trials: How often it is assigned.
            use_memory: Whether the apprentice is to use its memory.
            client: The model that judges, in place of the grader's own.

        Returns:
            The number of right responses, and `num_trials`.

        Raises:
            ModelAnswerError: The model did not say whether a response is right.
        """
        judge = Grader(client, self.logger)
        with self.logger.page():
            successes = 0
            for trial in range(1, num_trials + 1):
                response = await apprentice.assign_task(task_description, use_memory=use_memory)
                is_right, answer = await judge.is_response_correct(task_description, response, expected_answer)
                self.logger.info(f"Trial {trial}: {answer} ({'right' if is_right else 'wrong'})")
                successes += is_right
            return successes, num_trials

    async def call_model(
        self,
        summary: str,
        user_content: str | list[str | Image],
        system_message_content: str | None = None,
        keep_these_messages: bool = True,
    ) -> str:
        """Ask the model anything, with what was asked by this method before.

        Args:
            summary: The title of the question in the log.
            user_content: The question.
            system_message_content: Instructions, in place of the grader's.
            keep_these_messages: Whether later questions are asked with this one and its answer before them.
        """
        return await self._conversation.ask(
            summary, user_content, system_message=system_message_content, keep=keep_these_messages
        )

    async def is_response_correct(
        self, task_description: str, response_to_be_graded: str, correct_answer: str
    ) -> tuple[bool, str]:
        """Judge a response.

        Returns:
            Whether it gives the correct answer, and the answer that it gives.

        Raises:
            ModelAnswerError: The model did not say whether it does.
        """
        with self.logger.page():
            extract = _EXTRACT.format(task=task_description, response=response_to_be_graded)
            given = (await self._begin().ask("Find the answer", extract)).strip()
            compare = _COMPARE.format(task=task_description, correct=correct_answer, given=given)
            verdict = await self._begin().ask_whether("Compare the answers", compare)
            if verdict is None:
                raise ModelAnswerError(
                    "The model that grades did not say whether the answer is right. Grade with a model that can answer "
                    "in JSON."
                )
            return verdict, given

    def _begin(self) -> ModelConversation:
        return ModelConversation(self.client, self.logger, _SYSTEM)
