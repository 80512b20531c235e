"""An agent that works in a browser."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.ext.agents.web_surfer._surfer import MultimodalWebSurfer
    from symposia.ext.agents.web_surfer.playwright_controller import PlaywrightController
else:
    __getattr__, __dir__ = lazy_names(
        __name__, {"_surfer": ["MultimodalWebSurfer"], "playwright_controller": ["PlaywrightController"]}
    )

__all__ = ["MultimodalWebSurfer", "PlaywrightController"]
