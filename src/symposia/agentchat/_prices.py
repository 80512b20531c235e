"""What money is reckoned with: prices of tokens, checked, and the tokens that a forecast assumes."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Final, cast

from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.models import TokenPrice

ANSWER_TOKENS: Final = (50, 1_000)
"""The tokens of an answer that a forecast assumes: from two sentences to a page and a half. They are not measured.

Here, as a default of `BaseGroupChat.check`: the modules of `checks` are imported only when a team is checked.
"""


def check_prices(given: object, names: str) -> None:
    """Raise an error for what is not a mapping of names to prices; None stands for no prices.

    Args:
        given: What was given.
        names: Whose prices they are: "models" or "agents".

    Raises:
        ArgumentTypeError: It is a number, a mapping of numbers, or anything else.
        InvalidArgumentError: A price is no amount of money.
    """
    if given is None:
        return
    prices = cast("Mapping[object, object]", given).values() if isinstance(given, Mapping) else [given]
    if isinstance(given, TokenPrice) or not all(isinstance(price, TokenPrice) for price in prices):
        raise ArgumentTypeError(
            f"prices is {given!r}: give TokenPrice objects by the names of {names}, such as"
            " {'NAME': TokenPrice(2.5, 10)}."
        )
    for price in prices:
        check_price(cast("TokenPrice", price))


def check_price(price: TokenPrice) -> None:
    """Raise an error for a price that is no amount of money, before a run has cost any.

    Raises:
        InvalidArgumentError: A number of it is a text, negative or not finite.
    """
    for dollars in cast("tuple[object, ...]", price):
        if dollars is not None and not (isinstance(dollars, int | float) and 0 <= dollars < inf):
            raise InvalidArgumentError(f"A price is {price!r}: give US dollars for a million tokens, 0 or more.")
