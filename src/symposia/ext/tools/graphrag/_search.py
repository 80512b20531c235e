"""What both searches have in common: reading the index once, and asking the model."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from typing import TypeVar

from pydantic import BaseModel

from symposia.core import CancellationToken, cancelled_by
from symposia.core.exceptions import InvalidArgumentError, ToolServiceError
from symposia.core.tools import BaseTool, ToolTraits
from symposia.ext._litellm import load, run
from symposia.ext._time_limit import time_limit
from symposia.ext.tools._text_limit import check_max_chars, shorten
from symposia.ext.tools.graphrag._library import EncodingTokenizer, LibraryObject, WatchedModel, require_graphrag

ArgsT = TypeVar("ArgsT", bound=BaseModel)
ReturnT = TypeVar("ReturnT", bound=BaseModel)

TIMEOUT = 300.0
"""Seconds of a search by default: a global one makes a request for each 12,000 tokens of reports."""


class IndexSearchTool(BaseTool[ArgsT, ReturnT], ABC):
    """A search of an index.

    Tables are read and data is chosen in a worker thread. The requests run on LiteLLM's own event loop, since its
    coroutines block.

    Args:
        args_type: The class of the arguments.
        return_type: The class of the result.
        name: The name of the tool.
        description: Its description for the model.
        token_encoder: See the subclasses, as for all that follow.
        model: The model.
        timeout: Seconds of a search.
        max_chars: Characters of the answer that the model reads.
    """

    traits = ToolTraits("idempotent")

    def __init__(
        self,
        args_type: type[ArgsT],
        return_type: type[ReturnT],
        name: str,
        description: str,
        token_encoder: LibraryObject,
        model: LibraryObject,
        timeout: float,
        max_chars: int,
    ) -> None:
        require_graphrag(type(self).__name__)
        super().__init__(args_type, return_type, name, description)
        if not timeout > 0:
            raise InvalidArgumentError(f"timeout of {type(self).__name__} is {timeout!r}: give seconds above 0.")
        check_max_chars(type(self).__name__, max_chars)
        self._tokenizer = token_encoder if hasattr(token_encoder, "num_tokens") else EncodingTokenizer(token_encoder)
        self._model = model
        self._timeout = timeout
        self._max_chars = max_chars
        self._context_builder: LibraryObject = None
        self._lock = threading.Lock()

    @abstractmethod
    def _read_index(self) -> LibraryObject:
        """Read the index. Called in a worker thread, once.

        Returns:
            GraphRAG's builder of contexts.
        """

    @abstractmethod
    def _context(self, builder: LibraryObject, query: str, vector: LibraryObject) -> LibraryObject:
        """Choose the data for a query. Called in a worker thread."""

    @abstractmethod
    def _engine(self, context: LibraryObject, model: WatchedModel) -> LibraryObject:
        """GraphRAG's search with data that was chosen."""

    async def _vector(self, query: str) -> LibraryObject:
        """The embedder's response to a query. Called on LiteLLM's event loop."""
        del query

    async def _answer(self, query: str, cancellation_token: CancellationToken) -> str:
        late = ToolServiceError(f"The search took longer than {self._timeout:g} seconds.")
        try:
            with cancelled_by(cancellation_token):
                async with time_limit(self._timeout, late):
                    return await self._search(query)
        except ToolServiceError:
            raise
        except Exception as error:  # GraphRAG, LiteLLM, pandas and Arrow have no common class
            raise ToolServiceError(f"The search failed: {type(error).__name__}: {error}") from error

    async def _search(self, query: str) -> str:
        if not query.strip():
            raise ToolServiceError("The query is empty: give a question.")
        await asyncio.to_thread(load)
        vector = await run(self._vector(query))
        context = await asyncio.to_thread(self._chosen, query, vector)
        model = WatchedModel(self._model)
        answer = await run(_joined(self._engine(context, model).stream_search(query=query)))
        if model.failures:
            raise model.failures[0]
        return answer

    def _chosen(self, query: str, vector: LibraryObject) -> LibraryObject:
        # One thread at a time: GraphRAG notes down how well a community fits a query in the community itself.
        with self._lock:
            if self._context_builder is None:
                self._context_builder = self._read_index()
            return self._context(self._context_builder, query, vector)

    def return_value_as_string(self, value: object) -> str:
        """The answer, at most `max_chars` of it."""
        answer: object = getattr(value, "answer", None)
        return shorten(answer if isinstance(answer, str) else super().return_value_as_string(value), self._max_chars)


async def _joined(pieces: AsyncIterator[str]) -> str:
    return "".join([piece async for piece in pieces])
