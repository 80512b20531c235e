"""Attacks on the sandboxes, for ``symposia doctor --attack`` and for the tests.

Each attack is a program that runs in a sandbox as any other, and a judge that looks at the result, inside and on the
host. `GAPS` are those that a kind of sandbox does not stop, and `attack_table` shows all of them.
"""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.ext.code_executors.attacks import _host, _memory, _network, _next_block, _results, _rights, _variables
from symposia.ext.code_executors.attacks._table import GAPS, attack_table
from symposia.ext.code_executors.attacks._target import Attack, AttackOutcome, AttackTarget, run_attack

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

ATTACKS: tuple[Attack, ...] = (
    *_memory.ATTACKS,
    *_host.ATTACKS,
    *_next_block.ATTACKS,
    *_variables.ATTACKS,
    *_results.ATTACKS,
    *_network.ATTACKS,
    *_rights.ATTACKS,
)

__all__ = ["ATTACKS", "GAPS", "Attack", "AttackOutcome", "AttackTarget", "attack_table", "run_attack"]
