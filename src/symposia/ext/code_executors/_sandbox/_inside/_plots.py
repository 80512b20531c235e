"""Plots of matplotlib that a block shows or leaves open: they are saved in the work folder, and so come back as files.

A sandbox has no screen. Where ``show`` is called, the figures that are open are saved and closed, as a notebook does
it; what is still open at the end of the block is saved too. A figure that the block has saved itself is left alone.
"""

# pathlib would be the largest part of the program.
# ruff: noqa: PTH110

from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
import sys
from contextlib import suppress
from types import ModuleType
from typing import Any

_PYPLOT = "matplotlib.pyplot"
_SAVED = "_saved_by_the_block"


def show_by_saving() -> None:
    """Make ``show`` save what is open: now if matplotlib is imported, else when it will be."""
    pyplot = sys.modules.get(_PYPLOT)
    if pyplot is not None:
        _replace_show(pyplot)
    else:
        sys.meta_path.insert(0, _WhenImported())


def save_open_plots() -> None:
    """Save the figures that are open and were not saved."""
    pyplot = sys.modules.get(_PYPLOT)
    if pyplot is not None:
        _save(pyplot)


class _WhenImported(importlib.abc.MetaPathFinder):
    """Replaces ``show`` of matplotlib when that is imported."""

    def find_spec(
        self, name: str, path: Any = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find the module as Python does, with a loader that replaces ``show`` afterwards."""
        if name != _PYPLOT:
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                _replace_show(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _replace_show(pyplot: Any) -> None:
    figures = pyplot.Figure
    save = figures.savefig

    def savefig(figure: Any, *arguments: Any, **options: Any) -> Any:
        setattr(figure, _SAVED, True)
        return save(figure, *arguments, **options)

    def show(*_arguments: Any, **_options: Any) -> None:
        """Save the figures that are open, and close them."""
        _save(pyplot)
        pyplot.close("all")

    figures.savefig = savefig
    pyplot.show = show


def _save(pyplot: Any) -> None:
    number = 0
    for each in pyplot.get_fignums():
        figure = pyplot.figure(each)
        if getattr(figure, _SAVED, False) or not figure.axes:
            continue
        number = _free_number(number + 1)
        with suppress(Exception):  # a full disk, or a figure that cannot be drawn: the block has ended well without it
            figure.savefig(f"plot-{number}.png")


def _free_number(number: int) -> int:
    while os.path.exists(f"plot-{number}.png"):
        number += 1
    return number
