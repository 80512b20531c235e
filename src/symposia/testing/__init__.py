"""What the tests of programs need: simulation, and a second runtime that encodes every message."""

__all__: list[str] = []
