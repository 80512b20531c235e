"""Text in colours for terminals (ECMA-48, "select graphic rendition")."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Final

from symposia.core.exceptions import InvalidArgumentError

__all__ = ["colored"]

_COLORS: Final = {
    **{name: 30 + n for n, name in enumerate(("black", "red", "green", "yellow", "blue", "magenta", "cyan"))},
    "grey": 30,
    "light_grey": 37,
    "dark_grey": 90,
    **{f"light_{name}": 91 + n for n, name in enumerate(("red", "green", "yellow", "blue", "magenta", "cyan"))},
    "white": 97,
}
_ATTRIBUTES: Final = {
    "bold": 1,
    "dark": 2,
    "italic": 3,
    "underline": 4,
    "blink": 5,
    "reverse": 7,
    "concealed": 8,
    "strike": 9,
}
_BACKGROUND: Final = 10
"""What the code of a background is above that of the same colour of text."""


def colored(
    text: object,
    color: str | None = None,
    on_color: str | None = None,
    attrs: Iterable[str] | None = None,
    *,
    no_color: bool | None = None,
    force_color: bool | None = None,
) -> str:
    """A text between the codes of a colour, where the standard output is a terminal; elsewhere the text as it is.

    The environment variables ``NO_COLOR`` and ``FORCE_COLOR`` decide before the terminal, the arguments before both.

    Args:
        text: The text, or what `str` makes one.
        color: The colour of its letters, such as ``"green"`` or ``"light_blue"``.
        on_color: That of its background: the same names after ``on_``.
        attrs: ``"bold"``, ``"underline"`` and others.
        no_color: Leave the text as it is.
        force_color: Write the codes in any case.

    Raises:
        InvalidArgumentError: An unknown colour or attribute.
    """
    if not _shows_colors(no_color=no_color, force_color=force_color):
        return str(text)
    codes = [_code("attribute", each, _ATTRIBUTES) for each in attrs or ()]
    if on_color is not None:
        codes.append(_BACKGROUND + _code("colour", on_color.removeprefix("on_"), _COLORS))
    if color is not None:
        codes.append(_code("colour", color, _COLORS))
    return "".join(f"\x1b[{code}m" for code in codes) + f"{text}\x1b[0m"


def _code(kind: str, name: str, codes: dict[str, int]) -> int:
    if name not in codes:
        raise InvalidArgumentError(f"There is no {kind} {name!r}. Use one of: {', '.join(codes)}.")
    return codes[name]


def _shows_colors(*, no_color: bool | None, force_color: bool | None) -> bool:
    if no_color or force_color:
        return not no_color
    if not sys.stdout.isatty() and not os.environ.get("FORCE_COLOR"):  # most often so, and asked for each line
        return False
    if os.environ.get("NO_COLOR") or os.environ.get("ANSI_COLORS_DISABLED"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return os.environ.get("TERM") != "dumb"
