"""Pictures that agents of AutoGen 0.2 make."""

import asyncio
import base64
import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from tests.support.scripted_site import Answer, ScriptedSite
from tests.support.v02_agents import speaker
from tests.support.web_server import serving

from symposia.core.exceptions import InvalidArgumentError
from symposia.testing.model_server import MockModelServer, Reply
from symposia.v02 import ConversableAgent
from symposia.v02.agentchat.contrib.capabilities.generate_images import (
    DalleImageGenerator,
    ImageGeneration,
    ImageGenerator,
)
from symposia.v02.agentchat.contrib.img_utils import get_pil_image
from symposia.v02.cache.in_memory_cache import InMemoryCache


class Painter:
    """Makes red squares, and keeps what it was asked for."""

    def __init__(self) -> None:
        self.prompts: list[str] = []

    def generate_image(self, prompt: str) -> Image.Image:
        self.prompts.append(prompt)
        return Image.new("RGB", (2, 2), "red")

    def cache_key(self, prompt: str) -> str:
        return prompt


@pytest.fixture
def server() -> Iterator[MockModelServer]:
    with MockModelServer() as server:
        yield server


def config(server: MockModelServer) -> dict[str, Any]:  # Any: JSON
    return {"model": "gpt-4o", "api_key": "test", "base_url": server.openai_url, "cache_seed": None}


def painting(server: MockModelServer, painter: ImageGenerator, cache: InMemoryCache | None = None) -> ConversableAgent:
    agent = ConversableAgent("artist", "Be kind.", llm_config=config(server), human_input_mode="NEVER")
    ImageGeneration(painter, cache).add_to_agent(agent)
    return agent


def test_a_message_that_asks_for_a_picture_is_answered_with_one(server: MockModelServer) -> None:
    server.script(Reply(text="Yes."), Reply(text="a red square"))
    painter = Painter()
    chat = speaker("user").initiate_chat(painting(server, painter), message="Draw red!", max_turns=1, silent=True)
    [_, answer] = chat.chat_history
    said, picture = answer["content"]
    assert said["text"] == "I generated an image with the prompt: a red square"
    assert get_pil_image(picture["image_url"]["url"]).getpixel((0, 0)) == (255, 0, 0)
    assert painter.prompts == ["a red square"]


def test_other_messages_are_answered_as_before(server: MockModelServer) -> None:
    server.script(Reply(text="No."), Reply(text="Hello."))
    agent = painting(server, Painter())
    chat = speaker("user").initiate_chat(agent, message="Hello", max_turns=1, silent=True)
    assert chat.summary == "Hello."
    assert agent.system_message.startswith("Be kind.\nYou can make pictures")
    assert agent.description == "Be kind.\nThis agent makes pictures."


async def test_asynchronous_chats_have_pictures_and_ask_once(server: MockModelServer) -> None:
    server.script(Reply(text="yes"), Reply(text="a cat"), Reply(text="no"), Reply(text="Hello."))
    agent, user = painting(server, Painter()), speaker("user")
    chat = await user.a_initiate_chat(agent, message="Draw a cat", max_turns=1, silent=True)
    assert chat.chat_history[-1]["content"][0]["text"].endswith(": a cat")
    chat = await user.a_initiate_chat(agent, message="Hello", max_turns=1, silent=True)
    assert chat.summary == "Hello."
    assert len(server.requests) == 4


def test_a_picture_is_kept_in_a_cache(server: MockModelServer) -> None:
    painter, cache = Painter(), InMemoryCache("pictures")
    for _ in range(2):
        server.script(Reply(text="yes"), Reply(text="a cat"))
        speaker("user").initiate_chat(painting(server, painter, cache), message="A cat!", max_turns=1, silent=True)
    assert painter.prompts == ["a cat"]


def test_an_agent_that_makes_pictures_needs_a_model() -> None:
    with pytest.raises(InvalidArgumentError, match="give text_analyzer_llm_config to ImageGeneration"):
        ImageGeneration(Painter()).add_to_agent(speaker("user"))


# The image model of OpenAI --------------------------------------------------------------------------------------------


def encoded(color: str) -> str:
    data = BytesIO()
    Image.new("RGB", (2, 2), color).save(data, "PNG")
    return base64.b64encode(data.getvalue()).decode()


async def test_an_image_model_is_asked_for_data() -> None:
    answer = Answer(json.dumps({"created": 1, "data": [{"b64_json": encoded("blue")}]}), media_type="application/json")
    site = ScriptedSite(pages={"/v1/images/generations": answer})
    async with serving(site.serve) as site.port:
        connection = {"api_key": "key", "base_url": f"{site.url}/v1"}
        dalle = DalleImageGenerator({"config_list": [{"model": "dall-e-3", **connection}]}, "1792x1024", "hd")
        picture = await asyncio.to_thread(dalle.generate_image, "a boat")
        later = DalleImageGenerator({"model": "gpt-image-1", **connection})
        await asyncio.to_thread(later.generate_image, "a boat")
    assert picture.getpixel((0, 0)) == (0, 0, 255)
    first, second = (sent.json for sent in site.sent)
    asked = {"prompt": "a boat", "n": 1}
    dalle_only = {"quality": "hd", "response_format": "b64_json"}
    assert first == {**asked, **dalle_only, "model": "dall-e-3", "size": "1792x1024"}
    assert second == {**asked, "model": "gpt-image-1", "size": "1024x1024"}
    assert dalle.cache_key("a boat") == "a boat,dall-e-3,1792x1024,hd,1"


async def test_an_image_model_that_gives_no_data_is_an_error() -> None:
    answer = Answer(json.dumps({"created": 1, "data": [{"url": "http://a.test"}]}), media_type="application/json")
    site = ScriptedSite(pages={"/images/generations": answer})
    async with serving(site.serve) as site.port:
        model = DalleImageGenerator({"model": "other", "api_key": "key", "base_url": site.url})
        with pytest.raises(InvalidArgumentError, match="other answered without the data of a picture"):
            await asyncio.to_thread(model.generate_image, "a boat")


def test_an_image_model_needs_an_entry() -> None:
    with pytest.raises(InvalidArgumentError, match="needs a model: give llm_config"):
        DalleImageGenerator({})
