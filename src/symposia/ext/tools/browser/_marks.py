"""Set-of-marks pictures: a screenshot in which the elements that can be used carry their numbers."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from symposia._lazy import lazy_module
from symposia.core.exceptions import MissingExtraError
from symposia.ext.tools.browser._page import InteractiveRegion, Rectangle

if TYPE_CHECKING:
    from PIL import ImageDraw as pil_drawing  # noqa: N813 - a module
    from PIL import ImageFont as pil_fonts  # noqa: N813 - a module
else:
    pil_drawing = lazy_module("PIL.ImageDraw")
    pil_fonts = lazy_module("PIL.ImageFont")

_COLOURS: Final = ((178, 24, 43), (33, 102, 172), (27, 120, 55), (118, 42, 131), (140, 81, 10), (1, 102, 94))
"""Dark ones, on which white digits are legible. Neighbours differ, so that a label is not taken for the next box's."""
_FONT_SIZE: Final = 14
_PADDING: Final = 2


class MarkedScreenshot(NamedTuple):
    """A screenshot with marks.

    Attributes:
        png: The picture.
        visible: The marks in the picture.
        above: The marks of elements that are further up on the page.
        below: Those further down.
    """

    png: bytes
    visible: Sequence[str]
    above: Sequence[str]
    below: Sequence[str]


def add_marks(
    screenshot: bytes, regions: Mapping[str, InteractiveRegion], size: tuple[int, int] | None = None
) -> MarkedScreenshot:
    """Draw a box around each element, and its number beside it. It takes some 30 ms: call it in a worker thread.

    Args:
        screenshot: The encoded picture of the view.
        regions: The elements by their numbers, in the pixels of the picture.
        size: The width and the height that the result is scaled to; by default, the picture's own.

    Raises:
        MissingExtraError: Pillow is not installed.
    """
    try:
        from PIL import Image as PILImages  # noqa: PLC0415 - heavy and optional
    except ImportError as error:
        raise MissingExtraError("Set-of-marks pictures", "web-surfer") from error
    with PILImages.open(io.BytesIO(screenshot)) as opened:
        picture = opened.convert("RGB")
    places = {mark: _place(region["rects"], picture.height) for mark, region in regions.items()}
    visible = [mark for mark, place in places.items() if place == 0]
    draw = pil_drawing.Draw(picture, "RGBA")
    font = pil_fonts.load_default(_FONT_SIZE)
    labels: list[tuple[float, float, float, float]] = []
    for mark in visible:
        colour = _COLOURS[int(mark) % len(_COLOURS)]
        for box in regions[mark]["rects"]:
            draw.rectangle((box["left"], box["top"], box["right"], box["bottom"]), outline=(*colour, 255), width=2)
        _label(draw, font, mark, regions[mark]["rects"][0], colour, labels, picture.size)
    if size is not None and size != picture.size:
        picture = picture.resize(size)
    encoded = io.BytesIO()
    picture.save(encoded, format="PNG")
    above = [mark for mark, place in places.items() if place < 0]
    below = [mark for mark, place in places.items() if place > 0]
    return MarkedScreenshot(encoded.getvalue(), visible, above, below)


def _place(boxes: Sequence[Rectangle], height: int) -> int:
    """-1 above the view, 0 in it, 1 below it. By the middle of an element: of one that is cut, half is seen."""
    if not boxes:
        return 1
    middles = [(box["top"] + box["bottom"]) / 2 for box in boxes]
    if any(0 <= middle < height for middle in middles):
        return 0
    # One that is higher than the view, such as a list that scrolls, is seen though its middle is not.
    if any(box["top"] < height and box["bottom"] > 0 and box["bottom"] - box["top"] > height for box in boxes):
        return 0
    return -1 if middles[0] < 0 else 1


def _label(
    draw: pil_drawing.ImageDraw,
    font: pil_fonts.FreeTypeFont | pil_fonts.ImageFont,
    mark: str,
    box: Rectangle,
    colour: tuple[int, int, int],
    taken: list[tuple[float, float, float, float]],
    size: tuple[int, int],
) -> None:
    """Write the number where it covers neither another number nor, if there is room, the element itself."""
    left, top, right, bottom = draw.textbbox((0, 0), mark, font=font)
    width, height = right - left + 2 * _PADDING, bottom - top + 2 * _PADDING
    candidates = (
        (box["left"] - width, box["top"]),
        (box["left"], box["top"] - height),
        (box["right"], box["top"]),
        (box["left"], box["bottom"]),
        (box["left"], box["top"]),
    )
    inside = [(x, y) for x, y in candidates if 0 <= x <= size[0] - width and 0 <= y <= size[1] - height]
    free = [(x, y) for x, y in inside if not any(_overlap((x, y, x + width, y + height), other) for other in taken)]
    x, y = (
        free or inside or [(max(0.0, min(box["left"], size[0] - width)), max(0.0, min(box["top"], size[1] - height)))]
    )[0]
    taken.append((x, y, x + width, y + height))
    draw.rectangle((x, y, x + width, y + height), fill=(*colour, 230))
    draw.text((x + _PADDING - left, y + _PADDING - top), mark, fill=(255, 255, 255, 255), font=font)


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
