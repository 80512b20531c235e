"""A block of Python in the interpreter that waited for it: it runs as if it were started by ``python FILE``.

What remains different: the libraries that were imported ahead are in `sys.modules`, all blocks of a sandbox have one
hash seed, and a few frames of the server are below those of the block. At its end the interpreter is not taken down as
Python does it, which takes longer than most blocks. What a program can see of that is done, in Python's order: threads
are waited for, exit handlers run, objects are freed, and files are flushed.
"""

from __future__ import annotations

import _thread
import atexit
import gc
import io
import os
import resource
import signal
import sys
import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from itertools import islice
from types import ModuleType, TracebackType
from typing import Any, NoReturn

from ._plots import save_open_plots, show_by_saving
from ._processes import Report

_CHUNK = 1 << 20
_FLUSH_FAILED = 120  # as Python
_MOST_FRAMES = 1000  # of a traceback, as Python prints them
_LONG = 1 << 63
_INTERRUPTED = -1  # no exit code: the process ends by SIGINT


def run_script(folder: str, of_server: Iterable[str], source_fd: int, report_fd: int) -> NoReturn:
    """Wait for a block, run it, and end the process with its exit code.

    Args:
        folder: The work folder, which is the current one.
        of_server: The names of the server's modules.
        source_fd: Gives the path that the block has, a zero byte, and its source.
        report_fd: Takes a `Report` when nothing is left to do but to end.
    """
    # Kept, though unreachable by name: freeing them would write to, and so copy, some fifty pages of the server.
    _kept = _become_clean(folder, of_server)
    process = os.getpid()
    name, _, source = _read(source_fd).partition(b"\0")
    path = name.decode()
    sys.argv = [path]
    if "linecache" in sys.modules:
        _keep_lines(path, source)
    report_pipe, imported = _identity(report_fd), len(sys.modules)
    open_before = _open_files()
    exit_code = _run([_new_main(path)], path, source)
    sys.settrace(None)
    sys.setprofile(None)
    try:
        is_first = os.getpid() == process  # and not one that the block has forked
        exit_code = _finish(folder, exit_code, imported, open_before, with_plots=is_first)
        if is_first and _identity(report_fd) == report_pipe:  # a block may have closed it, and have another file there
            _report_end(report_fd, exit_code)
    finally:
        _exit(exit_code)


def _identity(fd: int) -> tuple[int, int] | None:
    try:
        status = os.fstat(fd)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _exit(code: int) -> NoReturn:
    if code == _INTERRUPTED:  # as Python ends then, for who started it to see
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(code)


def _report_end(fd: int, exit_code: int) -> None:
    if exit_code == _INTERRUPTED:
        return
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    report = Report(exit_code, seconds, max(own.ru_maxrss, children.ru_maxrss) * 1024)
    with suppress(OSError):  # the server has closed its end, as the block has written something there
        os.write(fd, report.pack())


def _become_clean(folder: str, of_server: Iterable[str]) -> list[ModuleType]:
    """Take the names of the server out of this interpreter, and return its modules."""
    modules = [sys.modules.pop(name) for name in of_server]
    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "__main__"]
    sys.path.insert(0, folder)
    # As `python -u` makes them: what a block has printed before it is killed has left it.
    sys.stdin = sys.__stdin__ = _stream(0, "<stdin>", "surrogateescape")
    sys.stdout = sys.__stdout__ = _stream(1, "<stdout>", "surrogateescape")
    sys.stderr = sys.__stderr__ = _stream(2, "<stderr>", "backslashreplace")
    show_by_saving(folder)
    return modules


def _stream(fd: int, name: str, errors: str) -> io.TextIOWrapper:
    mode, buffering = ("rb", -1) if fd == 0 else ("wb", 0)
    binary: Any = open(fd, mode, buffering=buffering, closefd=False)  # noqa: SIM115 - for the whole block
    getattr(binary, "raw", binary).name = name  # Any: its type says that it cannot be set
    stream: Any = io.TextIOWrapper(binary, encoding="utf-8", errors=errors, write_through=fd > 0)
    stream.mode = mode[0]  # as Python's own
    return stream


def _new_main(path: str) -> ModuleType:
    main = ModuleType("__main__")
    main.__dict__.update(__builtins__=sys.modules["builtins"], __file__=path)
    if sys.version_info < (3, 14):
        main.__dict__.update(__annotations__={}, __cached__=None)
    sys.modules["__main__"] = main
    return main


def _read(fd: int) -> bytes:
    received = bytearray()
    while True:
        piece = os.read(fd, _CHUNK)
        if not piece:
            os.close(fd)
            return bytes(received)
        received += piece


def _keep_lines(path: str, source: bytes) -> None:
    """Let tracebacks and `inspect` show the source, whatever has become of the file."""
    import linecache  # noqa: PLC0415 - most blocks do not fail, and it takes a millisecond
    import tokenize  # noqa: PLC0415 - as above

    with suppress(SyntaxError, UnicodeDecodeError):  # of a source that cannot be read: it has no lines to show
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        lines = io.TextIOWrapper(io.BytesIO(source + b"\n"), encoding=encoding).readlines()
        linecache.cache[path] = (len(source), None, lines, path)


