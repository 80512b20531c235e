"""Clients of models: one package a vendor, one that replays a script, and `vendors` for what a new one is made of."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__: list[str] = []
