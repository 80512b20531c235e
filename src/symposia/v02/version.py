"""The version of AutoGen whose interface this package has."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.2.40"
