from symposia.cli._start import main

__all__ = ["main"]
