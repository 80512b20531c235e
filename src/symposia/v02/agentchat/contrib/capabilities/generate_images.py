"""Pictures that an agent makes when a message asks for one."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, cast, runtime_checkable

from symposia.core.exceptions import InvalidArgumentError, MissingExtraError
from symposia.v02._code_text import content_str
from symposia.v02._plain import run_plain
from symposia.v02.agentchat._forms import ASYNC, PLAIN, Form
from symposia.v02.agentchat._messages import Message
from symposia.v02.agentchat.agent import Agent
from symposia.v02.agentchat.contrib.capabilities.agent_capability import AgentCapability
from symposia.v02.agentchat.contrib.img_utils import get_pil_image, pil_to_data_uri
from symposia.v02.agentchat.contrib.text_analyzer_agent import TextAnalyzerAgent
from symposia.v02.agentchat.conversable_agent import ConversableAgent
from symposia.v02.cache.abstract_cache_base import AbstractCache
from symposia.v02.io import IOStream

if TYPE_CHECKING:
    from openai.types import ImagesResponse
    from PIL import Image as PILImages
else:
    from symposia._lazy import lazy_module

    PILImages = lazy_module("PIL.Image")

__all__ = [
    "DESCRIPTION_MESSAGE",
    "PROMPT_INSTRUCTIONS",
    "SYSTEM_MESSAGE",
    "DalleImageGenerator",
    "ImageGeneration",
    "ImageGenerator",
]

SYSTEM_MESSAGE: Final = "You can make pictures: one is made for each message that asks for it."
DESCRIPTION_MESSAGE: Final = "This agent makes pictures."
WANTED: Final = (
    "Does the text ask for a picture to be made, now? Talking of pictures, or asking what one shows, is not enough. "
    "Answer with one word: yes or no."
)
PROMPT_INSTRUCTIONS: Final = (
    "Write the prompt for an image model with which it makes the picture that the text asks for: everything that the "
    "text says of it, as a list of short phrases, in one line. Write the prompt alone."
)

Resolution = Literal["256x256", "512x512", "1024x1024", "1792x1024", "1024x1792"]


@runtime_checkable
class ImageGenerator(Protocol):
    """Makes pictures."""

    def generate_image(self, prompt: str) -> PILImages.Image:
        """A picture of what a prompt says."""
        ...

    def cache_key(self, prompt: str) -> str:
        """What decides the picture: the prompt and the options."""
        ...


class DalleImageGenerator:
    """An image model of OpenAI, or of a server with its API.

    Args:
        llm_config: Its first entry has the ``model`` and the connection: ``api_key``, ``base_url``, ``organization``,
            ``timeout`` in seconds.
        resolution: The size in pixels.
        quality: ``"standard"`` or ``"hd"``; for others than DALL·E, what that model knows.
        num_images: How many pictures a request makes. The first is taken.

    Raises:
        InvalidArgumentError: There is no entry.
        MissingExtraError: The SDK of OpenAI is not installed.
    """

    def __init__(
        self,
        llm_config: dict[str, Any],  # Any: see `OpenAIWrapper`
        resolution: Resolution = "1024x1024",
        quality: Literal["standard", "hd"] = "standard",
        num_images: int = 1,
    ) -> None:
        entries = llm_config.get("config_list") or ([llm_config] if "model" in llm_config else [])
        if not entries:
            raise InvalidArgumentError(
                "A DalleImageGenerator needs a model: give "
                'llm_config={"config_list": [{"model": "dall-e-3", "api_key": "…"}]}.'
            )
        try:
            from openai import OpenAI  # noqa: PLC0415 - an optional dependency
        except ImportError as error:
            raise MissingExtraError("DalleImageGenerator", "openai") from error
        names = ("api_key", "base_url", "organization", "timeout")
        self._client = OpenAI(**{name: entries[0][name] for name in names if name in entries[0]})
        self._model = str(entries[0].get("model", "dall-e-3"))
        self._resolution = resolution
        self._quality = quality
        self._num_images = num_images

    def generate_image(self, prompt: str) -> PILImages.Image:
        """See `ImageGenerator.generate_image`.

        Raises:
            openai.OpenAIError: The service did not make it.
            InvalidArgumentError: It answered without the data of a picture.
        """
        request: dict[str, Any] = {  # Any: the names of later models' sizes and qualities are not DALL·E's
            "model": self._model,
            "prompt": prompt,
            "size": self._resolution,
            "n": self._num_images,
        }
        if self._quality != "standard":  # which is the default, and is no name of later models
            request["quality"] = self._quality
        if self._model.startswith("dall-e"):  # later models give data, and refuse to be asked for it
            request["response_format"] = "b64_json"
        response = cast("ImagesResponse", self._client.images.generate(**request))
        encoded = response.data[0].b64_json if response.data else None
        if not encoded:
            raise InvalidArgumentError(f"The model {self._model} answered without the data of a picture.")
        return get_pil_image(encoded)

    def cache_key(self, prompt: str) -> str:
        """See `ImageGenerator.cache_key`."""
        return ",".join([prompt, self._model, self._resolution, self._quality, str(self._num_images)])


class ImageGeneration(AgentCapability):
    """Has an agent answer with a picture when a message asks for one.

    Two questions to a model: whether a picture is wanted, and which. ::

        ImageGeneration(DalleImageGenerator(llm_config=config)).add_to_agent(agent)

    Args:
        image_generator: Makes the pictures.
        cache: Keeps them, by the generator's keys.
        text_analyzer_llm_config: The model that is asked; by default the agent's.
        text_analyzer_instructions: How it is asked for the prompt of the generator.
        verbosity: 1 prints the prompts.
        register_reply_position: The position of the reply function: see `ConversableAgent.register_reply`.
    """

    def __init__(
        self,
        image_generator: ImageGenerator,
        cache: AbstractCache | None = None,
        text_analyzer_llm_config: dict[str, Any] | None = None,  # Any: see `OpenAIWrapper`
        text_analyzer_instructions: str = PROMPT_INSTRUCTIONS,
        verbosity: int = 0,
        register_reply_position: int = 2,
    ) -> None:
        self._image_generator = image_generator
        self._cache = cache
        self._llm_config = text_analyzer_llm_config
        self._instructions = text_analyzer_instructions
        self._verbosity = verbosity
        self._position = register_reply_position
        self._refused: ContextVar[Message | None] = ContextVar("refused", default=None)
        """The message for which the asynchronous reply function made no picture; the plain one is called after it."""

    def add_to_agent(self, agent: ConversableAgent) -> None:
        """Have an agent make pictures, in asynchronous chats too.

        Raises:
            InvalidArgumentError: There is no model.
        """
        config = self._llm_config or agent.llm_config
        if not isinstance(config, dict) or not config:
            raise InvalidArgumentError(
                "An agent that makes pictures needs a model: give text_analyzer_llm_config to ImageGeneration, or "
                "llm_config to the agent."
            )
        analyzer = TextAnalyzerAgent(
            llm_config={name: value for name, value in config.items() if name not in {"tools", "functions"}}
        )

        def reply(
            _: ConversableAgent,
            messages: list[Message] | None = None,
            sender: Agent | None = None,
            config: object = None,  # noqa: ARG001 - of every reply function
        ) -> tuple[bool, Message | None]:
            last = _last(agent, messages, sender)
            if last is None or self._refused.get() is last:
                return False, None
            return run_plain(self._reply(PLAIN, analyzer, last))

        async def a_reply(
            _: ConversableAgent,
            messages: list[Message] | None = None,
            sender: Agent | None = None,
            config: object = None,  # noqa: ARG001 - as above
        ) -> tuple[bool, Message | None]:
            last = _last(agent, messages, sender)
            if last is None:
                return False, None
            is_made, picture = await self._reply(ASYNC, analyzer, last)
            self._refused.set(None if is_made else last)
            return is_made, picture

        agent.register_reply([Agent, None], reply, self._position)
        agent.register_reply([Agent, None], a_reply, self._position, ignore_async_in_sync_chat=True)
        agent.update_system_message(f"{agent.system_message}\n{SYSTEM_MESSAGE}")
        agent.description = f"{agent.description}\n{DESCRIPTION_MESSAGE}"

    async def _reply(self, form: Form, analyzer: TextAnalyzerAgent, last: Message) -> tuple[bool, Message | None]:
        text = content_str(last.get("content"))
        ask = analyzer.a_analyze_text if form.is_async else analyzer.analyze_text
        if "yes" not in (await form.call(ask, text, WANTED)).lower():
            return False, None
        prompt: str = await form.call(ask, text, self._instructions)
        if self._verbosity:
            IOStream.get_default().print(f"Making a picture of: {prompt}")
        return True, _message(prompt, await form.in_thread(self._picture, prompt))

    def _picture(self, prompt: str) -> str:
        """A picture as a data URI, of the cache if it has it."""
        if self._cache is None:
            return pil_to_data_uri(self._image_generator.generate_image(prompt))
        key = self._image_generator.cache_key(prompt)
        found = self._cache.get(key)
        if found is None:
            found = pil_to_data_uri(self._image_generator.generate_image(prompt))
            self._cache.set(key, found)
        return str(found)


def _last(agent: ConversableAgent, messages: list[Message] | None, sender: Agent | None) -> Message | None:
    """The last message, if it has something to read."""
    history = agent.chat_messages[sender] if messages is None and sender is not None else messages
    return history[-1] if history and history[-1].get("content") else None


def _message(prompt: str, uri: str) -> Message:
    text = {"type": "text", "text": f"I generated an image with the prompt: {prompt}"}
    return {"content": [text, {"type": "image_url", "image_url": {"url": uri}}]}
