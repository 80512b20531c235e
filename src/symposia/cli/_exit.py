"""The ways in which the command ends. The numbers of the statuses are part of the interface: scripts rely on them."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NoReturn

import typer

from symposia.cli._start import exit_at_once

if TYPE_CHECKING:  # imported only when a run ends: the help must not wait for it
    from symposia.core.exceptions import SymposiaError
    from symposia.presets.coding import CodingOutcome
    from symposia.presets.debate import DebateOutcome
    from symposia.presets.magentic import MagenticOutcome


class Status(IntEnum):
    """Exit statuses: 2 to 19 before anything ran, 20 and more when a run ended without what it was for."""

    VERIFIED = 0
    FAILED = 1
    USAGE = 2
    EMPTY_TASK = 10
    DATA_FILE = 11
    RUN_FOLDER = 12
    UNKNOWN_VENDOR = 13
    MISSING_KEY = 14
    NO_SANDBOX = 15
    MISSING_EXTRA = 16
    PACKAGES = 17
    DEBATE_TASK = 18
    HISTORY = 19
    NO_CODE = 20
    MODEL_FAILED = 21
    SANDBOX_DIED = 22
    MESSAGE_LIMIT = 23
    TIME_LIMIT = 24
    TOKEN_LIMIT = 25
    NO_PROGRESS = 26
    ANSWER_REJECTED = 27
    NO_DECISION = 28
    TURN_LIMIT = 29
    NOT_APPROVED = 30
    BROWSER_FAILED = 31
    INTERRUPTED = 130


MEANING: Final = {
    Status.VERIFIED: "verified: the reviewer approved the program's real output",
    Status.FAILED: "an unexpected error",
    Status.USAGE: "an option is wrong",
    Status.EMPTY_TASK: "the task is empty",
    Status.DATA_FILE: "a data file is missing or cannot be read",
    Status.RUN_FOLDER: "the folder for the results cannot be written, or is not empty",
    Status.UNKNOWN_VENDOR: "no vendor is known for the model",
    Status.MISSING_KEY: "the model's key is not set, or cannot be sent",
    Status.NO_SANDBOX: "no sandbox works on this machine",
    Status.MISSING_EXTRA: "an optional dependency is not installed",
    Status.PACKAGES: "a package of --with cannot be installed",
    Status.NO_CODE: "the coder answered repeatedly without code",
    Status.MODEL_FAILED: "a model call failed for good",
    Status.SANDBOX_DIED: "the sandbox ended, and no other could be started",
    Status.MESSAGE_LIMIT: "--max-messages reached",
    Status.TIME_LIMIT: "--timeout reached",
    Status.TOKEN_LIMIT: "--max-tokens reached",
    Status.NO_PROGRESS: "the same program ran repeatedly, or programs failed repeatedly in the same way",
    Status.ANSWER_REJECTED: "no answer of a model had the form that was asked for",
    Status.INTERRUPTED: "interrupted (Ctrl-C)",
}
"""Of `symposia run`."""


def status_of_error(error: SymposiaError) -> Status:
    """The status for an error that prevented a run."""
    from symposia.core import exceptions  # noqa: PLC0415 - the help must not wait for it
    from symposia.ext import documents, models  # noqa: PLC0415 - the help must not wait for it
    from symposia.presets import chat, coding, debate  # noqa: PLC0415 - the help must not wait for it

    statuses: dict[type[SymposiaError], Status] = {
        coding.EmptyTaskError: Status.EMPTY_TASK,
        chat.HistoryError: Status.HISTORY,
        debate.DebateTaskError: Status.DEBATE_TASK,
        coding.DataFileError: Status.DATA_FILE,
        documents.DocumentError: Status.DATA_FILE,
        coding.RunFolderError: Status.RUN_FOLDER,
        models.UnknownVendorError: Status.UNKNOWN_VENDOR,
        models.MissingKeyError: Status.MISSING_KEY,
        exceptions.CredentialsError: Status.MISSING_KEY,
        exceptions.SandboxPackagesError: Status.PACKAGES,  # before its base class, as the first that fits is taken
        exceptions.SandboxUnavailableError: Status.NO_SANDBOX,
        exceptions.MissingExtraError: Status.MISSING_EXTRA,
        exceptions.InvalidArgumentError: Status.USAGE,  # last, as the base class of some of the others
    }
    return next((status for kind, status in statuses.items() if isinstance(error, kind)), Status.FAILED)


def status_of_outcome(outcome: CodingOutcome | DebateOutcome | MagenticOutcome) -> Status:
    """The status of a run that ended without what it was for."""
    return Status[outcome.name]


def exit_statuses(meanings: Mapping[Status, str]) -> str:
    """The list of statuses for the help. Its first character keeps typer from joining the lines."""
    lines = [f"  {status.value:>3}  {meaning}" for status, meaning in meanings.items()]
    return "\n".join(["\b", "Exit status:", *lines])


def fail(message: str, status: Status) -> NoReturn:
    """Print a message on standard error, and exit."""
    typer.secho(message, fg=typer.colors.RED, err=True)
    raise typer.Exit(status)


@contextmanager
def stopped_by_interrupt(message: Callable[[], str]) -> Generator[None]:
    """Let Ctrl-C raise `KeyboardInterrupt` in this block, so that it stops what it started, and then exit.

    In a program that handles Ctrl-C itself, as in a test's, the handler stays as it is.

    Args:
        message: Makes the message, once everything has stopped.

    Raises:
        typer.Exit: The block was interrupted.
    """
    is_ours = signal.getsignal(signal.SIGINT) is exit_at_once
    try:
        if is_ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            yield
        finally:
            if is_ours:
                signal.signal(signal.SIGINT, exit_at_once)
    except KeyboardInterrupt:
        fail(message(), Status.INTERRUPTED)
