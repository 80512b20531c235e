"""A canvas: texts with their revisions, which agents write together and all of them see."""

from symposia.ext.memory.canvas._canvas import TextCanvas as TextCanvas
from symposia.ext.memory.canvas._memory import ApplyPatchTool as ApplyPatchTool
from symposia.ext.memory.canvas._memory import TextCanvasMemory as TextCanvasMemory
from symposia.ext.memory.canvas._memory import UpdateFileTool as UpdateFileTool

__all__ = ["ApplyPatchTool", "TextCanvas", "TextCanvasMemory", "UpdateFileTool"]
