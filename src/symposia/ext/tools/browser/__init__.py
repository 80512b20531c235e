"""A browser as tools: pages for agents, in a Chromium that reaches no private address."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.ext.tools.browser._controller import PlaywrightController
    from symposia.ext.tools.browser._workbench import BrowserWorkbench
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_controller": ["PlaywrightController"],
            "_workbench": ["BrowserWorkbench"],
        },
    )

__all__ = ["BrowserWorkbench", "PlaywrightController"]
