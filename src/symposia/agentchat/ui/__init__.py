"""Showing a run on a terminal."""

from symposia.agentchat.ui._console import Console
from symposia.agentchat.ui._user_input_manager import UserInputManager

__all__ = ["Console", "UserInputManager"]
