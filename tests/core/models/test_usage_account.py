"""Accounts of tokens: what was spent in a piece of work, and what of it is in no message."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from symposia.core.models import RequestUsage, UsageAccount, report_usage


def usage(prompt: int, completion: int = 1, *, model: str | None = "large", usd: float | None = 0.5) -> RequestUsage:
    return RequestUsage(prompt, completion, model=model, usd=usd)


def spent(account: UsageAccount) -> RequestUsage | None:
    return account.beyond(())


def test_what_is_reported_without_an_account_is_dropped() -> None:
    report_usage(usage(1))
    assert spent(UsageAccount()) is None


def test_an_account_has_what_was_reported_while_it_was_current() -> None:
    account = UsageAccount()
    with account.current():
        report_usage(usage(10))
        report_usage(usage(20))
    report_usage(usage(40))
    assert spent(account) == usage(30, 2)


def test_the_accounts_around_one_have_its_tokens_too() -> None:
    outer = UsageAccount()
    with outer.current():
        inner = UsageAccount()
        with inner.current():
            report_usage(usage(10))
        report_usage(usage(20))
    assert spent(inner) == usage(10)
    assert spent(outer) == usage(30, 2)


async def test_the_tasks_of_a_piece_of_work_report_to_its_account() -> None:
    async def ask() -> None:
        report_usage(usage(10))

    account = UsageAccount()
    with account.current():
        await asyncio.gather(ask(), ask())
        await asyncio.to_thread(report_usage, usage(20))
    assert spent(account) == usage(40, 3)


async def test_the_consumer_of_a_stream_does_not_report_to_the_streams_account() -> None:
    async def stream() -> AsyncGenerator[int, None]:
        for number in (1, 2):
            report_usage(usage(number))
            yield number

    account = UsageAccount()
    async with aclosing(account.within(stream())) as items:
        async for _ in items:
            report_usage(usage(100))
    assert spent(account) == usage(3, 2)


def test_what_messages_carry_is_not_beyond_them() -> None:
    account = UsageAccount()
    carried, silent = usage(10), usage(20)
    account.add(carried)
    account.add(silent)
    assert account.beyond([carried, None]) == silent
    assert account.beyond([silent, carried]) is None


def test_of_equal_numbers_those_of_the_other_model_are_left() -> None:
    account = UsageAccount()
    account.add(usage(10, model="small", usd=0.1))
    account.add(usage(10))
    left = account.beyond([usage(10)])
    assert left is not None
    assert (left.model, left.usd) == ("small", 0.1)


def test_a_message_may_carry_a_sum_or_numbers_alone() -> None:
    account = UsageAccount()
    for one in (usage(10), usage(20), usage(30, model="small", usd=0.25)):
        account.add(one)
    assert account.beyond([usage(10) + usage(20) + usage(30, model="small", usd=0.25)]) is None
    left = account.beyond([usage(10) + usage(20)])
    assert left is not None
    assert (left, left.model, left.usd) == (usage(30), "small", 0.25)
    assert account.beyond([RequestUsage(10, 1), RequestUsage(50, 2)]) is None


def test_messages_of_clients_that_report_nothing_leave_the_others_silent_tokens() -> None:
    account = UsageAccount()
    account.add(usage(10))
    assert account.beyond([usage(500, model="own")]) == usage(10)
    assert UsageAccount().beyond([usage(500)]) is None
