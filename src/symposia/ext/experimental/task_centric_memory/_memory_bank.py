"""The memory bank: memos in a folder, which are found by topics."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict, override

from symposia._lazy import is_installed
from symposia.core import CancellationToken, run_in_worker_thread
from symposia.core.argument_checks import check_flag
from symposia.core.exceptions import MissingExtraError
from symposia.core.json_values import encodable
from symposia.core.memory import (
    Memory,
    MemoryContent,
    MemoryMimeType,
    MemoryQueryResult,
    UpdateContextResult,
    add_memory,
    query_memory,
)
from symposia.core.model_context import ChatCompletionContext
from symposia.ext.experimental.task_centric_memory._configs import checked_config
from symposia.ext.experimental.task_centric_memory._memo import Memo, last_text_of_user, memo_of, show_memos
from symposia.ext.experimental.task_centric_memory._topic_index import Search, TopicIndex
from symposia.ext.experimental.task_centric_memory.utils import page_logger
from symposia.ext.memory.embedders import Embedder, HashingEmbedder

T = TypeVar("T")

FILE_NAME: Final = "memos.sqlite"


@with_config(ConfigDict(extra="forbid", arbitrary_types_allowed=True))
class MemoryBankConfig(TypedDict, total=False):
    """The configuration of a `MemoryBank`. The first four have AutoGen's names and defaults.

    Attributes:
        path: The folder, ``./memory_bank/default`` by default.
        relevance_conversion_threshold: The relevance of a memo with an equal topic, 1.7 by default. The squared
            distance of the topics' vectors is subtracted, which is 2 for topics that have nothing in common.
        n_results: How many topics of the bank are looked at for each topic that is asked for, 25 by default.
        distance_threshold: Topics that are further away are not looked at; 100 by default, which is all.
        embedder: Makes the vectors of the topics: by default a `HashingEmbedder`, to which topics that are spelled
            alike are similar.
    """

    path: str
    relevance_conversion_threshold: float
    n_results: int
    distance_threshold: float
    embedder: Embedder


class MemoryBank(Memory):
    """Keeps memos in a folder of this machine. Several programs may use it at the same time.

    As a `Memory`, its contents are insights. The metadata have their ``task`` and the ``topics`` by which they are
    found, without which they are found by their own text.

    Args:
        reset: Whether the bank is emptied before its first use.
        config: The configuration.
        logger: Logs what is added and found.

    Raises:
        ArgumentTypeError: `reset` is no flag, or `logger` no `PageLogger`.
        InvalidArgumentError: `config` has a key that does not exist, or a value of another type. With any use: the
            folder has vectors of another embedder.
        MemoryStoreError: With any use: the folder cannot be written, or has a file that is no bank.
        MissingExtraError: ``numpy`` is not installed.
    """

    def __init__(
        self,
        reset: bool,
        config: MemoryBankConfig | None = None,
        logger: page_logger.PageLogger | None = None,
    ) -> None:
        check_flag("reset", type(self).__name__, reset)
        if not is_installed("numpy"):
            raise MissingExtraError(type(self).__name__, "task-centric-memory")
        given = checked_config(config, MemoryBankConfig)
        self.logger = page_logger.checked_logger(type(self).__name__, logger)
        self._path = given.get("path", "./memory_bank/default")
        self._embedder = given.get("embedder") or HashingEmbedder()
        self._search = Search(
            nearest=given.get("n_results", 25),
            max_distance=given.get("distance_threshold", 100),
            conversion_threshold=given.get("relevance_conversion_threshold", 1.7),
        )
        self._index = TopicIndex(Path(self._path) / FILE_NAME, self._embedder.name)
        self._must_be_emptied = bool(reset)
        self._emptying = threading.RLock()

    @property
    def name(self) -> str:
        """The path of the folder."""
        return self._path

    async def add_memo(self, insight: str, topics: Sequence[str], task: str | None = None) -> None:
        """Keep an insight, as an effect.

        Args:
            insight: The insight.
            topics: By which it is found.
            task: The task in which it was won.
        """
        metadata = {"task": task, "topics": list(topics)}
        content = MemoryContent(content=insight, mime_type=MemoryMimeType.TEXT, metadata=metadata)
        await add_memory(self, content)

    async def get_relevant_memos(self, topics: Sequence[str]) -> list[Memo]:
        """Find the memos of topics like these, as an effect, the most relevant first, and each once."""
        found = await query_memory(self, "\n".join(topics), topics=list(topics))
        return list(dict.fromkeys(memo_of(content) for content in found.results))

    @override
    async def add(self, content: MemoryContent, cancellation_token: CancellationToken | None = None) -> None:
        """Keep an insight. It is on the disk, and found by others, when this returns."""
        memo, metadata = memo_of(content), content.metadata or {}
        topics = [encodable(topic) for topic in metadata.get("topics") or [memo.insight]]
        self.logger.info(f"Memo: {memo.insight}\nTask: {memo.task}\nTopics: {', '.join(topics)}")
        vectors = await self._embedder.embed(topics)
        task = None if memo.task is None else encodable(memo.task)
        await self._call(partial(self._index.add, task, encodable(memo.insight), topics, vectors), cancellation_token)

    @override
    async def query(
        self,
        query: str | MemoryContent,
        cancellation_token: CancellationToken | None = None,
        *,
        topics: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> MemoryQueryResult:
        """Find insights, the most relevant first.

        Args:
            query: Text.
            cancellation_token: Cancelling it ends the wait.
            topics: What is looked for, in place of the text as one topic.
            kwargs: Ignored.

        Returns:
            The insights, with their ``task`` and ``relevance``.
        """
        text = query if isinstance(query, str) else str(query.content)
        vectors = await self._embedder.embed([encodable(topic) for topic in topics or [text]])
        found = await self._call(partial(self._index.find, vectors, self._search), cancellation_token)
        self.logger.info(f"Memos found: {len(found)}")
        return MemoryQueryResult(
            results=[
                MemoryContent(
                    content=each.insight,
                    mime_type=MemoryMimeType.TEXT,
                    metadata={"task": each.task, "relevance": round(each.relevance, 4)},
                )
                for each in found
            ]
        )

    @override
    async def update_context(self, model_context: ChatCompletionContext) -> UpdateContextResult:
        """Add the insights that fit the last message of the user, unless the context has them already."""
        text = last_text_of_user(await model_context.get_messages(), self.name)
        found = (await self.query(text)).results if text else []
        return await show_memos(model_context, [memo_of(each) for each in found], self.name)

    @override
    async def clear(self) -> None:
        """Forget everything, in the folder too."""
        await run_in_worker_thread(self.reset)

    def reset(self) -> None:
        """Forget everything, in the folder too. It waits for the disk: in a coroutine, call `clear`."""
        with self._emptying:
            self._index.clear()
            self._must_be_emptied = False

    @override
    async def close(self) -> None:
        """Do nothing: the bank holds nothing between its calls."""

    async def _call(self, function: Callable[[], T], token: CancellationToken | None = None) -> T:
        """Call what waits for the disk, after emptying the bank if that is due."""

        def call() -> T:
            with self._emptying:  # held over it, so that nothing is added between the decision and the emptying
                if self._must_be_emptied:
                    self.reset()
            return function()

        task = asyncio.ensure_future(run_in_worker_thread(call))
        if token is not None:
            token.link_future(task)
        return await task
