"""Changes to the messages that an agent's model sees, and not to its conversation."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from symposia.v02._plain import call_in_thread
from symposia.v02.agentchat.contrib.capabilities.transforms import MessageTransform
from symposia.v02.agentchat.conversable_agent import ConversableAgent
from symposia.v02.formatting_utils import colored
from symposia.v02.io import IOStream

__all__ = ["TransformMessages"]

Message = dict[str, Any]  # Any: JSON


class TransformMessages:
    """Applies transforms before each reply, one after another, to a copy of the messages.

    ::

        TransformMessages(transforms=[MessageHistoryLimiter(max_messages=10)]).add_to_agent(agent)

    A system message at the beginning is left as it is.

    Args:
        transforms: The transforms.
        verbose: Whether it is printed what they did.
    """

    def __init__(self, *, transforms: Sequence[MessageTransform] = (), verbose: bool = True) -> None:
        self._transforms = list(transforms)
        self._verbose = verbose

    def add_to_agent(self, agent: ConversableAgent) -> None:
        """Have an agent's messages transformed, in asynchronous chats too, which AutoGen 0.2 leaves out."""
        agent.register_hook("process_all_messages_before_reply", self._transform_messages)
        agent.register_hook("a_process_all_messages_before_reply", self._a_transform_messages)

    async def _a_transform_messages(self, messages: list[Message]) -> list[Message]:
        return await call_in_thread(self._transform_messages, messages)  # a compressor or a cache may take long

    def _transform_messages(self, messages: list[Message]) -> list[Message]:
        messages = copy.deepcopy(messages)
        system = messages[:1] if messages and messages[0].get("role") == "system" else []
        rest = messages[len(system) :]
        for transform in self._transforms:
            before = copy.deepcopy(rest)
            rest = transform.apply_transform(rest)
            if self._verbose:
                text, has_effect = transform.get_logs(before, rest)
                if has_effect:
                    IOStream.get_default().print(colored(text, "yellow"))
        return system + rest
