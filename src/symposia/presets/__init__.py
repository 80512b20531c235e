"""Teams put together from public parts, ready to run."""

__all__: list[str] = []
