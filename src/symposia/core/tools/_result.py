from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, Field

from symposia.core._image import Image


class TextResultContent(BaseModel, defer_build=True):
    """A piece of text in a tool's result."""

    type: Literal["TextResultContent"] = "TextResultContent"
    content: str


class ImageResultContent(BaseModel, defer_build=True):
    """A picture in a tool's result."""

    type: Literal["ImageResultContent"] = "ImageResultContent"
    content: Image


ResultContent: TypeAlias = Annotated[TextResultContent | ImageResultContent, Field(discriminator="type")]


class ToolResult(BaseModel, defer_build=True):
    """What came of a call to a tool of a workbench.

    Attributes:
        name: The tool, as it was called.
        result: Text and pictures, in order.
        is_error: Whether the tool failed; the text then says how.
    """

    type: Literal["ToolResult"] = "ToolResult"
    name: str
    result: list[ResultContent]
    is_error: bool = False

    def to_text(self, replace_image: str | None = None) -> str:
        """All of it as text, a line a piece.

        Args:
            replace_image: What stands in for a picture; its base64 text by default, which is long.
        """
        return "\n".join(_as_text(piece, replace_image) for piece in self.result)


def _as_text(piece: TextResultContent | ImageResultContent, replace_image: str | None) -> str:
    if isinstance(piece, TextResultContent):
        return piece.content
    return f"[Image: {piece.content.to_base64()}]" if replace_image is None else replace_image
