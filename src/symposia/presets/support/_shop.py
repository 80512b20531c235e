"""The shop of the support team: orders in memory, and the tools that read and change them."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel

from symposia.core.effects import HumanFunction, HumanQuestion, ask_human

REFUND_LIMIT: Final = 100.0
"""The most euros for an order that are paid back without a colleague's consent."""


class Order(BaseModel):
    """An order.

    Attributes:
        number: Its number, as the customer knows it.
        item: What was ordered.
        paid: Euros, by all charges.
        charges: How often it was charged.
        status: Where it is.
        refunded: Euros that were paid back.
    """

    number: str
    item: str
    paid: float
    charges: int = 1
    status: str
    refunded: float = 0.0


class Shop:
    """Orders by number. Its methods are tools, whose results and errors a model reads.

    Args:
        orders: The orders.
        approve: Asks a person before more than `REFUND_LIMIT` is paid back for an order. The tool itself asks, with
            the order and the amount, so that no message of a model can replace the consent.
    """

    def __init__(self, orders: Iterable[Order], approve: HumanFunction) -> None:
        self.orders = {order.number: order for order in orders}
        self._approve = approve
        # One refund after another: a model may ask for several at once. While a person decides about one, another
        # could pay back what is left, and the person could not tell whose question an answer answers.
        self._refunding = asyncio.Lock()

    @classmethod
    def bundled(cls, approve: HumanFunction) -> Self:
        """The shop of the example. It reads a file, and may block."""
        text = (Path(__file__).parent / "orders.toml").read_text(encoding="utf-8")
        return cls((Order.model_validate(each) for each in tomllib.loads(text)["order"]), approve)

    async def find_order(self, number: str) -> str:
        """Look up an order by its number: what it is, what was paid, where it is."""
        order = self._order(number)
        times = f"in {order.charges} charges" if order.charges > 1 else "in one charge"
        back = f", {order.refunded:.2f} EUR paid back" if order.refunded else ""
        return f"Order {order.number}: {order.item}, {order.paid:.2f} EUR paid {times}{back}, {order.status}."

    async def refund(self, number: str, amount: float) -> str:
        """Pay back a part of an order, in euros. For more than 100 EUR in all, a colleague is asked for consent."""
        async with self._refunding:
            return await self._refund(self._order(number), amount)

    async def _refund(self, order: Order, amount: float) -> str:
        if not 0 < amount <= order.paid - order.refunded:
            left = order.paid - order.refunded
            raise ValueError(
                f"Order {order.number} has {left:.2f} EUR left that can be paid back, and not {amount:.2f}."
            )
        if order.refunded + amount > REFUND_LIMIT:
            await self._ask_for_consent(order, amount)
        order.refunded += amount
        return f"{amount:.2f} EUR for order {order.number} are paid back."

    async def _ask_for_consent(self, order: Order, amount: float) -> None:
        text = f"Pay back {amount:.2f} EUR for order {order.number} ({order.item})?"
        question = HumanQuestion(text, approval_of={"refund": order.number, "amount": amount})
        answer = await ask_human(self._approve, question)
        if not answer.approved:
            reason = f" The reason: {answer.text}" if answer.text else ""
            raise ValueError(
                f"The colleague did not consent to paying back {amount:.2f} EUR for order {order.number}.{reason}"
            )

    def _order(self, number: str) -> Order:
        order = self.orders.get(number.strip().lstrip("#"))
        if order is None:
            raise ValueError(f"There is no order {number!r}. Ask the customer for the number.")
        return order
