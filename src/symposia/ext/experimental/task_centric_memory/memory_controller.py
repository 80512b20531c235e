"""`MemoryController`: learns insights from tasks, advice and examples, and gives them to agents with new tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from pydantic import ConfigDict, PositiveInt, with_config
from typing_extensions import TypedDict

from symposia.core.argument_checks import check_flag, check_function, check_model_client, check_text
from symposia.core.effects import enter_scope
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import ChatCompletionClient
from symposia.ext.experimental.task_centric_memory._configs import checked_config
from symposia.ext.experimental.task_centric_memory._memo import Memo, section_of
from symposia.ext.experimental.task_centric_memory._memory_bank import MemoryBank, MemoryBankConfig
from symposia.ext.experimental.task_centric_memory._prompter import Prompter
from symposia.ext.experimental.task_centric_memory.utils.grader import Grader
from symposia.ext.experimental.task_centric_memory.utils.page_logger import PageLogger, checked_logger

__all__ = ["MemoryController", "MemoryControllerConfig"]

AssignTask: TypeAlias = Callable[[str], Awaitable[tuple[str, str]]]
"""Gives a task to an agent or a team, and returns its response and how it came to it, as texts."""


@with_config(ConfigDict(extra="forbid", arbitrary_types_allowed=True))
class MemoryControllerConfig(TypedDict, total=False):
    """The configuration of a `MemoryController`. The defaults are AutoGen's.

    Attributes:
        generalize_task: Whether memos are filed and looked for by the kind of a task, not by its own words. True by
            default, as the next two.
        revise_generalized_task: Whether the model criticizes and rewrites that, with two more questions.
        generate_topics: Whether they are filed by topics, which a model finds, and not by the whole text.
        validate_memos: Whether the model is asked of each memo that was found whether it helps. True by default.
        max_memos_to_retrieve: How many memos a task is given at most, 10 by default.
        max_train_trials: How often training tries a task at most, 10 by default.
        max_test_trials: How often an agent has to succeed in a row, so that it is taken to know how; 3 by default.
        MemoryBank: The configuration of the bank.
    """

    generalize_task: bool
    revise_generalized_task: bool
    generate_topics: bool
    validate_memos: bool
    max_memos_to_retrieve: PositiveInt
    max_train_trials: PositiveInt
    max_test_trials: PositiveInt
    MemoryBank: MemoryBankConfig


class MemoryController:
    """Keeps insights in a `MemoryBank`, and gives them to agents with tasks like those in which they were won.

    Args:
        reset: Whether the bank is emptied before its first use.
        client: The model that finds topics, judges responses and writes insights.
        task_assignment_callback: Gives a task to an agent or a team. Only what assigns tasks needs it.
        config: The configuration.
        logger: Logs each step; by default nothing is logged.

    Raises:
        ArgumentTypeError: An argument is of another type.
        InvalidArgumentError: `config` has a key that does not exist, or a value of another type.
    """

    def __init__(
        self,
        reset: bool,
        client: ChatCompletionClient,
        task_assignment_callback: AssignTask | None = None,
        config: MemoryControllerConfig | None = None,
        logger: PageLogger | None = None,
    ) -> None:
        owner = type(self).__name__
        check_flag("reset", owner, reset)
        check_model_client(owner, client)
        check_function("task_assignment_callback", owner, task_assignment_callback, "async def assign(task)")
        given = checked_config(config, MemoryControllerConfig)
        self.logger = checked_logger(owner, logger)
        self.client = client
        self.task_assignment_callback = task_assignment_callback
        self.generalize_task = given.get("generalize_task", True)
        self.revise_generalized_task = given.get("revise_generalized_task", True)
        self.generate_topics = given.get("generate_topics", True)
        self.validate_memos = given.get("validate_memos", True)
        self.max_memos_to_retrieve = given.get("max_memos_to_retrieve", 10)
        self.max_train_trials = given.get("max_train_trials", 10)
        self.max_test_trials = given.get("max_test_trials", 3)
        self.prompter = Prompter(client, self.logger)
        self.memory_bank = MemoryBank(reset=reset, config=given.get("MemoryBank"), logger=self.logger)
        self.grader = Grader(client, self.logger)

    def reset_memory(self) -> None:
        """Forget everything, in the bank's folder too. It waits for the disk: in a coroutine, use ``clear``.

        ``await controller.memory_bank.clear()`` does the same without blocking the event loop.
        """
        self.memory_bank.reset()

    async def train_on_task(self, task: str, expected_answer: str) -> None:
        """Assign a task again and again, each time with a new insight won from the failure, until the agent knows how.

        The insight after which it succeeds `max_test_trials` times in a row is remembered. None is if it succeeds
        without a new one, or fails `max_train_trials` times.

        Raises:
            InvalidArgumentError: The controller has no `task_assignment_callback`.
            ModelAnswerError: The model did not say whether a response is right.
        """
        with self.logger.page():
            known = [memo.insight for memo in await self.retrieve_relevant_memos(task)]
            insight: str | None = None
            for trial in range(1, self.max_train_trials + 1):
                insights = section_of([*known, *([insight] if insight else [])])
                with enter_scope(f"trial:{trial}"):
                    failure = await self._find_failure(task, _with_section(task, insights), expected_answer)
                    if failure is None:
                        self.logger.info(f"Trial {trial}: the agent knows how.")
                        break
                    if trial == self.max_train_trials:
                        self.logger.info(f"Trial {trial}: the agent failed, and this was the last one.")
                        return
                    response, work = failure
                    insight = await self.prompter.learn_from_failure(task, insights, response, expected_answer, work)
            if insight:
                await self.add_memo(insight, task)

    async def _find_failure(self, task: str, assigned: str, expected_answer: str) -> tuple[str, str] | None:
        """The first response that is wrong, and the work before it; None if none is."""
        for _ in range(self.max_test_trials):
            response, work = await self._assign(assigned)
            if not (await self.grader.is_response_correct(task, response, expected_answer))[0]:
                return response, work
        return None

    async def test_on_task(self, task: str, expected_answer: str, num_trials: int = 1) -> tuple[str, int, int]:
        """Assign a task, with the insights that fit, and count how often the response is right.

        Returns:
            The last response, the number of right ones, and `num_trials`.

        Raises:
            InvalidArgumentError: The controller has no `task_assignment_callback`.
            ModelAnswerError: The model did not say whether a response is right.
        """
        with self.logger.page():
            assigned = await self._with_insights(task)
            response, successes = "", 0
            for trial in range(1, num_trials + 1):
                with enter_scope(f"trial:{trial}"):
                    response, _ = await self._assign(assigned)
                    is_right, _ = await self.grader.is_response_correct(task, response, expected_answer)
                successes += is_right
            self.logger.info(f"Right responses: {successes} of {num_trials}")
            return response, successes, num_trials

    async def add_memo(self, insight: str, task: str | None = None, index_on_both: bool = True) -> None:
        """Remember an insight.

        Args:
            insight: The insight.
            task: The task in which it was won. Without one, it is filed by its own text.
            index_on_both: Whether it is filed by the task and its own text, and not by the task alone.
        """
        check_text("insight", type(self).__name__, insight)
        with self.logger.page():
            if task is None:
                text = insight
            else:
                kind = await self._kind_of(task)
                text = f"{kind}\n{insight}" if index_on_both else kind
            await self.memory_bank.add_memo(insight, await self._topics_of(text), task)

    async def add_task_solution_pair_to_memory(self, task: str, solution: str) -> None:
        """Remember a task with its solution, as an example of how to solve tasks like it."""
        with self.logger.page():
            example = f"A task like this one:\n\n{task}\n\nIts solution:\n\n{solution}"
            await self.memory_bank.add_memo(example, await self._topics_of(task), task)

    async def retrieve_relevant_memos(self, task: str) -> list[Memo]:
        """Find the memos that may help with a task, the most relevant first."""
        with self.logger.page():
            topics = await self._topics_of(await self._kind_of(task))
            found = await self.memory_bank.get_relevant_memos(topics)
            kept = await self._validated(found, task) if self.validate_memos else found[: self.max_memos_to_retrieve]
            self.logger.info(f"Memos that may help: {len(kept)} of {len(found)}")
            return kept

    async def _validated(self, memos: list[Memo], task: str) -> list[Memo]:
        """The first memos that help, at most `max_memos_to_retrieve`.

        As many are validated at the same time as are still wanted: so no question is asked that one after another would
        not be.
        """
        kept: list[Memo] = []
        start = 0
        while start < len(memos) and len(kept) < self.max_memos_to_retrieve:
            batch = memos[start : start + self.max_memos_to_retrieve - len(kept)]
            validations = (self._is_valid(memo, task, start + place) for place, memo in enumerate(batch))
            verdicts = await asyncio.gather(*validations)
            kept += [memo for memo, is_valid in zip(batch, verdicts, strict=True) if is_valid]
            start += len(batch)
        return kept

    async def _is_valid(self, memo: Memo, task: str, place: int) -> bool:
        with enter_scope(f"memo:{place}"):
            return await self.prompter.validate_insight(memo.insight, task)

    async def assign_task(self, task: str, use_memory: bool = True, should_await: bool = True) -> str:
        """Give a task to the agent, with the insights that may help.

        Args:
            task: The task.
            use_memory: Whether insights are added to it.
            should_await: Has to be true, as in AutoGen.

        Returns:
            The agent's response.

        Raises:
            InvalidArgumentError: The controller has no `task_assignment_callback`, or `should_await` is false.
        """
        if not should_await:
            raise InvalidArgumentError(
                "assign_task waits for the response. To go on meanwhile, give it to asyncio.create_task()."
            )
        with self.logger.page():
            response, _ = await self._assign(await self._with_insights(task) if use_memory else task)
            return response

    async def consider_memo_storage(self, text: str) -> str | None:
        """Remember what a text teaches.

        Returns:
            That, as one piece of advice; None if it teaches nothing.
        """
        with self.logger.page():
            advice = await self.prompter.extract_advice(text)
            if advice is not None:
                await self.add_memo(advice)
            return advice

    async def handle_user_message(self, text: str, should_await: bool = True) -> str:
        """Remember what a message of the user teaches, and assign it as a task.

        Insights are added to the task where the message teaches nothing: what it teaches is in the task already.

        Returns:
            The agent's response.
        """
        with self.logger.page():
            advice = await self.consider_memo_storage(text)
            return await self.assign_task(text, use_memory=advice is None, should_await=should_await)

    async def _kind_of(self, task: str) -> str:
        if not self.generalize_task:
            return task
        return await self.prompter.generalize_task(task, revise=self.revise_generalized_task)

    async def _topics_of(self, text: str) -> list[str]:
        return await self.prompter.find_index_topics(text) if self.generate_topics else [text]

    async def _with_insights(self, task: str) -> str:
        return _with_section(task, section_of(memo.insight for memo in await self.retrieve_relevant_memos(task)))

    async def _assign(self, task: str) -> tuple[str, str]:
        if self.task_assignment_callback is None:
            raise InvalidArgumentError(
                "This MemoryController cannot assign tasks: give it a task_assignment_callback, an async function that "
                "is given a task and returns the response and the work before it, as texts."
            )
        return await self.task_assignment_callback(task)


def _with_section(task: str, section: str) -> str:
    return f"{task}\n\n{section}" if section else task
