"""What to do with messages for models and people that cannot take all of their content."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.agentchat.utils._content import content_to_str, remove_images

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = ["content_to_str", "remove_images"]
