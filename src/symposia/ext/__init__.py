"""One folder an outside system: model vendors, and the walls that generated code runs behind."""

__all__: list[str] = []