def _run(mains: list[ModuleType], path: str, source: bytes) -> int:
    """Run the block and return its exit code. Its error is printed.

    Args:
        mains: The new ``__main__``, which is taken out: what the block leaves is freed when nothing refers to it.
        path: Of the source.
        source: The block.
    """
    try:
        exec(compile(source, path, "exec", dont_inherit=True), mains.pop().__dict__)  # noqa: S102 - the point of it
    except SystemExit as error:
        return _exit_code(error.code)
    except BaseException as error:  # noqa: BLE001 - whatever it is
        exit_code = _print_error(path, source, error)
        return _INTERRUPTED if isinstance(error, KeyboardInterrupt) else exit_code
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
    is_ours = error.__traceback__ is not None and error.__traceback__.tb_frame.f_code is _run.__code__
    traceback = error.__traceback__.tb_next if error.__traceback__ is not None and is_ours else error.__traceback__
    error.__traceback__ = traceback
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, traceback
    hook = getattr(sys, "excepthook", None)
    _keep_lines(path, source)
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
    from traceback import print_exception  # noqa: PLC0415 - as in `_keep_lines`

    if getattr(sys, "stderr", None) is not None:
        with suppress(Exception):
            limit = None if hasattr(sys, "tracebacklimit") else -_MOST_FRAMES
            print_exception(type(error), error, error.__traceback__, limit)


def _print_to_stderr(text: str) -> None:
    with suppress(Exception):
        sys.stderr.write(text)


def _open_files() -> set[tuple[int, int, int]]:
    """The open descriptors and which file each leads to, but for the one with which this is looked up."""
    identities = {int(fd): _identity(int(fd)) for fd in os.listdir("/proc/self/fd")}  # noqa: PTH208 - see `_plots`
    return {(fd, *identity) for fd, identity in identities.items() if identity is not None}


def _finish(
    folder: str, exit_code: int, imported: int, open_before: set[tuple[int, int, int]], *, with_plots: bool
) -> int:
    """Do what Python does at the end of a program, as far as it can be seen from outside.

    An error in one of the steps is printed, and the others follow.

    Args:
        folder: The work folder.
        exit_code: That the block has ended with.
        imported: How many modules there were before the block.
        open_before: The files that were open before it.
        with_plots: Whether plots that are open are saved.
    """
    threading = sys.modules.get("threading")
    if threading is not None:
        _ignore_error(threading._shutdown)  # noqa: SLF001 - Python itself calls these two
    if with_plots:
        _ignore_error(partial(save_open_plots, folder))
    _ignore_error(atexit._run_exitfuncs)  # noqa: SLF001
    is_flushed = _flush_streams()
    # Before anything is freed: a file in a cycle may be closed before what buffers for it.
    _ignore_error(partial(_flush_files, open_before))
    if _thread._count() == 0:  # noqa: SLF001 - beside the main one, those that `threading` does not know included
        _ignore_error(partial(_free_modules, folder, imported))
        _ignore_error(partial(_flush_files, open_before))  # of what was written meanwhile
    return exit_code if is_flushed and _flush_streams() else _FLUSH_FAILED


def _flush_files(open_before: set[tuple[int, int, int]]) -> None:
    """Flush the files that the block has left open, if there are any: to look for them takes a millisecond."""
    if _open_files() <= open_before:
        return
    for each in gc.get_objects():
        if isinstance(each, io.IOBase) and not each.closed:
            with suppress(Exception):
                each.flush()


def _free_modules(folder: str, imported: int) -> None:
    """Free what the block has made, which runs its ``__del__`` methods, and closes and flushes its files.

    First with all names in place; modules that something still refers to are emptied afterwards, names with an
    underscore first. Not while other threads run, which use them.

    Args:
        folder: Modules below it are the block's own.
        imported: How many modules there were before the block. The others are the last ones: to look at all of them
            would change the reference counts of thousands of objects, and so copy their pages from the server.
    """
    late = list(islice(reversed(sys.modules), max(0, len(sys.modules) - imported + 1)))
    below = [name for name in late if str(getattr(sys.modules[name], "__file__", None)).startswith(folder + "/")]
    own = [sys.modules.pop(name, None) for name in ("__main__", *below)]
    left = [weakref.ref(module) for module in own if isinstance(module, ModuleType)]
    own.clear()
    module = None
    gc.collect()
    for reference in left:
        module = reference()
        if module is not None:
            for name in sorted(module.__dict__, key=lambda name: not (type(name) is str and name.startswith("_"))):
                if name != "__builtins__":
                    module.__dict__[name] = None
    gc.collect()


def _ignore_error(step: Callable[[], object]) -> None:
    try:
        step()
    except BaseException as error:  # noqa: BLE001 - Python prints it and goes on
        _print_to_stderr(f"Exception ignored in: {step!r}\n")
        _print_traceback(error)


def _flush_streams() -> bool:
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
