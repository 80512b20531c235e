"""A cache store in a folder, by the library ``diskcache``."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final, Protocol, Self, TypeAlias, TypeVar, cast
from weakref import WeakSet, finalize

from pydantic import BaseModel

from symposia._lazy import lazy_module
from symposia.core import CacheStore, Component
from symposia.core.argument_checks import check_key_values
from symposia.core.exceptions import MissingExtraError

__all__ = ["DiskCacheStore", "DiskCacheStoreConfig"]

if TYPE_CHECKING:
    import diskcache  # pyright: ignore[reportMissingTypeStubs] - it has none
else:
    diskcache = lazy_module("diskcache")

T = TypeVar("T")
R = TypeVar("R")


class _Values(Protocol[T]):
    """The methods of ``diskcache.Cache`` that a store uses."""

    def get(self, key: str, default: T | None) -> T | None: ...
    def set(self, key: str, value: T) -> object: ...
    def close(self) -> None: ...


class DiskCacheStoreConfig(BaseModel):
    """The configuration of a `DiskCacheStore`.

    Attributes:
        directory: The folder.
    """

    directory: str


class DiskCacheStore(CacheStore[T], Component[DiskCacheStoreConfig]):
    """Keeps values in a folder of this machine, which several processes may share.

    The library writes texts, numbers and bytes as they are, and other values with `pickle`: to read a folder that
    others may write into is to run their code. What `symposia.ext.models.cache.ChatCompletionCache` keeps is text.

    One thread makes all calls, so that there is one connection to the database. It ends with the store, or by `close`.

    Args:
        cache_instance: ``diskcache.Cache(folder)``, with its limits.

    Raises:
        ArgumentTypeError: It is something else, such as a folder.
    """

    component_provider_override = "symposia.ext.cache_store.diskcache.DiskCacheStore"
    component_config_schema = DiskCacheStoreConfig

    def __init__(self, cache_instance: diskcache.Cache) -> None:
        check_key_values("cache_instance", type(self).__name__, cache_instance, "diskcache.Cache('folder')")
        self.cache = cache_instance
        self._values = values = cast("_Values[T]", cache_instance)  # the library has no types
        values.close()  # the connection of this thread, which may never use it again
        self._thread = _CallThread(at_end=values.close)
        finalize(self, self._thread.stop).atexit = False  # see `_stop_threads`

    def get(self, key: str, default: T | None = None) -> T | None:
        """See `CacheStore.get`. It waits for the disk: call it in a thread."""
        return self._thread.call(lambda: self._values.get(key, default))

    def set(self, key: str, value: T) -> None:
        """See `CacheStore.set`. It waits for the disk: call it in a thread."""
        self._thread.call(lambda: self._values.set(key, value))

    def close(self) -> None:
        """See `CacheStore.close`. It waits for the disk: call it in a thread."""
        self._thread.stop(wait=None)

    def _to_config(self) -> DiskCacheStoreConfig:
        return DiskCacheStoreConfig(directory=str(self.cache.directory))

    @classmethod
    def _from_config(cls, config: DiskCacheStoreConfig) -> Self:
        try:
            return cls(diskcache.Cache(config.directory))
        except ImportError as error:
            raise MissingExtraError(cls.__name__, "diskcache") from error


EXIT_SECONDS: Final = 2.0
"""How long the interpreter waits at its exit for a thread to close its connection. A write that waits for another
process may take longer; SQLite undoes what is not complete."""

_Calls: TypeAlias = SimpleQueue[Callable[[], None] | None]
"""What a thread is to call, and None where it is to end."""


class _CallThread:
    """A thread that makes calls one by one, begun with the first of them.

    The library has a connection to SQLite for each thread that calls it, and leaves those of ended threads open. The
    worker threads of `symposia.core` end whenever they have been idle. Rejected: to close the connection after each
    call, upon which SQLite moves its log into the database (a write took 23 ms in place of 0.4).

    Args:
        at_end: Is called in the thread when it ends.
    """

    def __init__(self, at_end: Callable[[], None]) -> None:
        self._at_end = at_end
        self._lock = threading.Lock()
        self._calls: _Calls = SimpleQueue()
        self._thread: threading.Thread | None = None
        _call_threads.add(self)

    def call(self, function: Callable[[], R]) -> R:
        """Call a function in the thread, and wait for it.

        Raises:
            Exception: The function's.
        """
        future: Future[R] = Future()
        with self._lock:
            if self._thread is None or not self._thread.is_alive():  # a forked process has no other thread than its own
                self._calls = SimpleQueue()
                self._thread = threading.Thread(
                    target=_make_calls, args=(self._calls, self._at_end), name="symposia-cache", daemon=True
                )
                self._thread.start()
            self._calls.put(lambda: _settle(future, function))
        return future.result()

    def stop(self, *, wait: float | None = 0) -> None:
        """End the thread after the calls that are under way; the next call begins another.

        Args:
            wait: Seconds to wait for its end at most; None for as long as it takes.
        """
        with self._lock:
            thread, self._thread = self._thread, None
            self._calls.put(None)
        if wait != 0 and thread is not None:
            thread.join(wait)


_call_threads: Final[WeakSet[_CallThread]] = WeakSet()


@atexit.register
def _stop_threads() -> None:
    for each in list(_call_threads):
        each.stop(wait=EXIT_SECONDS)


def _make_calls(calls: _Calls, at_end: Callable[[], None]) -> None:
    try:
        while (call := calls.get()) is not None:
            call()
            del call  # it refers to the result, and perhaps to the store
    finally:
        at_end()


def _settle(future: Future[R], function: Callable[[], R]) -> None:
    try:
        future.set_result(function())
    except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
        future.set_exception(error)
        del future  # the error's traceback refers to this frame, and the future to the error
