"""A canvas as a memory, and the tools with which a model writes on it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from typing_extensions import override

from symposia.core import CancellationToken
from symposia.core.argument_checks import check_instance
from symposia.core.memory import Memory, MemoryContent, MemoryMimeType, MemoryQueryResult, UpdateContextResult
from symposia.core.model_context import ChatCompletionContext
from symposia.core.models import SystemMessage
from symposia.core.tools import BaseTool, ToolTraits
from symposia.ext.memory.canvas._canvas import TextCanvas


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
        self._canvas.apply_patch(args.filename, args.patch_text)
        return CanvasResult(status="PATCH APPLIED")


class TextCanvasMemory(Memory):
    """Shows the files of a canvas to each model that has this memory. Several agents may share a canvas.

    The canvas exists in this process only, so this memory is not saved as a component.

    Args:
        canvas: The canvas; by default a new one.
    """

    def __init__(self, canvas: TextCanvas | None = None) -> None:
        if canvas is not None:
            check_instance("canvas", type(self).__name__, canvas, TextCanvas, "TextCanvas()")
        self.canvas = canvas if canvas is not None else TextCanvas()

    async def update_context(self, model_context: ChatCompletionContext) -> UpdateContextResult:
        """Add a system message with all files, unless the context has just that already."""
        text = self.canvas.get_all_contents_for_context()
        if any(isinstance(each, SystemMessage) and each.content == text for each in await model_context.get_messages()):
            return UpdateContextResult(memories=MemoryQueryResult(results=[]))
        await model_context.add_message(SystemMessage(content=text))
        shown = MemoryContent(content=text, mime_type=MemoryMimeType.TEXT)
        return UpdateContextResult(memories=MemoryQueryResult(results=[shown]))

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
