"""Captions of pictures, for an agent whose model reads texts only."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from symposia.v02._plain import run_plain
from symposia.v02.agentchat._forms import ASYNC, PLAIN, Form
from symposia.v02.agentchat.contrib.capabilities.agent_capability import AgentCapability
from symposia.v02.agentchat.contrib.img_utils import TAG, is_link, pil_or_none, url_or_none
from symposia.v02.agentchat.conversable_agent import ConversableAgent
from symposia.v02.oai import OpenAIWrapper

if TYPE_CHECKING:
    from PIL import Image as PILImages

__all__ = ["DEFAULT_DESCRIPTION_PROMPT", "VisionCapability"]

logger = logging.getLogger(__name__)

DEFAULT_DESCRIPTION_PROMPT: Final = (
    "Say what this picture shows, for somebody who cannot see it and goes on with a conversation about it: what is "
    "there, where, how many, and every text in it."
)
ABILITY: Final = "\nPictures in messages are described to you: below each there is a caption of what it shows."
CAPTION: Final = "\n[Caption of this picture: {caption}]\n"

Part: TypeAlias = str | Mapping[str, Any]  # Any: JSON, but for pictures
Place: TypeAlias = "str | PILImages.Image"


class VisionCapability(AgentCapability):
    """Writes a caption below each picture of a message, so that an agent without a multimodal model can read of it.

    ::

        VisionCapability(lmm_config={"config_list": [{"model": "gpt-4o"}]}).add_to_agent(agent)

    A place that is a link is given to the multimodal model as it is. A picture that cannot be read has no caption.

    Args:
        lmm_config: The multimodal model, as an `llm_config`.
        description_prompt: What it is asked about a picture.
        custom_caption_func: Makes the captions in place of the model. It is given the place of the picture, the
            picture as an object of Pillow, which is None for a link, and the client of the model, if there is one.

    Raises:
        AssertionError: There is neither a model nor a function.
    """

    def __init__(
        self,
        lmm_config: dict[str, Any] | None,  # Any: see `OpenAIWrapper`
        description_prompt: str | None = DEFAULT_DESCRIPTION_PROMPT,
        custom_caption_func: Callable[..., Any] | None = None,  # Any: its result is written as a text
    ) -> None:
        self._lmm_client = OpenAIWrapper(**lmm_config) if lmm_config else None
        captioner = custom_caption_func or self._lmm_client
        if captioner is None:
            raise AssertionError(
                "Vision Capability requires a valid lmm_config or custom_caption_func. Give the llm_config of a model "
                "that reads pictures, or a function that makes captions."
            )
        self._captioner = captioner
        self._prompt = description_prompt or DEFAULT_DESCRIPTION_PROMPT

    def add_to_agent(self, agent: ConversableAgent) -> None:
        """Have the pictures of an agent's messages described to it, in asynchronous chats too."""
        agent.update_system_message(agent.system_message + ABILITY)
        agent.register_hook("process_last_received_message", self.process_last_received_message)
        agent.register_hook("a_process_last_received_message", self.a_process_last_received_message)

    def process_last_received_message(self, content: str | list[Part]) -> str:
        """The content of a message as a text with captions.

        Args:
            content: A text, whose pictures are ``<img PLACE>`` tags, or parts, of which all but texts and pictures are
                left out.
        """
        return run_plain(self._captioned(PLAIN, content))

    async def a_process_last_received_message(self, content: str | list[Part]) -> str:
        """As `process_last_received_message`, in the running event loop."""
        return await self._captioned(ASYNC, content)

    async def _captioned(self, form: Form, content: str | list[Part]) -> str:
        parts = [content] if isinstance(content, str) else content
        return "".join([await self._text_of(form, part) for part in parts])

    async def _text_of(self, form: Form, part: Part) -> str:
        if isinstance(part, str):
            return await self._with_captions(form, part)
        if part["type"] == "text":
            return await self._with_captions(form, part["text"])
        if part["type"] == "image_url":
            place = part["image_url"]["url"]
            tag = f"<img {place}>" if isinstance(place, str) and not place.startswith("data:") else "<image>"
            return tag + await self._caption(form, place)
        logger.warning("A part of the type %r is left out of a message with captions.", part["type"])
        return ""

    async def _with_captions(self, form: Form, text: str) -> str:
        captioned, end = "", 0
        for tag in TAG.finditer(text):
            captioned += text[end : tag.end()] + await self._caption(form, tag[1].strip())
            end = tag.end()
        return captioned + text[end:]

    async def _caption(self, form: Form, place: Place) -> str:
        """What is written below a picture; nothing below what is none."""
        image = None if is_link(place) else await form.in_thread(pil_or_none, place)
        if image is None and not is_link(place):
            logger.warning("%s cannot be read as a picture, and has no caption.", place)
            return ""
        if isinstance(self._captioner, OpenAIWrapper):
            caption = await self._caption_of_model(form, self._captioner, place if image is None else image)
        else:
            caption = await form.call(self._captioner, place, image, self._lmm_client)
        return CAPTION.format(caption=caption)

    async def _caption_of_model(self, form: Form, client: OpenAIWrapper, image: Place) -> object:
        url = {"url": url_or_none(image)}
        parts = [{"type": "text", "text": self._prompt}, {"type": "image_url", "image_url": url}]
        create = client.a_create if form.is_async else client.create
        response = await form.call(create, messages=[{"role": "user", "content": parts}])
        return client.extract_text_or_completion_object(response)[0]
