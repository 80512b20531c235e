"""The team behind ``symposia support``: triage, specialists, and a colleague who is a person.

::

    team = support_team(dict.fromkeys(AGENTS, model_named("gpt-5.5")), Shop.bundled(), ask_colleague=input)
    await converse(team, read_line, print)
"""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.presets._conversation import HistoryError, Partner, ReadLine, Watch, converse
from symposia.presets.support._shop import Order, Shop
from symposia.presets.support._team import AGENTS, COLLEAGUE, bundled_support, support_team

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = [
    "AGENTS",
    "COLLEAGUE",
    "HistoryError",
    "Order",
    "Partner",
    "ReadLine",
    "Shop",
    "Watch",
    "bundled_support",
    "converse",
    "support_team",
]
