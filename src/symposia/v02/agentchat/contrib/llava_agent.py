"""An agent whose model is LLaVA, on a worker of its own or at Replicate."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Final

from typing_extensions import override

from symposia.core.exceptions import InvalidArgumentError, ModelError
from symposia.v02._plain import call_in_thread
from symposia.v02.agentchat._messages import Message
from symposia.v02.agentchat.agent import Agent
from symposia.v02.agentchat.contrib.img_utils import get_image_data, llava_formatter
from symposia.v02.agentchat.contrib.multimodal_conversable_agent import MultimodalConversableAgent

__all__ = ["DEFAULT_LLAVA_SYS_MSG", "LLaVAAgent", "llava_call", "llava_call_binary"]

DEFAULT_LLAVA_SYS_MSG: Final = "You are an agent that sees pictures."
SEP: Final = "###"
"""What stands before each turn of LLaVA's prompts, and ends its answers."""
TIMEOUT_SECONDS: Final = 600.0
"""As of OpenAI's SDK."""

Config = Mapping[str, Any]  # Any: an entry of a configuration list


class LLaVAAgent(MultimodalConversableAgent):
    """An agent that answers with LLaVA.

    ::

        worker = {"model": "llava-v1.5-13b", "base_url": "http://localhost:10000"}
        LLaVAAgent("eyes", llm_config={"config_list": [worker], "temperature": 0.5, "max_new_tokens": 1000})

    Args:
        name: The name.
        system_message: The instructions, which may have ``<img PLACE>`` tags.
        args: As of `ConversableAgent`, from the third on.
        kwargs: As of `ConversableAgent`. `llm_config` has the arguments of `llava_call_binary`.
    """

    def __init__(
        self,
        name: str,
        system_message: str | list[Any] | None = DEFAULT_LLAVA_SYS_MSG,  # Any: parts of a message
        *args: Any,  # as of the base class
        **kwargs: Any,
    ) -> None:
        super().__init__(name, system_message, *args, **kwargs)
        if isinstance(self.llm_config, dict):
            self.register_reply([Agent, None], LLaVAAgent._image_reply, position=2)
            self.register_reply([Agent, None], LLaVAAgent._a_image_reply, position=2, ignore_async_in_sync_chat=True)

    @override
    def _make_client(self) -> None:
        self.client = None  # LLaVA is asked by the reply function, and needs no key

    def _image_reply(
        self,
        messages: list[Message] | None = None,
        sender: Agent | None = None,
        config: object = None,  # noqa: ARG002 - of every reply function
    ) -> tuple[bool, str]:
        prompt, images = _prompt([*self._oai_system_message, *self._history(messages, sender)])
        return True, _answer(prompt, images, self.llm_config or {})

    async def _a_image_reply(
        self,
        messages: list[Message] | None = None,
        sender: Agent | None = None,
        config: object = None,
    ) -> tuple[bool, str]:
        return await call_in_thread(self._image_reply, messages, sender, config)


def llava_call(prompt: str, llm_config: dict[str, Any]) -> str:  # Any: see `llava_call_binary`
    """The answer of LLaVA to a prompt.

    Args:
        prompt: The prompt, with ``<img PLACE>`` tags.
        llm_config: Arguments of `llava_call_binary`.

    Raises:
        InvalidArgumentError: There is no entry.
        ModelError: No model of the list answered.
    """
    return _answer(*llava_formatter(prompt), llm_config)


