"""A block of Python in the interpreter that waited for it: it runs as if it were started by ``python FILE``.

What remains different: the libraries that were imported ahead are in `sys.modules`, and all blocks of a sandbox have
one hash seed. At its end the interpreter is not taken down as Python does it, which takes longer than most blocks. What
a program can see of that is done: threads are waited for, exit handlers run, and files are flushed.
"""

from __future__ import annotations

import atexit
import gc
import io
import os
import resource
import signal
import sys
from contextlib import suppress
from types import ModuleType, TracebackType
from typing import NoReturn

from ._plots import save_open_plots, show_by_saving
from ._processes import Report

_CHUNK = 1 << 20
_FLUSH_FAILED = 120  # as Python


def run_script(folder: str, source_fd: int, report_fd: int) -> NoReturn:
    """Wait for a block, run it, and end the process with its exit code.

    Args:
        folder: The work folder, which is the current one.
        source_fd: Gives the path that the block has, a zero byte, and its source.
        report_fd: Takes a `Report` when nothing is left to do but to end.
    """
    main = _new_main(folder)
    process = os.getpid()
    path, _, source = _read(source_fd).partition(b"\0")
    _name(main, path.decode(), source)
    exit_code = _run(main, path.decode(), source)
    try:
        if os.getpid() == process:  # and not one that the block has forked
            save_open_plots()
        exit_code = _finish(main, exit_code)
        if os.getpid() == process:
            _report_end(report_fd, exit_code)
    finally:
        os._exit(exit_code)


def _report_end(fd: int, exit_code: int) -> None:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    report = Report(exit_code, seconds, max(own.ru_maxrss, children.ru_maxrss) * 1024)
    with suppress(OSError):  # closed by the block: its end is seen without
        os.write(fd, report.pack())


def _new_main(folder: str) -> ModuleType:
    """A new ``__main__``, in a state of the interpreter in which nothing is left of the server."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "sandbox"]:
        del sys.modules[name]
    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "__main__"]
    sys.path.insert(0, folder)
    # As `python -u` makes them: what a block has printed before it is killed has left it.
    sys.stdin = sys.__stdin__ = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for the whole block
    sys.stdout = sys.__stdout__ = _unbuffered(1, "surrogateescape")
    sys.stderr = sys.__stderr__ = _unbuffered(2, "backslashreplace")
    if "numpy" in sys.modules:  # Python's own `random` does it at each fork
        sys.modules["numpy"].random.seed()
    show_by_saving()
    main = ModuleType("__main__")
    main.__dict__["__builtins__"] = sys.modules["builtins"]
    sys.modules["__main__"] = main
    return main


def _unbuffered(fd: int, errors: str) -> io.TextIOWrapper:
    raw = open(fd, "wb", buffering=0, closefd=False)  # noqa: SIM115 - for the whole block
    stream = io.TextIOWrapper(raw, encoding="utf-8", errors=errors, write_through=True)  # type: ignore[arg-type]
    stream.mode = "w"  # type: ignore[attr-defined] - as Python's own
    return stream


def _read(fd: int) -> bytes:
    received = bytearray()
    while True:
        piece = os.read(fd, _CHUNK)
        if not piece:
            os.close(fd)
            return bytes(received)
        received += piece


def _name(main: ModuleType, path: str, source: bytes) -> None:
    main.__file__ = path
    sys.argv = [path]
    if "linecache" in sys.modules:
        _keep_lines(path, source)


def _keep_lines(path: str, source: bytes) -> None:
    """Let tracebacks and `inspect` show the source, whatever has become of the file."""
    import linecache  # noqa: PLC0415 - most blocks do not fail, and it takes a millisecond

    lines = source.decode("utf-8", "replace").splitlines(keepends=True)
    linecache.cache[path] = (len(source), None, lines, path)


def _run(main: ModuleType, path: str, source: bytes) -> int:
    """Run the block and return its exit code. Its error is printed."""
    try:
        exec(compile(source, path, "exec", dont_inherit=True), main.__dict__)  # noqa: S102 - the point of it
    except SystemExit as error:
        return _exit_code(error.code)
    except KeyboardInterrupt as error:
        _report(path, source, error)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)  # as Python ends then, for who started it to see
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it is
        _report(path, source, error)
        return 1
    return 0


def _exit_code(code: object) -> int:
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    with suppress(Exception):
        sys.stderr.write(f"{code}\n")
    return 1


def _report(path: str, source: bytes, error: BaseException) -> None:
    traceback = _behind_run(error.__traceback__)
    error.__traceback__ = traceback
    with suppress(Exception):
        if sys.excepthook is not sys.__excepthook__:
            sys.excepthook(type(error), error, traceback)
            return
        from traceback import print_exception  # noqa: PLC0415 - as above

        _keep_lines(path, source)
        print_exception(type(error), error, traceback)


def _behind_run(traceback: TracebackType | None) -> TracebackType | None:
    is_ours = traceback is not None and traceback.tb_frame.f_code is _run.__code__
    return traceback.tb_next if traceback is not None and is_ours else traceback


def _finish(main: ModuleType, exit_code: int) -> int:
    """Do what Python does at the end of a program, as far as it can be seen from outside."""
    threading = sys.modules.get("threading")
    if threading is not None:
        threading._shutdown()  # noqa: SLF001 - Python itself calls these two
    atexit._run_exitfuncs()  # noqa: SLF001
    # Objects of the block are freed, which closes and flushes its files. Names with an underscore go first, as in
    # Python. Files that something else refers to are flushed one by one.
    names = sorted(main.__dict__, key=lambda name: not str(name).startswith("_"))
    for name in names:
        if name != "__builtins__":
            main.__dict__[name] = None
    gc.collect()
    for each in gc.get_objects():
        if isinstance(each, io.IOBase) and type(each).__module__ == "_io" and not each.closed:
            with suppress(Exception):
                each.flush()
    try:
        sys.stdout.flush()
    except Exception:  # noqa: BLE001 - a block may have put anything there
        return exit_code or _FLUSH_FAILED
    return exit_code
