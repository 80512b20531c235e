"""A page as a model reads it: where the browser is, and the elements with their numbers. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from symposia.core.text_limits import beginning_of
from symposia.ext.tools.browser._page import InteractiveRegion, PageView


def heading(outcome: Sequence[str], view: PageView, url: str) -> str:
    """What was done, and where the browser is."""
    port = view["viewport"]
    height = max(port["scrollHeight"], 1)
    shown = f"{port['pageTop'] / height:.0%} to {min(1.0, (port['pageTop'] + port['height']) / height):.0%}"
    where = [f"Page: {view['title'] or '(no title)'}", f"Address: {beginning_of(url, 1000)}"]
    if view["status"] >= HTTPStatus.BAD_REQUEST:
        where.append(f"Status: HTTP {view['status']}. The page is about an error of the server or of the address.")
    return "\n".join([*outcome, *where, f"Shown: {shown} of its height"])


def elements_as_text(regions: Mapping[str, InteractiveRegion], height: float) -> str:
    """The elements of a page with their numbers, those in view first.

    Args:
        regions: The elements by their numbers, in the order of the page.
        height: The height of the view, in pixels.
    """
    places: dict[str, list[str]] = {"In view:": [], "Further up:": [], "Further down:": []}
    for mark, region in regions.items():
        middle = (region["rects"][0]["top"] + region["rects"][0]["bottom"]) / 2 if region["rects"] else 0
        place = "Further up:" if middle < 0 else "Further down:" if middle > height else "In view:"
        places[place].append(_element_as_text(mark, region))
    return "\n".join(line for place, elements in places.items() if elements for line in (place, *elements))


def _element_as_text(mark: str, region: InteractiveRegion) -> str:
    kind = region["role"] or region["tag_name"]
    value = f" = {region['value']!r}" if region["value"] else ""
    options = f" (options: {', '.join(map(repr, region['options']))})" if region["options"] else ""
    return f"[{mark}] {kind} {region['aria_name']!r}{value}{options}{', scrolls' if region['v_scrollable'] else ''}"
