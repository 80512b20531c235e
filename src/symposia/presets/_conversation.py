"""A conversation with a person, line by line: the loop behind ``symposia chat`` and ``symposia support``."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from symposia.agentchat.base import TaskResult, TaskRunner
from symposia.core import run_in_worker_thread
from symposia.core.exceptions import ArgumentTypeError, InputEndedError, InvalidArgumentError, ModelError
from symposia.presets._run import Watch

ReadLine: TypeAlias = Callable[[], Awaitable[str | None]]
"""Reads the next line of the person; None at the end of the conversation."""


class HistoryError(InvalidArgumentError):
    """The file of a history cannot be read or written, or is no history."""


class Partner(TaskRunner, Protocol):
    """An agent or a team that a person talks with."""

    async def save_state(self) -> Mapping[str, Any]:
        """The conversation as JSON."""
        ...

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from a saved conversation."""
        ...


async def converse(
    partner: Partner,
    read_line: ReadLine,
    watch: Watch,
    *,
    history: Path | None = None,
    on_model_error: Callable[[ModelError], None] | None = None,
) -> int:
    """Talk until the person ends the conversation.

    Each line of the person is the task of a run. After each run the history is written, so that a later conversation
    can continue it. An empty line is no task. If the input ends while a person is asked in the middle of a run, the run
    and the conversation end.

    Args:
        partner: The agent or team.
        read_line: Reads the person's next line.
        watch: Called on the event loop with every message, event, and piece of a streamed message, except for the
            person's own lines.
        history: A file from which the conversation continues, if it exists, and to which it is written.
        on_model_error: Receives the error of a model, after which the conversation continues with the next line. None
            lets the error end it.

    Returns:
        The number of answered lines.

    Raises:
        HistoryError: The history cannot be read or written, which is tried before the first line is read.
        Exception: The error of the partner, unless `on_model_error` receives it. The history has the answers before it.
    """
    if history is not None:
        await run_in_worker_thread(_check_writable, history)
        await _load(partner, history)
    answered = 0
    while (line := await read_line()) is not None:
        if not line.strip():
            continue
        try:
            async with aclosing(partner.run_stream(task=line, output_task_messages=False)) as stream:
                async for item in stream:
                    if not isinstance(item, TaskResult):
                        watch(item)
        except InputEndedError:
            break
        except ModelError as error:
            if on_model_error is None:
                raise
            on_model_error(error)
            continue
        answered += 1
        if history is not None:
            await _save(partner, history)
    return answered


def _check_writable(file: Path) -> None:
    """Try to write beside the file, so that no answer is paid for and then lost.

    Raises:
        HistoryError: It cannot be written, or is no file, such as a device, which might be endless.
    """
    try:
        if file.exists() and not file.is_file():
            raise HistoryError(f"The history {file} is no file. Give another one.")
        beside = _beside(file.resolve())
        beside.touch()
        beside.unlink()
    except OSError as error:
        raise _unwritable(file, error) from error


def _beside(file: Path) -> Path:
    """The file that is written first. Two conversations at once have one each."""
    return file.with_name(f"{file.name}.{os.getpid()}.new")


def _unwritable(file: Path, error: OSError) -> HistoryError:
    return HistoryError(f"The history {file} cannot be written: {error.strerror}. Give another file.")


async def _load(partner: Partner, file: Path) -> None:
    try:
        text = await run_in_worker_thread(file.read_text, "utf-8")
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise HistoryError(f"The history {file} cannot be read: {error}. Give another file.") from error
    try:
        await partner.load_state(json.loads(text))
    except (ValueError, ArgumentTypeError) as error:  # no JSON, or no state of this partner
        raise HistoryError(f"{file} is no history of such a conversation. Give another file.") from error


async def _save(partner: Partner, file: Path) -> None:
    """Write the history to a second file and rename it, so that an interrupted write leaves the older history."""
    text = json.dumps(dict(await partner.save_state()), ensure_ascii=False, indent=1)

    def write() -> None:
        target = file.resolve()  # of a link, which would be replaced
        beside = _beside(target)
        beside.write_text(text, "utf-8", errors="backslashreplace")
        beside.replace(target)

    try:
        await run_in_worker_thread(write)
    except OSError as error:
        raise _unwritable(file, error) from error
