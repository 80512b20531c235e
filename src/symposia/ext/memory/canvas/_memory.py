"""A canvas as a memory, and the tools with which a model writes on it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from pydantic import BaseModel
from typing_extensions import override

from symposia.core import CancellationToken, run_in_worker_thread
from symposia.core.argument_checks import check_instance
from symposia.core.memory import Memory, MemoryContent, MemoryMimeType, MemoryQueryResult, UpdateContextResult
from symposia.core.model_context import ChatCompletionContext
from symposia.core.models import SystemMessage
from symposia.core.tools import BaseTool, ToolTraits
from symposia.ext.memory.canvas._canvas import CANVAS_HEADER, TextCanvas


class UpdateFileArgs(BaseModel, defer_build=True):
    """The arguments of `UpdateFileTool`."""

    filename: str
    new_content: str


class ApplyPatchArgs(BaseModel, defer_build=True):
    """The arguments of `ApplyPatchTool`."""

    filename: str
    patch_text: str


class CanvasResult(BaseModel, defer_build=True):
    """The result of a tool of a canvas.

    Attributes:
        status: What was done.
    """

    status: str


class UpdateFileTool(BaseTool[UpdateFileArgs, CanvasResult]):
    """Writes a file of a canvas."""

    # The same text again is one more revision, with the same content: nothing is lost by it.
    traits = ToolTraits(idempotency="idempotent")

    def __init__(self, canvas: TextCanvas) -> None:
        super().__init__(
            UpdateFileArgs, CanvasResult, "update_file", "Write a file on the canvas: a new one, or a new revision."
        )
        self._canvas = canvas

    @override
    async def run(self, args: UpdateFileArgs, cancellation_token: CancellationToken) -> CanvasResult:
        """Write the file."""
        self._canvas.add_or_update_file(args.filename, args.new_content)
        return CanvasResult(status="OK")


class ApplyPatchTool(BaseTool[ApplyPatchArgs, CanvasResult]):
    """Changes a file of a canvas by a unified diff."""

    def __init__(self, canvas: TextCanvas) -> None:
        super().__init__(
            ApplyPatchArgs,
            CanvasResult,
            "apply_patch",
            "Change a file that is on the canvas by a unified diff: hunks with @@ lines, of this file only.",
        )
        self._canvas = canvas

    @override
    async def run(self, args: ApplyPatchArgs, cancellation_token: CancellationToken) -> CanvasResult:
        """Apply the diff.

        Raises:
            InvalidArgumentError: There is no such file, or the diff does not fit it.
        """
        revision: int | None = None
        patched = ""
        while revision is None or revision != self._revision(
            args.filename
        ):  # of several calls at once, one after the other
            revision = self._revision(args.filename)
            # In a thread: where the positions in a patch are wrong, each of its changes is looked for in all lines.
            patched = await run_in_worker_thread(partial(self._canvas.patched, args.filename, args.patch_text))
        self._canvas.add_or_update_file(args.filename, patched)
        return CanvasResult(status="PATCH APPLIED")

    def _revision(self, filename: str) -> int:
        return self._canvas.list_files().get(filename, 0)


class TextCanvasMemory(Memory):
    """Shows the files of a canvas to each model that has this memory. Several agents may share a canvas.

    After a change, a model is shown the files that have changed, and the names of the others.

    The canvas exists in this process only, so this memory is not saved as a component.

    Args:
        canvas: The canvas; by default a new one.
    """

    def __init__(self, canvas: TextCanvas | None = None) -> None:
        if canvas is not None:
            check_instance("canvas", type(self).__name__, canvas, TextCanvas, "TextCanvas()")
        self.canvas = canvas if canvas is not None else TextCanvas()

    async def update_context(self, model_context: ChatCompletionContext) -> UpdateContextResult:
        """Add a system message with the files that the context does not have as they are, unless it has them all."""
        shown = await _shown(model_context)
        if shown and self._is_complete(shown):
            return UpdateContextResult(memories=MemoryQueryResult(results=[]))
        text = self.canvas.get_new_contents_for_context(shown)
        await model_context.add_message(SystemMessage(content=text))
        if not self._is_complete(await _shown(model_context)):  # a context of few messages has dropped an earlier one
            text = self.canvas.get_all_contents_for_context()
            await model_context.add_message(SystemMessage(content=text))
        added = MemoryContent(content=text, mime_type=MemoryMimeType.TEXT)
        return UpdateContextResult(memories=MemoryQueryResult(results=[added]))

    def _is_complete(self, shown: Sequence[str]) -> bool:
        """Whether the last text is what would be shown now, behind the others."""
        return shown[-1:] == [self.canvas.get_new_contents_for_context(shown[:-1])]

    @override
    async def query(
        self,
        query: str | MemoryContent,
        cancellation_token: CancellationToken | None = None,
        **kwargs: Any,
    ) -> MemoryQueryResult:
        """Find nothing: models see the whole canvas."""
        return MemoryQueryResult(results=[])

    @override
    async def add(
        self,
        content: MemoryContent,
        cancellation_token: CancellationToken | None = None,
    ) -> None:
        """Do nothing: files are written by the tools, or by the methods of the canvas."""

    async def clear(self) -> None:
        """Remove all files."""
        self.canvas.clear()

    async def close(self) -> None:
        """Do nothing: the canvas holds no resources."""

    def get_update_file_tool(self) -> UpdateFileTool:
        """A tool with which a model writes files."""
        return UpdateFileTool(self.canvas)

    def get_apply_patch_tool(self) -> ApplyPatchTool:
        """A tool with which a model changes files."""
        return ApplyPatchTool(self.canvas)


async def _shown(context: ChatCompletionContext) -> list[str]:
    """What a context has of canvases."""
    messages = await context.get_messages()
    return [
        each.content for each in messages if isinstance(each, SystemMessage) and each.content.startswith(CANVAS_HEADER)
    ]
