"""What to do with messages for models and people that cannot take all of their content."""

from symposia.agentchat.utils._content import content_to_str, remove_images

__all__ = ["content_to_str", "remove_images"]
