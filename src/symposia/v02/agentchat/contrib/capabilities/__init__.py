"""What can be added to an agent: memories of what it was taught, and changes to the messages that its model sees."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__: list[str] = []
