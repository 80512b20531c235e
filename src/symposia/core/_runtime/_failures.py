from __future__ import annotations

KEPT_FAILURES = 64
"""Errors keep the variables of their frames alive; a service that runs for months must not keep them all."""


class Failures:
    """What went wrong where no sender waits, until the runtime's owner is told.

    Args:
        ignored: Leave them to the log.
    """

    def __init__(self, *, ignored: bool) -> None:
        self._ignored = ignored
        self._errors: list[Exception] = []
        self._count = 0

    def __bool__(self) -> bool:
        return self._count > 0

    def add(self, error: Exception) -> None:
        """Remember an error, unless they are ignored."""
        if self._ignored:
            return
        self._count += 1
        if len(self._errors) < KEPT_FAILURES:
            self._errors.append(error)

    def raise_to_owner(self) -> None:
        """Raise what came together since the last time: the error itself, or an `ExceptionGroup` of several."""
        errors, count = self._errors, self._count
        self._errors, self._count = [], 0
        which = "" if count == len(errors) else f", the first {len(errors)} of which are these"
        raise_together(errors, f"Agents failed {count} times on messages whose senders do not wait{which}")


def raise_together(errors: list[Exception], text: str) -> None:
    """Raise errors: none, the one, or several as a group."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ExceptionGroup(text, errors)
