"""Symposia: teams of agents that talk, write code, run it in a sandbox and check it."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__version__ = "0.1.0"
