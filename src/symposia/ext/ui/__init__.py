"""`RichConsole`, which draws the stream of a run with rich, and its parts for other views."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.ext.ui._blocks import Palette, heading, indented, markdown_block
    from symposia.ext.ui._rich_console import RichConsole
    from symposia.ext.ui._text import Segment, last_lines, seconds, segments
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_blocks": ["Palette", "heading", "indented", "markdown_block"],
            "_rich_console": ["RichConsole"],
            "_text": ["Segment", "last_lines", "seconds", "segments"],
        },
    )

__all__ = [
    "Palette",
    "RichConsole",
    "Segment",
    "heading",
    "indented",
    "last_lines",
    "markdown_block",
    "seconds",
    "segments",
]
