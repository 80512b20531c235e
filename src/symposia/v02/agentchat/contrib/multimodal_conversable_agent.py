"""An agent whose model sees pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from typing_extensions import override

from symposia.v02.agentchat.contrib.img_utils import gpt4v_formatter, message_formatter_pil_to_b64
from symposia.v02.agentchat.conversable_agent import ConversableAgent

__all__ = ["DEFAULT_LMM_SYS_MSG", "DEFAULT_MODEL", "MultimodalConversableAgent"]

DEFAULT_LMM_SYS_MSG: Final = "You are a helpful AI assistant."
DEFAULT_MODEL: Final = "gpt-4-vision-preview"

Content = str | list[Any] | None  # Any: parts of a message


class MultimodalConversableAgent(ConversableAgent):
    """An agent that shows its model the pictures of ``<img PLACE>`` tags in messages.

    A place is the path of a file, which is read, or a link, which the model's vendor reads, if it does.

    Args:
        name: The name.
        system_message: The instructions of the model, which may have tags.
        is_termination_msg: As of `ConversableAgent`.
        args: As of `ConversableAgent`, from the fourth on.
        kwargs: As of `ConversableAgent`.
    """

    def __init__(
        self,
        name: str,
        system_message: str | list[Any] | None = DEFAULT_LMM_SYS_MSG,
        is_termination_msg: Callable[[dict[str, Any]], bool] | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, system_message, is_termination_msg, *args, **kwargs)
        self.update_system_message(system_message)

    @override
    def update_system_message(self, system_message: str | list[Any] | Mapping[str, Any] | None) -> None:
        """Set the instructions of the model, which may have tags."""
        given = system_message.get("content") if isinstance(system_message, Mapping) else system_message
        self._oai_system_message[0]["content"] = _parts(given)

    @staticmethod
    @override
    def _message_to_dict(message: dict[str, Any] | str) -> dict[str, Any]:
        if isinstance(message, str):
            return {"content": _parts(message)}
        if message.get("content") is None or callable(message["content"]):
            return message
        return {**message, "content": _parts(message["content"])}


def _parts(content: Content) -> list[Any]:
    if isinstance(content, str):
        return gpt4v_formatter(content)
    [message] = message_formatter_pil_to_b64([{"content": content or []}])
    return message["content"]
