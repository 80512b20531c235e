"""Symposia: teams of agents that talk, write code, run it in a sandbox and check it."""

__version__ = "0.1.0"
