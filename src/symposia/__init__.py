"""Symposia: teams of agents that talk, write code, run it in a sandbox and check it."""

TYPE_CHECKING = False
"""As in `typing`, which takes 15 ms to import. The `symposia` command imports this package before it handles Ctrl-C."""

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        import sys  # noqa: PLC0415 - as above

        from symposia._lazy import missing_name  # noqa: PLC0415

        raise missing_name(__name__, name, sys._getframe().f_back)  # noqa: SLF001 - nothing else tells who asks


__version__ = "0.1.0"

__all__: list[str] = []
