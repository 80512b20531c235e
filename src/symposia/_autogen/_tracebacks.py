"""Tracebacks of a program that runs under the hook, as they are without it."""

from collections.abc import Callable, Iterator
from itertools import dropwhile
from pathlib import Path
from types import TracebackType

ExceptHook = Callable[[type[BaseException], BaseException, TracebackType | None], object]

_OURS = (str(Path(__file__).parent), str(Path(__file__).parent.with_name("autogen.py")))
_STARTERS = "<frozen runpy>"  # what started us, not the program


def hiding_us(hook: ExceptHook) -> ExceptHook:
    """An exception hook that shows `hook` tracebacks without our frames."""

    def shown(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
        for each in _chain(error):
            each.__traceback__ = without_us(each.__traceback__)
        hook(kind, error, error.__traceback__)

    return shown


def without_us(traceback: TracebackType | None) -> TracebackType | None:
    """The same traceback, less the frames that led to the program and those of the import hook. Relinks it in place."""
    began = dropwhile(lambda entry: _is_ours(entry) or _file(entry) == _STARTERS, _entries(traceback))
    rest: TracebackType | None = None
    for entry in reversed([entry for entry in began if not _is_ours(entry)]):
        entry.tb_next = rest
        rest = entry
    return rest


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [each.__cause__, each.__context__]


def _entries(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _is_ours(entry: TracebackType) -> bool:
    return _file(entry).startswith(_OURS)


def _file(entry: TracebackType) -> str:
    return entry.tb_frame.f_code.co_filename
