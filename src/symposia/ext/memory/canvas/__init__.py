"""A canvas: texts with their revisions, which agents write together and all of them see."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.ext.memory.canvas._canvas import TextCanvas as TextCanvas
from symposia.ext.memory.canvas._memory import ApplyPatchTool as ApplyPatchTool
from symposia.ext.memory.canvas._memory import TextCanvasMemory as TextCanvasMemory
from symposia.ext.memory.canvas._memory import UpdateFileTool as UpdateFileTool

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = ["ApplyPatchTool", "TextCanvas", "TextCanvasMemory", "UpdateFileTool"]
