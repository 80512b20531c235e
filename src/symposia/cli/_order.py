"""What the command line of `symposia run` asks for, read and checked before anything runs."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from textwrap import shorten

import typer

from symposia.cli._sandboxes import SandboxName
from symposia.presets.coding import (
    BundledName,
    CodingTask,
    SwarmLimits,
    SwarmModels,
    bundled_task,
    check_data_files,
    default_model_name,
    default_run_folder,
    model_named,
)

TITLE_LENGTH = 100
RECORDED_PACE = 0.006
"""Seconds between the words of a recorded model on a terminal: some ten times as fast as one reads."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelNames:
    """The models that the command line names."""

    model: str | None = None
    planner: str | None = None
    reviewer: str | None = None

    @property
    def any(self) -> bool:
        """Whether it names one."""
        return bool(self.model or self.planner or self.reviewer)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """The command line as it was given; every field but the limits may be missing."""

    text: str | None = None
    data: tuple[Path, ...] = ()
    bundled: BundledName | None = None
    names: ModelNames = field(default_factory=ModelNames)
    sandbox: SandboxName = SandboxName.AUTO
    limits: SwarmLimits = field(default_factory=SwarmLimits)
    out: Path | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What is to run.

    Attributes:
        title: The task in one line.
        bundled: Whether it comes with the program.
        folder: Where the results go.
    """

    title: str
    bundled: bool
    task: CodingTask
    models: SwarmModels
    sandbox: SandboxName
    limits: SwarmLimits
    folder: Path


def order_for(wish: Wish) -> Order:
    """Check a wish, read the bundled task if it is one, and get the models.

    Raises:
        SymposiaError: Something is wrong with it; the text says what to do.
        typer.BadParameter: Options do not go together.
    """
    title, task, models = _own_task(wish) if wish.text is not None else _bundled_task(wish)
    folder = wish.out or default_run_folder(title, datetime.now().astimezone())
    return Order(
        title=title,
        bundled=wish.text is None,
        task=task,
        models=models,
        sandbox=wish.sandbox,
        limits=wish.limits,
        folder=folder,
    )


def _own_task(wish: Wish) -> tuple[str, CodingTask, SwarmModels]:
    if wish.bundled:
        raise typer.BadParameter("Give a task of your own or --task, not both.")
    task = CodingTask(text=wish.text or "", data=wish.data)
    check_data_files(task)
    return shorten(task.text, TITLE_LENGTH, placeholder=" …"), task, _models(wish.names)


def _bundled_task(wish: Wish) -> tuple[str, CodingTask, SwarmModels]:
    if wish.data:
        raise typer.BadParameter("--data goes with a task of your own: symposia run TASK --data FILE")
    bundled = bundled_task(wish.bundled or BundledName.SALES)
    if wish.names.any:
        models = _models(wish.names)
    else:
        models = bundled.models(sandbox=wish.sandbox, pace=RECORDED_PACE if sys.stdout.isatty() else 0)
    return bundled.title, bundled.task, models


def _models(names: ModelNames) -> SwarmModels:
    main = names.model or default_model_name()
    return SwarmModels(
        planner=model_named(names.planner or main),
        coder=model_named(main),
        reviewer=model_named(names.reviewer or main),
    )
