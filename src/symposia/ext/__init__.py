"""Extensions, a folder for each outside system: model vendors and code executors."""

__all__: list[str] = []
