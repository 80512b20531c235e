"""Images that a service has made, as part of an agent's answer."""

from __future__ import annotations

from collections.abc import Sequence

from symposia.agentchat.agents import ModelCall, Rejection
from symposia.agentchat.messages import BaseChatMessage, MultiModalMessage
from symposia.core import Image
from symposia.core.exceptions import ModelError


def with_images(
    agent: str, call: ModelCall, answer: BaseChatMessage | Rejection, encoded: Sequence[str]
) -> BaseChatMessage | Rejection:
    """An answer with the images that came with it.

    Args:
        agent: The name of the agent.
        call: The call of the model.
        answer: The answer without them.
        encoded: The images, as base64.

    Raises:
        ModelError: One cannot be read.
    """
    if not encoded or isinstance(answer, Rejection):
        return answer
    try:
        images = [Image.from_base64(image) for image in encoded]
    except (OSError, ValueError) as error:
        raise ModelError(f"Agent '{agent}': the service sent an image that cannot be read: {error}") from error
    text = [call.text] if call.text else []
    return MultiModalMessage(content=[*text, *images], source=agent, models_usage=call.result.usage)
