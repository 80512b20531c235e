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
import os
import resource
import signal
import sys
import weakref
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from itertools import islice
from types import ModuleType
from typing import NoReturn

from ._execution import (
    FLUSH_FAILED,
    INTERRUPTED,
    become_clean,
    flush_files,
    flush_streams,
    identity,
    ignore_error,
    keep_lines,
    new_main,
    open_files,
    read_all,
    run_source,
)
from ._plots import save_open_plots
from ._processes import Report


def run_script(folder: str, of_server: Iterable[str], source_fd: int, report_fd: int) -> NoReturn:
    """Wait for a block, run it, and end the process with its exit code.

    Args:
        folder: The work folder, which is the current one.
        of_server: The names of the server's modules.
        source_fd: Gives the path that the block has, a zero byte, and its source.
        report_fd: Takes a `Report` when nothing is left to do but to end.
    """
    # Kept, though unreachable by name: freeing them would write to, and so copy, some fifty pages of the server.
    _kept = become_clean(folder, of_server)
    process = os.getpid()
    report_pipe, open_before = identity(report_fd), open_files()
    _warm_up(folder)
    imported = len(sys.modules)
    name, _, source = read_all(source_fd).partition(b"\0")
    path = name.decode()
    sys.argv = [path]
    if "linecache" in sys.modules:
        keep_lines(path, source)
    exit_code = run_source([new_main(path)], path, source)
    sys.settrace(None)
    sys.setprofile(None)
    try:
        is_first = os.getpid() == process  # and not one that the block has forked
        exit_code = _finish(folder, exit_code, imported, open_before, with_plots=is_first)
        if is_first and identity(report_fd) == report_pipe:  # a block may have closed it, and have another file there
            _report_end(report_fd, exit_code)
    finally:
        _exit(exit_code)


def _warm_up(folder: str) -> None:
    """Go through the steps of a block once, with an empty one, while no block waits.

    Every page of the server that is written to for the first time is copied then, and a count of references is enough
    to write to it. A block would wait for some hundred pages, of the steps before and after its own code.
    """
    path = f"{folder}/"  # no block has this one
    # Nothing is imported here: the work folder is first on the path, so that what an earlier block has left there would
    # run before the block, without its limits.
    if {"linecache", "tokenize"} <= sys.modules.keys():
        keep_lines(path, b"0\n")
        sys.modules["linecache"].cache.pop(path, None)
    main = sys.modules["__main__"]
    run_source([ModuleType("__main__")], path, b"0\n")
    sys.modules["__main__"] = main
    save_open_plots(folder)
    flush_streams()
    gc.collect()


def _exit(code: int) -> NoReturn:
    if code == INTERRUPTED:  # as Python ends then, for who started it to see
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(code)


def _report_end(fd: int, exit_code: int) -> None:
    if exit_code == INTERRUPTED:
        return
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    report = Report(exit_code, seconds, max(own.ru_maxrss, children.ru_maxrss) * 1024)
    with suppress(OSError):  # the server has closed its end, as the block has written something there
        os.write(fd, report.pack())


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
        ignore_error(threading._shutdown)  # noqa: SLF001 - Python itself calls these two
    if with_plots:
        ignore_error(partial(save_open_plots, folder))
    ignore_error(atexit._run_exitfuncs)  # noqa: SLF001
    is_flushed = flush_streams()
    # Before anything is freed: a file in a cycle may be closed before what buffers for it.
    ignore_error(partial(flush_files, open_before))
    if _thread._count() == 0:  # noqa: SLF001 - beside the main one, those that `threading` does not know included
        ignore_error(partial(_free_modules, folder, imported))
        ignore_error(partial(flush_files, open_before))  # of what was written meanwhile
    return exit_code if is_flushed and flush_streams() else FLUSH_FAILED


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
