"""Coroutines that never suspend: the logic of plain calls, which is that of the asynchronous ones."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar, cast

T = TypeVar("T")


def run_plain(coroutine: Coroutine[Any, Any, T]) -> T:  # Any: it yields and is sent nothing
    """Run a coroutine of the plain form, which does not suspend.

    Raises:
        RuntimeError: It suspended: something in it was awaited that was not of the plain form.
    """
    try:
        coroutine.send(None)
    except StopIteration as end:
        return cast("T", end.value)
    coroutine.close()
    raise RuntimeError("A coroutine of the plain form was suspended. Await nothing in it but the methods of its form.")
