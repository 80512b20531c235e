"""Databases of documents that are found by the similarity of their vectors."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__: list[str] = []
