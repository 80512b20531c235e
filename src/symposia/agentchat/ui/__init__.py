"""Showing a run on a terminal."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.agentchat.ui._console import Console
from symposia.agentchat.ui._user_input_manager import UserInputManager

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = ["Console", "UserInputManager"]
