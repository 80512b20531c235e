"""Plots of matplotlib that a block shows or leaves open: they are saved in the work folder, and so come back as files.

A sandbox has no screen. Where ``show`` is called, the figures that are open are saved and closed, as a notebook does
it; what is still open at the end of the block is saved too. A figure that the block has saved itself is left alone.
"""

# pathlib would be the largest part of the program.

# pathlib would be the largest part of the program.
# ruff: noqa: PTH108, PTH123

from __future__ import annotations

import importlib.abc
import importlib.machinery
import io
import os
import sys
from contextlib import suppress
from functools import wraps
from types import ModuleType
from typing import Any

_PYPLOT = "matplotlib.pyplot"
_SAVED = "_saved_by_the_block"


def show_by_saving(folder: str) -> None:
    """Make ``show`` save what is open: now if matplotlib is imported, else when it will be.

    Args:
        folder: Where the figures are saved.
    """
    pyplot = sys.modules.get(_PYPLOT)
    if pyplot is not None:
        _replace_show(pyplot, folder)
    else:
        sys.meta_path.insert(0, _WhenImported(folder))


def save_open_plots(folder: str) -> None:
    """Save the figures that are open and were not saved as they are."""
    pyplot = sys.modules.get(_PYPLOT)
    if pyplot is not None:
        _save(pyplot, folder)


def save_and_close_plots(folder: str) -> None:
    """Save the figures that are open and were not saved as they are, and close all."""
    pyplot = sys.modules.get(_PYPLOT)
    if pyplot is not None:
        _save(pyplot, folder)
        pyplot.close("all")


class _WhenImported(importlib.abc.MetaPathFinder):
    """Replaces ``show`` of matplotlib when that is imported."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

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
                _replace_show(module, self._folder)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _replace_show(pyplot: Any, folder: str) -> None:
    figures = pyplot.Figure
    save = figures.savefig

    @wraps(save)
    def savefig(figure: Any, fname: Any, *arguments: Any, **options: Any) -> Any:
        saved = save(figure, fname, *arguments, **options)
        if isinstance(fname, (str, os.PathLike)):
            setattr(figure, _SAVED, True)
            figure.stale = False  # also where saving itself has changed it for a moment, as its resolution
        return saved

    @wraps(pyplot.show)
    def show(*_arguments: Any, **_options: Any) -> None:
        save_and_close_plots(folder)

    figures.savefig = savefig
    pyplot.show = show


def _save(pyplot: Any, folder: str) -> None:
    number = 0
    for each in pyplot.get_fignums():
        figure = pyplot.figure(each)
        is_empty = len(figure.get_children()) <= 1  # there is always the background
        is_saved = getattr(figure, _SAVED, False) and not figure.stale
        if is_empty or is_saved:
            continue
        number = _free_number(folder, number + 1)
        try:
            _save_whole(figure, f"{folder}/plot-{number}.png")
        except Exception as error:  # noqa: BLE001 - one that cannot be drawn: its author reads why, the others are saved
            sys.excepthook(type(error), error, error.__traceback__)


def _save_whole(figure: Any, path: str) -> None:
    """Save a figure, or nothing: on a full disk a piece of a picture would be left."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    try:
        with open(path, "wb", buffering=0) as file:
            file.write(picture.getbuffer())
    except OSError:
        with suppress(OSError):
            os.unlink(path)
        raise
    setattr(figure, _SAVED, True)


def _free_number(folder: str, number: int) -> int:
    while os.path.lexists(f"{folder}/plot-{number}.png"):
        number += 1
    return number
