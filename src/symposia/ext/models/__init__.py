"""Clients of models: one package a vendor, and one that replays what it is told to say."""

__all__: list[str] = []
