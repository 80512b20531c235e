"""The options of the executors on a sandbox: checked, and what they mean for its packages and mounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Final

from typing_extensions import TypedDict

from symposia.core.argument_checks import (
    check_backend,
    check_each,
    check_flag,
    check_instance,
    check_list,
    check_path,
    check_text,
)
from symposia.core.code_executor import (
    OutputListener,
    SandboxMount,
    SandboxPackages,
    SandboxPolicy,
    UserFunction,
)
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.ext.code_executors._executor import POLICY_EXAMPLE
from symposia.ext.code_executors._functions import requirements_met_by

DATA_FOLDER: Final = "/data"
"""Where code sees the mounted files of the host."""
MOUNTS_EXAMPLE: Final = "[SandboxMount(source=Path('table.csv'), target='/data/table.csv')]"


class DefaultExecutorOptions(TypedDict, total=False):
    """The options of `create_default_code_executor`, beside its work folder.

    Attributes:
        timeout: Seconds that a block may run; by default, the `time_limit` of the policy.
        policy: What else the code may use.
        bind_dir: An existing folder of the host that the code sees, read-only, as ``/data/<its name>``.
        mounts: More files and folders of the host that the code sees, read-only.
        functions: Functions of the user that the code may call. The packages that they need have to be among
            `packages`, or in the sandbox anyway.
        functions_module: The module that the code imports them from, written to the work folder.
        packages: Packages that the code may import beside those that every sandbox has, such as ``scipy`` or
            ``scipy==1.14``. They are installed on the host, once for each set, when the first sandbox starts.
        wheels: A folder of the host that is searched for them, instead of the package registry.
        init_command: A shell command that runs in each new sandbox before the first block.
        delete_tmp_files: Whether the source of a block that does not name its file is removed when it has run.
        trust_results: Whether files that code made may replace files that were in `work_dir` before, and have names
            that tools run or obey by themselves (``.git/config``, ``conftest.py``, ``Makefile``). By default the first
            are written below ``changed-by-code`` and the second not at all. The result lists both, with the reason.
        on_output: Called on the event loop with each piece of output as it comes.
        audit_log: A file that gets a line of JSON for each program that runs, and for each connection that it tries.
    """

    timeout: float | None
    policy: SandboxPolicy | None
    bind_dir: Path | str | None
    mounts: Sequence[SandboxMount]
    functions: Sequence[UserFunction]
    functions_module: str
    packages: Sequence[str]
    wheels: Path | str | None
    init_command: str | None
    delete_tmp_files: bool
    trust_results: bool
    on_output: OutputListener | None
    audit_log: Path | str | None


class SandboxOptions(DefaultExecutorOptions, total=False):
    """The options of every executor on a sandbox: those of `DefaultExecutorOptions`, and the work folder.

    Attributes:
        work_dir: The folder of the host whose files the code sees and where its files go to; made where it is missing.
            None, the default: a folder of its own, removed by `stop`.
    """

    work_dir: Path | str | None


def check_options(owner: str, backend: object, options: Mapping[str, object]) -> None:
    """Refuse what would otherwise fail in the middle of a run, in a call that the program did not write.

    Args:
        owner: The class of the executor, for errors.
        backend: What it is given as its backend.
        options: What it is given as `SandboxOptions`.

    Raises:
        ArgumentTypeError: One of them is of another type, or there is no such option.
    """
    # `Unpack` tells type checkers alone: without this, a misspelt policy would leave the default limits in force.
    if unknown := [name for name in options if name not in SandboxOptions.__annotations__]:
        nearest = get_close_matches(unknown[0], SandboxOptions.__annotations__, n=1)
        hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
        known = ", ".join(SandboxOptions.__annotations__)
        raise ArgumentTypeError(f"{owner} has no option {unknown[0]!r}.{hint} Its options are: {known}.")
    check_backend(owner, backend)
    check_instance("policy", owner, options.get("policy"), SandboxPolicy, POLICY_EXAMPLE)
    for name in ("bind_dir", "wheels"):
        check_path(name, owner, options.get(name))
    check_each("mounts", owner, options.get("mounts", ()), SandboxMount, MOUNTS_EXAMPLE)
    if options.get("init_command") is not None:
        check_text("init_command", owner, options["init_command"])
    check_list(f"functions of {owner}", options.get("functions", ()))
    check_flag("delete_tmp_files", owner, options.get("delete_tmp_files"))
    check_flag("trust_results", owner, options.get("trust_results"))
    check_path("audit_log", owner, options.get("audit_log"))


def allowed_packages(
    packages: Sequence[str], wheels: Path | str | None, functions: Sequence[UserFunction]
) -> SandboxPackages | None:
    """The packages to install: the allowed ones, in the versions that functions need; None where none is allowed.

    Raises:
        InvalidArgumentError: `wheels` is given without packages.
    """
    allowed = SandboxPackages.given(packages, wheels)
    if allowed is None:
        return None
    needed = requirements_met_by(allowed.names, functions)
    return replace(allowed, requirements=(*allowed.requirements, *needed))


def all_mounts(
    bind_dir: Path | str | None, work_dir: Path | str | None, mounts: Sequence[SandboxMount]
) -> tuple[SandboxMount, ...]:
    """The mounts of an executor: `bind_dir`, below ``/data`` by its own name if it is not the work folder, and others.

    Raises:
        InvalidArgumentError: One is at the place of another, which it would hide, or inside of it, where the folder is
            read-only. Or `bind_dir` has no name.
    """
    found = list(mounts)
    if bind_dir is not None and (work_dir is None or Path(bind_dir) != Path(work_dir)):
        name = Path(bind_dir).name
        if name in ("", ".."):  # to look up the current folder may block, which is not for the event loop
            raise InvalidArgumentError(
                f"bind_dir is {str(bind_dir)!r}: give a folder with its name, by which code finds it, as Path.cwd() is."
            )
        found.insert(0, SandboxMount(source=Path(bind_dir), target=f"{DATA_FOLDER}/{name}"))
    targets = [PurePosixPath(mount.target) for mount in found]
    for index, target in enumerate(targets):
        for other in targets[:index]:
            if target.is_relative_to(other) or other.is_relative_to(target):
                raise InvalidArgumentError(
                    f"Two mounts overlap in the sandbox: {other} and {target}. Give each a place of its own, such "
                    f"as {DATA_FOLDER}/{target.name}-2."
                )
    return tuple(found)
