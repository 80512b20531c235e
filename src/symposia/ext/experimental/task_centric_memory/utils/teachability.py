"""`Teachability`: a memory with which an agent learns what users teach it."""

from __future__ import annotations

from typing import Any

from typing_extensions import override

from symposia.core import CancellationToken
from symposia.core.argument_checks import check_instance, check_text
from symposia.core.memory import Memory, MemoryContent, MemoryMimeType, MemoryQueryResult, UpdateContextResult
from symposia.core.model_context import ChatCompletionContext
from symposia.ext.experimental.task_centric_memory._memo import last_text_of_user, memo_of, show_memos
from symposia.ext.experimental.task_centric_memory.memory_controller import MemoryController

__all__ = ["Teachability"]


class Teachability(Memory):
    """Learns advice from the messages of the user, and shows the model what fits them.

    Give it to an `AssistantAgent` as one of its ``memory``. It is not saved as a component: the memos are in the folder
    of the controller's bank.

    Args:
        memory_controller: Learns and finds.
        name: Its name, and the source of the messages with what was found; ``teachability`` by default.

    Raises:
        ArgumentTypeError: An argument is of another type.
    """

    def __init__(self, memory_controller: MemoryController, name: str | None = None) -> None:
        owner = type(self).__name__
        if name is not None:
            check_text("The name", owner, name)
        example = "MemoryController(reset=False, client=client)"
        check_instance("memory_controller", owner, memory_controller, MemoryController, example)
        self._controller = memory_controller
        self._name = name or "teachability"

    @property
    def name(self) -> str:
        """The name."""
        return self._name

    async def update_context(self, model_context: ChatCompletionContext) -> UpdateContextResult:
        """Show what fits the last message of the user, unless it is shown already, and learn what that teaches."""
        text = last_text_of_user(await model_context.get_messages(), self.name)
        if not text:
            return UpdateContextResult(memories=MemoryQueryResult(results=[]))
        # Found first: what this message teaches is in the context already.
        found = await self._controller.retrieve_relevant_memos(text)
        await self._controller.consider_memo_storage(text)
        return await show_memos(model_context, found, self.name)

    @override
    async def add(self, content: MemoryContent, cancellation_token: CancellationToken | None = None) -> None:
        """Learn what a text teaches.

        Raises:
            ArgumentTypeError: The content is no text.
        """
        await self._controller.consider_memo_storage(memo_of(content).insight)

    @override
    async def query(
        self, query: str | MemoryContent, cancellation_token: CancellationToken | None = None, **kwargs: Any
    ) -> MemoryQueryResult:
        """Find what may help with a task.

        Raises:
            ArgumentTypeError: The content is no text.
        """
        text = query if isinstance(query, str) else memo_of(query).insight
        memos = await self._controller.retrieve_relevant_memos(text)
        return MemoryQueryResult(
            results=[
                MemoryContent(content=memo.insight, mime_type=MemoryMimeType.TEXT, metadata={"task": memo.task})
                for memo in memos
            ]
        )

    async def clear(self) -> None:
        """Forget everything, in the folder too."""
        await self._controller.memory_bank.clear()

    async def close(self) -> None:
        """Do nothing: the memory holds nothing between its calls."""
