"""Texts that are too long to be shown whole: their beginning, or both ends, and a note of what is left out."""

from __future__ import annotations

__all__ = ["beginning_of", "ends_of"]


def beginning_of(text: str, most: int, note: str = "…") -> str:
    """A text, or its beginning where it is longer.

    Args:
        text: The text.
        most: The characters that are kept.
        note: What follows them. In it, ``{left}`` is the number of the characters that are left out.
    """
    return text if len(text) <= most else f"{text[:most]}{_counted(note, len(text) - most)}"


def ends_of(text: str, most: int, note: str = " … ") -> str:
    """A text, or its beginning and its end where it is longer.

    Args:
        text: The text.
        most: The characters that are kept, half of them at each end.
        note: What is between them. In it, ``{left}`` is the number of the characters that are left out.
    """
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}{_counted(note, len(text) - 2 * half)}{text[len(text) - half :]}"


def _counted(note: str, left: int) -> str:
    return note.replace("{left}", f"{left:,}")
