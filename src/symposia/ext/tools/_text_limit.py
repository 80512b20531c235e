"""The limit of what a model reads of a tool's result."""

from __future__ import annotations

from typing import Final

from symposia.core.exceptions import InvalidArgumentError
from symposia.core.text_limits import beginning_of

MAX_CHARS: Final = 20_000
"""Characters of a result that a model reads by default: some 5,000 tokens."""


def shorten(text: str, most: int, advice: str = "") -> str:
    """The beginning of a text that is too long, with a note of how much is left out.

    Args:
        text: The text.
        most: The characters that are kept.
        advice: A sentence for the model, on how to read the rest.
    """
    note = f"\n[Cut: {most} of {len(text)} characters are shown.{f' {advice}' if advice else ''}]"
    return beginning_of(text, most, note)


def check_max_chars(owner: str, given: int) -> None:
    """Check the limit of a tool.

    Raises:
        InvalidArgumentError: It is below 1.
    """
    if given < 1:
        raise InvalidArgumentError(f"max_chars of {owner} is {given!r}: give a number of characters above 0.")
