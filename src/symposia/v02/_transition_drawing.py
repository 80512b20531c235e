"""A graph of speakers as a picture, drawn by matplotlib."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Final

INCH_FOR_EACH: Final = 0.6
"""How much the picture grows with each agent."""


def draw_transitions(names: Sequence[str], transitions: Mapping[str, Sequence[str]], path: str | None) -> None:
    """Draw names on a circle, and an arrow from each to those that may follow.

    Args:
        names: The names.
        transitions: For each name those that may follow.
        path: The file; None to show it in a window.

    Raises:
        ImportError: ``matplotlib`` is not installed.
    """
    try:
        plots: Any = import_module("matplotlib.pyplot")  # Any: it is not among the dependencies
    except ImportError as error:
        raise ImportError("To draw a graph of speakers, install the library: pip install matplotlib") from error
    side = 4 + INCH_FOR_EACH * len(names)
    figure, axes = plots.subplots(figsize=(side, side))
    places = {name: _place(number, len(names)) for number, name in enumerate(names)}
    for name, followers in transitions.items():
        for follower in followers:
            _draw_arrow(axes, places[name], places[follower])
    for name, place in places.items():
        axes.annotate(name, place, ha="center", va="center", bbox={"boxstyle": "round,pad=0.4", "fc": "lightblue"})
    axes.set(xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), aspect="equal")
    axes.axis("off")
    if path is None:
        plots.show()
    else:
        figure.savefig(path)
    plots.close(figure)


def _place(number: int, count: int) -> tuple[float, float]:
    angle = math.pi / 2 - 2 * math.pi * number / count
    return math.cos(angle), math.sin(angle)


def _draw_arrow(axes: Any, start: tuple[float, float], end: tuple[float, float]) -> None:  # Any: of the library
    style = {"arrowstyle": "->", "shrinkA": 18, "shrinkB": 18, "connectionstyle": "arc3,rad=0.12"}
    if start == end:  # a loop, outside of the circle
        tip = (start[0] * 1.35 + 0.05, start[1] * 1.35 + 0.05)
        axes.annotate("", tip, start, arrowprops={**style, "shrinkB": 0, "arrowstyle": "-"})
        axes.annotate("", start, tip, arrowprops={**style, "shrinkA": 0})
    else:
        axes.annotate("", end, start, arrowprops=style)
