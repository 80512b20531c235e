"""The `symposia` command."""

from symposia.cli._start import main

__all__ = ["main"]
