"""From the arguments of `symposia run` to a plan, which is checked before anything runs."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import typer

from symposia.cli._planning import given, recorded_pace, run_folder, title_of
from symposia.cli._sandboxes import check_sandbox_name
from symposia.core.code_executor import LEAST_LIMITS, MIB, NetworkPolicy, SandboxPackages, SandboxPolicy
from symposia.core.exceptions import InvalidArgumentError
from symposia.ext.code_executors import AUTO
from symposia.ext.models import default_model_name
from symposia.presets.coding import (
    BundledName,
    CodingTask,
    RunFolder,
    SwarmLimits,
    SwarmModels,
    bundled_task,
    model_named,
)

_SIZE = re.compile(r"(?P<number>\d+(\.\d+)?)\s*(?P<unit>[KMGT]?)(i?B)?", re.IGNORECASE)
_UNITS = {"": 1, "K": 1024, "M": MIB, "G": 1024 * MIB, "T": 1024 * 1024 * MIB}


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelNames:
    """The models that the command line names."""

    model: str | None = None
    planner: str | None = None
    reviewer: str | None = None

    @property
    def any(self) -> bool:
        """Whether the command line names a model."""
        return bool(self.model or self.planner or self.reviewer)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunLimits:
    """The limits of a run. None stands for the default of `SwarmLimits`."""

    max_messages: int | None = None
    timeout: float | None = None
    max_tokens: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ProgramLimits:
    """The limits of one program. None stands for the default of `SandboxPolicy`."""

    time_limit: float | None = None
    memory: str | None = None
    disk: str | None = None
    processes: int | None = None
    cpus: float | None = None
    allowed_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class RunArguments:
    """The command line as it was given; every field may be missing."""

    text: str | None = None
    data: tuple[Path, ...] = ()
    bundled: str | None = None
    models: ModelNames = field(default_factory=ModelNames)
    sandbox: str = AUTO
    packages: tuple[str, ...] = ()
    run_limits: RunLimits = field(default_factory=RunLimits)
    program_limits: ProgramLimits = field(default_factory=ProgramLimits)
    audit_log: Path | None = None
    out: Path | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RunPlan:
    """A checked run.

    Attributes:
        title: The task in one line.
        bundled: Whether the task is one of the bundled tasks.
        folder: The folder of the results.
    """

    title: str
    bundled: bool
    task: CodingTask
    models: SwarmModels
    sandbox: str
    packages: SandboxPackages | None
    limits: SwarmLimits
    policy: SandboxPolicy
    audit_log: Path | None
    folder: Path


def plan_run(arguments: RunArguments) -> RunPlan:
    """Check the arguments, read the bundled task if it is one, and make the model clients.

    Raises:
        SymposiaError: An argument cannot be used; the text says what to do.
        typer.BadParameter: An argument has an invalid value, or arguments exclude each other.
    """
    check_sandbox_name(arguments.sandbox)
    packages = sandbox_packages(arguments.packages)
    limits, policy = _swarm_limits(arguments.run_limits), sandbox_policy(arguments.program_limits)
    title, task = _own_task(arguments) if arguments.text is not None else _bundled_task(arguments)
    folder = run_folder(arguments.out, title)
    RunFolder.check(folder)
    if arguments.audit_log is not None:
        check_audit_log(arguments.audit_log)
    return RunPlan(
        title=title,
        bundled=arguments.text is None,
        task=task,
        models=_models(arguments),
        sandbox=arguments.sandbox,
        packages=packages,
        limits=limits,
        policy=policy,
        audit_log=arguments.audit_log,
        folder=folder,
    )


def sandbox_packages(given: Sequence[str]) -> SandboxPackages | None:
    """The packages to install for the code, from the values of ``--with``; None where there is none.

    Args:
        given: Names of packages, and the folder of wheels, which has a slash.

    Raises:
        typer.BadParameter: A value is neither, the folder does not exist, or there are two, or there are no names.
    """
    folders = [Path(each).expanduser() for each in given if os.sep in each or "/" in each]
    names = [each for each in given if os.sep not in each and "/" not in each]
    if not given:
        return None
    if len(folders) > 1:
        raise typer.BadParameter(f"--with names two folders of wheels, {folders[0]} and {folders[1]}: give one.")
    if folders and not folders[0].is_dir():
        raise typer.BadParameter(f"--with {folders[0]}: there is no such folder of wheels.")
    if not names:
        raise typer.BadParameter(f"--with {folders[0]} is searched for packages: give their names too, by --with NAME.")
    try:
        return SandboxPackages(requirements=tuple(names), wheels=folders[0].absolute() if folders else None)
    except InvalidArgumentError as error:
        raise typer.BadParameter(f"--with: {error}") from error


def sandbox_policy(limits: ProgramLimits) -> SandboxPolicy:
    """The default policy with these limits.

    Raises:
        typer.BadParameter: A size is malformed or too small, the disk does not fit into the memory, or a host is none.
    """
    policy = SandboxPolicy()
    memory = policy.memory_bytes if limits.memory is None else size_in_bytes("--memory", limits.memory, "memory_bytes")
    disk = policy.work_bytes if limits.disk is None else size_in_bytes("--disk", limits.disk, "work_bytes")
    if disk >= memory:
        raise typer.BadParameter(
            f"A program's files are held in its memory, so --disk ({disk // MIB}M) has to be less than --memory "
            f"({memory // MIB}M)."
        )
    try:
        network = NetworkPolicy(allow=limits.allowed_hosts) if limits.allowed_hosts else None
    except InvalidArgumentError as error:
        raise typer.BadParameter(f"--allow-host: {error}") from error
    return replace(
        policy,
        memory_bytes=memory,
        work_bytes=disk,
        artifact_bytes=policy.artifact_bytes if limits.disk is None else disk,
        network=network,
        **given(time_limit=limits.time_limit, processes=limits.processes, cpus=limits.cpus),
    )


def check_audit_log(given: Path) -> None:
    """Check the value of ``--audit-log``, as far as it can be known ahead that it can be written.

    Raises:
        typer.BadParameter: It is a folder, its folder does not exist, or it may not be written.
    """
    if not given.parent.is_dir():
        raise typer.BadParameter(f"--audit-log {given}: there is no folder {given.parent}.")
    if given.is_dir() or not os.access(given if given.exists() else given.parent, os.W_OK):
        raise typer.BadParameter(f"--audit-log {given} cannot be written: give another file.")


def size_in_bytes(option: str, text: str, limit: str) -> int:
    """Read ``512M``, ``1.5G`` or a number of bytes; units are powers of 1024.

    Args:
        option: The option, for the error.
        text: Its value.
        limit: The field of `SandboxPolicy`, whose least value is the option's.

    Raises:
        typer.BadParameter: The text is not a size, or the size is too small.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise typer.BadParameter(f"{option} takes a size, as 512M or 2G, and not {text!r}.")
    size = int(float(found["number"]) * _UNITS[found["unit"].upper()])
    least = int(LEAST_LIMITS[limit])
    if size < least:
        raise typer.BadParameter(f"{option} has to be at least {least // MIB}M, and is {text}.")
    return size


