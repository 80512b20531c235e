"""AutoGen's module of the controller, which is shared with the browser for other agents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.ext.tools.browser import PlaywrightController

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = ["PlaywrightController"]
