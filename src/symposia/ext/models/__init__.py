"""Clients of models: one package a vendor, one that replays a script, and `vendors` for what a new one is made of."""

__all__: list[str] = []
