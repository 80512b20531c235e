"""The results of a server's tools, as a model reads them: texts and images, up to a limit."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from symposia.core import Image
from symposia.core.text_limits import ends_of
from symposia.core.tools import ImageResultContent, TextResultContent, ToolResult

MOST_SHOWN: Final = 32_000
"""The most characters of a result that a model is shown, some 8,000 tokens."""
MOST_IMAGES: Final = 20
"""The most images of a result."""

Object = dict[str, Any]  # Any: JSON
Piece = TextResultContent | ImageResultContent


def as_tool_result(name: str, result: Object) -> ToolResult:
    """The result of a call.

    Args:
        name: The tool, as the model knows it.
        result: The protocol's ``CallToolResult``, as JSON.
    """
    content: list[Object] = result.get("content") or []
    if not content and result.get("structuredContent") is not None:
        content = [{"type": "text", "text": json.dumps(result["structuredContent"], ensure_ascii=False)}]
    return ToolResult(name=name, result=limited(map(_piece, content)), is_error=bool(result.get("isError", False)))


def limited(pieces: Iterable[Piece]) -> list[Piece]:
    """The pieces, without what is above the limits. What is left out is said."""
    room, images, left_out = MOST_SHOWN, 0, 0
    shown: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, ImageResultContent):
            images += 1
            if images <= MOST_IMAGES:
                shown.append(piece)
            else:
                left_out += 1
        elif room > 0:
            text = head_and_tail(piece.content, room)
            room -= max(len(piece.content), 1)
            shown.append(piece if text is piece.content else TextResultContent(content=text))
        else:
            left_out += 1
    if left_out:
        shown.append(TextResultContent(content=f"[{left_out:,} further parts of the result are left out]"))
    return shown


def head_and_tail(text: str, most: int = MOST_SHOWN) -> str:
    """A text of at most about `most` characters: of a longer one, the middle is left out."""
    return ends_of(text, most, "\n[{left} characters left out]\n")


def _piece(block: Object) -> Piece:
    kind = block.get("type")
    if kind == "text":
        return TextResultContent(content=str(block.get("text", "")))
    if kind == "image":
        return _image(str(block.get("data", "")), str(block.get("mimeType")))
    if kind == "resource":
        return _resource(block.get("resource") or {})
    if kind == "resource_link":
        label = block.get("title") or block.get("name") or "resource"
        return TextResultContent(content=f"[{label}: {block.get('uri')}]")
    return TextResultContent(content=f"[{kind} of the type {block.get('mimeType')}, which is not shown]")


def _resource(resource: Object) -> Piece:
    uri, media_type = resource.get("uri"), str(resource.get("mimeType"))
    if "text" in resource:
        return TextResultContent(content=f"[{uri}]\n{resource['text']}")
    data = str(resource.get("blob", ""))
    if media_type.startswith("image/"):
        return _image(data, media_type)
    return TextResultContent(content=f"[{uri}, {len(data) * 3 // 4:,} bytes of the type {media_type}, not shown]")


def _image(data: str, media_type: str) -> Piece:
    try:
        return ImageResultContent(content=Image.from_base64(data))
    except (OSError, ValueError, ImportError) as error:
        return TextResultContent(content=f"[image of the type {media_type}, which cannot be read: {error}]")
