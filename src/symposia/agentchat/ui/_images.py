"""Images on a terminal, by the protocol that the terminal supports."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Final

from symposia.core import Image

KITTY_CHUNK: Final = 4096
"""The most base64 in one escape sequence: "Terminal graphics protocol" of kitty's documentation."""


def inline_image(image: Image, environment: Mapping[str, str] = os.environ) -> str | None:
    """The escape sequences that show an image; None if the terminal is not known to support it.

    Terminals are recognized by the variables that they set. Rejected: a query by an escape sequence, whose answer comes
    on standard input, where a person's answers are read.

    Args:
        image: The image.
        environment: The variables of the process.
    """
    if environment.get("TERM_PROGRAM") in {"iTerm.app", "WezTerm"}:
        return f"\033]1337;File=inline=1:{image.to_base64()}\a"
    is_kitty = "KITTY_WINDOW_ID" in environment or environment.get("TERM_PROGRAM") == "ghostty"
    if is_kitty and image.media_type == "image/png":  # the one compressed format that the protocol has
        return "".join(_kitty(image.to_base64()))
    return None


def _kitty(data: str) -> Iterator[str]:
    for start in range(0, len(data), KITTY_CHUNK):
        control = "a=T,f=100," if start == 0 else ""
        more = int(start + KITTY_CHUNK < len(data))
        yield f"\033_G{control}m={more};{data[start : start + KITTY_CHUNK]}\033\\"
