"""Running the source of a block in this interpreter, with streams, names and error messages as Python gives them."""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import ModuleType, TracebackType
from typing import Any

from ._plots import show_by_saving

INTERRUPTED = -1  # no exit code: the process ends by SIGINT
FLUSH_FAILED = 120  # as Python
_CHUNK = 1 << 20
_MOST_FRAMES = 1000  # of a traceback, as Python prints them
_LONG = 1 << 63
_compile, _execute = compile, exec  # taken before a block can replace them for the blocks of its session


def become_clean(folder: str, of_server: Iterable[str]) -> list[ModuleType]:
    """Take the names of the server out of this interpreter, and return its modules."""
    modules = [sys.modules.pop(name) for name in of_server]
    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "__main__"]
    sys.path.insert(0, folder)
    open_streams()
    show_by_saving(folder)
    return modules


def open_streams() -> None:
    """Make the standard streams as `python -u` does: what a block has printed before it is killed has left it."""
    sys.stdin = sys.__stdin__ = _stream(0, "<stdin>", "surrogateescape")
    sys.stdout = sys.__stdout__ = _stream(1, "<stdout>", "surrogateescape")
    sys.stderr = sys.__stderr__ = _stream(2, "<stderr>", "backslashreplace")


def _stream(fd: int, name: str, errors: str) -> io.TextIOWrapper:
    mode, buffering = ("rb", -1) if fd == 0 else ("wb", 0)
    binary: Any = open(fd, mode, buffering=buffering, closefd=False)  # noqa: SIM115 - for the whole block
    getattr(binary, "raw", binary).name = name  # Any: its type says that it cannot be set
    stream: Any = io.TextIOWrapper(binary, encoding="utf-8", errors=errors, write_through=fd > 0)
    stream.mode = mode[0]  # as Python's own
    return stream


def new_main(path: str) -> ModuleType:
    """Make the module ``__main__`` of a program."""
    main = ModuleType("__main__")
    main.__dict__.update(__builtins__=sys.modules["builtins"], __file__=path)
    if sys.version_info < (3, 14):
        main.__dict__.update(__annotations__={}, __cached__=None)
    sys.modules["__main__"] = main
    return main


def keep_lines(path: str, source: bytes) -> None:
    """Let tracebacks and `inspect` show the source, whatever has become of the file."""
    import linecache  # noqa: PLC0415 - most blocks do not fail, and it takes a millisecond
    import tokenize  # noqa: PLC0415 - as above

    with suppress(SyntaxError, UnicodeDecodeError):  # of a source that cannot be read: it has no lines to show
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        lines = io.TextIOWrapper(io.BytesIO(source + b"\n"), encoding=encoding).readlines()
        linecache.cache[path] = (len(source), None, lines, path)


def run_source(mains: list[ModuleType], path: str, source: bytes) -> int:
    """Run the block and return its exit code. Its error is printed.

    Args:
        mains: The new ``__main__``, which is taken out: what the block leaves is freed when nothing refers to it.
        path: Of the source.
        source: The block.
    """
    try:
        _execute(_compile(source, path, "exec", dont_inherit=True), mains.pop().__dict__)
    except SystemExit as error:
        return _exit_code(error.code)
    except BaseException as error:  # noqa: BLE001 - whatever it is
        exit_code = _print_error(path, source, error)
        return INTERRUPTED if isinstance(error, KeyboardInterrupt) else exit_code
    return 0


def _exit_code(code: object) -> int:
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF if -_LONG <= code < _LONG else 0xFF
    with suppress(Exception):
        sys.stderr.write(f"{code}\n")
    return 1


def _print_error(path: str, source: bytes, error: BaseException) -> int:
    """Print an error as Python does at the end of a program, and return the exit code."""
    is_ours = error.__traceback__ is not None and error.__traceback__.tb_frame.f_code is run_source.__code__
    traceback = error.__traceback__.tb_next if error.__traceback__ is not None and is_ours else error.__traceback__
    error.__traceback__ = traceback
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, traceback
    hook = getattr(sys, "excepthook", None)
    keep_lines(path, source)
    if hook is sys.__excepthook__:
        _print_traceback(error)
    elif hook is None:
        _print_to_stderr("sys.excepthook is missing\n")
        _print_traceback(error)
    else:
        return _call_hook(hook, error, traceback)
    return 1


def _call_hook(hook: Callable[..., object], error: BaseException, traceback: TracebackType | None) -> int:
    try:
        hook(type(error), error, traceback)
    except SystemExit as wish:
        return _exit_code(wish.code)
    except BaseException as failure:  # noqa: BLE001 - printed
        if failure.__traceback__ is not None:
            failure.__traceback__ = failure.__traceback__.tb_next
        _print_to_stderr("Error in sys.excepthook:\n")
        failure.__context__ = None
        _print_traceback(failure)
        _print_to_stderr("\nOriginal exception was:\n")
        _print_traceback(error)
    return 1


def _print_traceback(error: BaseException) -> None:
    from traceback import print_exception  # noqa: PLC0415 - as in `keep_lines`

    if getattr(sys, "stderr", None) is not None:
        with suppress(Exception):
            limit = None if hasattr(sys, "tracebacklimit") else -_MOST_FRAMES
            print_exception(type(error), error, error.__traceback__, limit)


def _print_to_stderr(text: str) -> None:
    with suppress(Exception):
        sys.stderr.write(text)


def flush_files(open_before: set[tuple[int, int, int]]) -> None:
    """Flush the files that the block has left open, if there are any: to look for them takes a millisecond."""
    if open_files() <= open_before:
        return
    for each in gc.get_objects():
        if isinstance(each, io.IOBase) and not each.closed:
            with suppress(Exception):
                each.flush()


def ignore_error(step: Callable[[], object]) -> None:
    """Do a step, and print its error, as Python does at the end of a program."""
    try:
        step()
    except BaseException as error:  # noqa: BLE001 - Python prints it and goes on
        _print_to_stderr(f"Exception ignored in: {step!r}\n")
        _print_traceback(error)


def flush_streams() -> bool:
    """Flush stdout and stderr. Return whether that worked."""
    is_flushed = True
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name, None)
        if stream is None or getattr(stream, "closed", False):
            continue
        try:
            stream.flush()
        except BaseException as error:  # noqa: BLE001 - a block may have put anything there
            is_flushed = False
            if name == "stdout":
                _print_to_stderr(f"Exception ignored in: {stream!r}\n")
                _print_traceback(error)
    return is_flushed


def identity(fd: int) -> tuple[int, int] | None:
    """What a descriptor refers to; None where it is closed."""
    try:
        status = os.fstat(fd)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def open_files() -> set[tuple[int, int, int]]:
    """The open descriptors and which file each leads to, but for the one with which this is looked up."""
    identities = {int(fd): identity(int(fd)) for fd in os.listdir("/proc/self/fd")}  # noqa: PTH208 - see `_plots`
    return {(fd, *identity) for fd, identity in identities.items() if identity is not None}


def read_all(fd: int) -> bytes:
    """Read up to the end, and close."""
    received = bytearray()
    while True:
        piece = os.read(fd, _CHUNK)
        if not piece:
            os.close(fd)
            return bytes(received)
        received += piece
