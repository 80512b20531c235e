"""Accounts of tokens: what the clients of models have spent in a piece of work, whatever its messages say.

A message carries the tokens of the call that it is made of. Other calls are in no message: a summary of a conversation,
a model that a tool asks, an attempt that failed in the middle of its answer. So each turn has an account, to which the
clients report, and its silent tokens are those of the account that its messages lack. Rejected: to have the callers
report what is in no message. Programs for AutoGen ask models in their tools, and know of no such report.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import replace
from typing import Final, TypeVar

from symposia.core._contexts import iterate_with, variable_set
from symposia.core.models._usage import RequestUsage

T = TypeVar("T")


_present: Final[ContextVar[UsageAccount | None]] = ContextVar("symposia_usage_account", default=None)


class UsageAccount:
    """The tokens that are spent in a piece of work, and in the work inside of it.

    The accounts of the work around it, which are open when this one is made, get them as well.
    """

    __slots__ = ("_around", "_spent")

    def __init__(self) -> None:
        self._around = _present.get()
        self._spent: list[RequestUsage] = []

    def current(self) -> AbstractContextManager[None]:
        """Inside, clients of models report to this account."""
        return variable_set(_present, self)

    def within(self, stream: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        """The same items; while each of them is computed, clients of models report to this account."""
        return iterate_with(_present, self, stream)

    def add(self, usage: RequestUsage) -> None:
        """Add the tokens of a call, here and to the accounts around this one."""
        self._spent.append(usage)
        if self._around is not None:
            self._around.add(usage)

    def beyond(self, carried: Iterable[RequestUsage | None]) -> RequestUsage | None:
        """The tokens that were spent beyond those that messages carry; None if there are none.

        Args:
            carried: The usages of the messages. One of them may be a sum over several calls, or be of a call that was
                not reported.
        """
        if not self._spent:
            return None
        rest = self._spent.copy()
        others: list[RequestUsage] = []
        for usage in carried:
            if usage is not None and not _remove(usage, rest):
                others += usage.by_model
        silent = sum(rest, RequestUsage(0, 0))
        for usage in others:
            silent = sum((_less(part, usage) for part in silent.by_model), RequestUsage(0, 0))
        return silent if silent.total_tokens else None


def report_usage(usage: RequestUsage) -> None:
    """Add the tokens of a call to the account of the present work. A client of models does so once for each call."""
    account = _present.get()
    if account is not None:
        account.add(usage)


def _remove(usage: RequestUsage, usages: list[RequestUsage]) -> bool:
    """Remove a usage, or else one of the same numbers, preferably of the same model. Returns whether there was one."""
    places = [place for place, one in enumerate(usages) if one == usage]
    if places:
        del usages[max(places, key=lambda place: (usages[place] is usage, usages[place].model == usage.model))]
    return bool(places)


def _less(usage: RequestUsage, carried: RequestUsage) -> RequestUsage:
    """A usage of one model without what is carried, if that is of this model, or of one that is not known."""
    if carried.model not in (None, usage.model):
        return usage
    usd = usage.usd if usage.usd is None else max(usage.usd - (carried.usd or 0.0), 0.0)
    return replace(
        usage,
        prompt_tokens=max(usage.prompt_tokens - carried.prompt_tokens, 0),
        completion_tokens=max(usage.completion_tokens - carried.completion_tokens, 0),
        cached_tokens=max(usage.cached_tokens - carried.cached_tokens, 0),
        cache_write_tokens=max(usage.cache_write_tokens - carried.cache_write_tokens, 0),
        reasoning_tokens=max(usage.reasoning_tokens - carried.reasoning_tokens, 0),
        usd=usd,
    )