def llava_call_binary(
    prompt: str,
    images: Sequence[str],
    config_list: Sequence[Config],
    max_new_tokens: int = 1000,
    temperature: float = 0.5,
    seed: int = 1,
) -> str:
    """The answer of the first model of a list that answers.

    Args:
        prompt: The prompt, with an ``<image>`` token for each picture.
        images: The pictures as base64 text.
        config_list: ``base_url`` is the address of a worker of LLaVA, or the name of a model of Replicate
            (``owner/name:version``), which is given the first picture alone, with ``api_key`` as its token. ``model``
            is the name of the worker's model, ``timeout`` seconds for its answer.
        max_new_tokens: The length of the answer, of a worker.
        temperature: The temperature, of a worker.
        seed: The seed, at Replicate.

    Raises:
        InvalidArgumentError: There is no entry.
        ModelError: No model of the list answered.
        ImportError: An entry is a model of Replicate, and the library ``replicate`` is not installed.
    """
    errors: list[ModelError] = []
    for entry in config_list:
        options = {"max_new_tokens": max_new_tokens, "temperature": temperature}
        try:
            if str(entry.get("base_url", "")).startswith(("http://", "https://")):
                return _answer_of_worker(entry, {"prompt": prompt, "images": list(images), **options})
            return _answer_of_replicate(entry, prompt, images, seed)
        except ModelError as error:
            errors.append(error)
    if not errors:
        raise InvalidArgumentError("LLaVA needs a model: give a config_list with an entry that has a base_url.")
    raise errors[-1]


def _answer(prompt: str, images: Sequence[str], llm_config: Config) -> str:
    names = ("max_new_tokens", "temperature", "seed")
    options = {name: llm_config[name] for name in names if name in llm_config}
    return llava_call_binary(prompt, images, llm_config.get("config_list", []), **options)


def _answer_of_worker(entry: Config, request: dict[str, Any]) -> str:  # Any: JSON
    """The last text of a stream of JSON values with zero bytes between them, each with all of the text so far."""
    body = json.dumps({"model": entry.get("model"), "stop": SEP, **request}).encode()
    address = f"{entry['base_url'].rstrip('/')}/worker_generate_stream"
    head = {"Content-Type": "application/json", "User-Agent": "LLaVA Client"}
    try:
        # The address is the program's, and begins with http:// or https://
        with urllib.request.urlopen(  # noqa: S310
            urllib.request.Request(address, body, head),  # noqa: S310
            timeout=entry.get("timeout", TIMEOUT_SECONDS),
        ) as response:
            *_, last = filter(None, response.read().split(b"\0"))
        return str(json.loads(last)["text"]).split(SEP)[-1]
    except (OSError, ValueError, LookupError) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # it is the response too
        raise ModelError(f"The worker of LLaVA at {address} did not answer: {error!r}. See its log.") from error


def _answer_of_replicate(entry: Config, prompt: str, images: Sequence[str], seed: int) -> str:
    try:
        replicate: Any = import_module("replicate")  # Any: it is not among the dependencies
    except ImportError as error:
        raise ImportError(
            f"{entry.get('base_url')!r} is a model of Replicate, which needs the library: pip install replicate. For a "
            "worker of LLaVA, give its address as base_url, beginning with http://."
        ) from error
    picture = {"image": f"data:image/png;base64,{images[0]}"} if images else {}
    try:
        client = replicate.Client(api_token=entry.get("api_key"))
        return "".join(map(str, client.run(entry["base_url"], input={**picture, "prompt": prompt, "seed": seed})))
    except Exception as error:  # the library has no common class of errors
        raise ModelError(f"Replicate did not answer for {entry['base_url']}: {error}") from error


def _prompt(messages: Sequence[Message]) -> tuple[str, list[str]]:
    """A conversation as a prompt of LLaVA, with its pictures. The first message is the instructions."""
    images: list[str] = []
    texts = [_text(message["content"], images) for message in messages]
    roles = ["Assistant" if message.get("role") == "assistant" else "Human" for message in messages]
    turns = [f"{SEP}{role}: {text}\n" for role, text in zip(roles[1:], texts[1:], strict=True)]
    return f"{texts[0]}\n{''.join(turns)}\n{SEP}Assistant: ", images


def _text(parts: Sequence[Mapping[str, Any]], images: list[str]) -> str:  # Any: as above
    """The text of a message, whose pictures are added to `images`."""
    text = ""
    for part in parts:
        if part["type"] == "image_url":
            images.append(str(get_image_data(part["image_url"]["url"])))
            text += "<image>"
        else:
            text += part["text"]
    return text
