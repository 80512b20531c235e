"""Answers from a graph of knowledge: what a store of graphs has, and what an agent has that asks one."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__: list[str] = []