def _swarm_limits(limits: RunLimits) -> SwarmLimits:
    return SwarmLimits(**given(max_messages=limits.max_messages, timeout=limits.timeout, max_tokens=limits.max_tokens))


def _own_task(arguments: RunArguments) -> tuple[str, CodingTask]:
    if arguments.bundled:
        raise typer.BadParameter("Give a task of your own or --task, not both.")
    task = CodingTask(text=arguments.text or "", data=arguments.data)
    task.check_data()
    return title_of(task.text), task


def _bundled_task(arguments: RunArguments) -> tuple[str, CodingTask]:
    if arguments.data:
        raise typer.BadParameter("--data goes with a task of your own: symposia run TASK --data FILE")
    if arguments.bundled is not None and arguments.bundled not in set(BundledName):
        raise typer.BadParameter(f"There is no bundled task {arguments.bundled!r}. There are: {', '.join(BundledName)}")
    bundled = bundled_task(arguments.bundled or BundledName.SALES)
    return bundled.title, bundled.task


def _models(arguments: RunArguments) -> SwarmModels:
    names = arguments.models
    if arguments.text is None and not names.any:
        bundled = bundled_task(arguments.bundled or BundledName.SALES)
        return bundled.models(sandbox=arguments.sandbox, pace=recorded_pace())
    main = names.model or default_model_name()
    return SwarmModels(
        planner=model_named(names.planner or main),
        coder=model_named(main),
        reviewer=model_named(names.reviewer or main),
    )
