"""Criteria by which answers to a task are assessed, and assessments by them."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__: list[str] = []
