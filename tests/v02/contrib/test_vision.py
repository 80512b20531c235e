"""Captions of pictures for agents of AutoGen 0.2 whose models read texts."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from symposia.testing.model_server import MockModelServer, Reply
from symposia.v02 import ConversableAgent
from symposia.v02.agentchat.contrib.capabilities.vision_capability import DEFAULT_DESCRIPTION_PROMPT, VisionCapability
from symposia.v02.agentchat.contrib.img_utils import get_pil_image, llava_formatter, pil_to_data_uri


@pytest.fixture
def server() -> Iterator[MockModelServer]:
    with MockModelServer() as server:
        yield server


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = tmp_path / "red.png"
    Image.new("RGB", (2, 2), "red").save(path)
    return str(path)


def config(server: MockModelServer) -> dict[str, Any]:  # Any: JSON
    return {"model": "gpt-4o", "api_key": "test", "base_url": server.openai_url, "cache_seed": None}


def text(content: str) -> dict[str, str]:
    return {"type": "text", "text": content}


def image(url: object) -> dict[str, object]:
    return {"type": "image_url", "image_url": {"url": url}}


def counting() -> VisionCapability:
    """Captions that say what the function was given."""
    given: list[object] = []

    def caption(url: object, picture: Image.Image | None, client: object) -> str:
        given.append(url)
        size = None if picture is None else picture.size
        return f"number {len(given)}, {size}, {client}"

    return VisionCapability(None, custom_caption_func=caption)


def test_an_agent_without_eyes_reads_captions(picture: str, server: MockModelServer) -> None:
    server.script(Reply(text="a red square"), Reply(text="Red."))
    agent = ConversableAgent("agent", llm_config=config(server), human_input_mode="NEVER")
    VisionCapability(config(server)).add_to_agent(agent)
    user = ConversableAgent("user", llm_config=False, human_input_mode="NEVER")
    result = user.initiate_chat(agent, message=f"Color of <img {picture}>?", max_turns=1, silent=True)
    assert result.summary == "Red."
    asked, replied = (request.body["messages"] for request in server.requests)
    assert asked[0]["content"] == [text(DEFAULT_DESCRIPTION_PROMPT), image(pil_to_data_uri(get_pil_image(picture)))]
    assert "described to you" in replied[0]["content"]
    assert replied[1]["content"] == f"Color of <img {picture}>\n[Caption of this picture: a red square]\n?"
    assert result.chat_history[0]["content"] == f"Color of <img {picture}>?"


async def test_asynchronous_chats_have_captions_too(picture: str, server: MockModelServer) -> None:
    server.script(Reply(text="a red square"), Reply(text="Red."))
    agent = ConversableAgent("agent", llm_config=config(server), human_input_mode="NEVER")
    VisionCapability(config(server)).add_to_agent(agent)
    user = ConversableAgent("user", llm_config=False, human_input_mode="NEVER")
    await user.a_initiate_chat(agent, message=f"Color of <img {picture}>?", max_turns=1, silent=True)
    assert "a red square" in server.requests[-1].body["messages"][1]["content"]


def test_a_link_is_given_to_the_model_as_it_is(server: MockModelServer) -> None:
    server.script(Reply(text="a boat"))
    described = VisionCapability(config(server)).process_last_received_message("<img https://a.test/b.png>")
    assert described == "<img https://a.test/b.png>\n[Caption of this picture: a boat]\n"
    assert server.requests[0].body["messages"][0]["content"][1] == image("https://a.test/b.png")


def test_a_function_makes_captions_in_place_of_a_model(picture: str) -> None:
    described = counting().process_last_received_message(f"<img {picture}><img https://a.test/b.png>")
    assert described.replace(picture, "P") == (
        "<img P>\n[Caption of this picture: number 1, (2, 2), None]\n"
        "<img https://a.test/b.png>\n[Caption of this picture: number 2, None, None]\n"
    )


def test_parts_become_one_text_without_the_data_of_pictures(picture: str) -> None:
    opened = get_pil_image(picture)
    parts = [text("one "), image(pil_to_data_uri(opened)), text("two "), image(opened), text("end")]
    caption = "\n[Caption of this picture: number {}, (2, 2), None]\n"
    assert counting().process_last_received_message([*parts]) == (
        f"one <image>{caption.format(1)}two <image>{caption.format(2)}end"
    )


def test_what_is_no_picture_has_no_caption_and_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    capability = counting()
    with caplog.at_level(logging.WARNING):
        assert capability.process_last_received_message("<img missing.png>") == "<img missing.png>"
        assert capability.process_last_received_message([{"type": "input_audio"}, text("x")]) == "x"
    assert [record.getMessage() for record in caplog.records] == [
        "missing.png cannot be read as a picture, and has no caption.",
        "A part of the type 'input_audio' is left out of a message with captions.",
    ]


def test_captions_need_a_model_or_a_function() -> None:
    with pytest.raises(AssertionError, match="requires a valid lmm_config or custom_caption_func"):
        VisionCapability({})


def test_tags_become_tokens_of_llava(picture: str, caplog: pytest.LogCaptureFixture) -> None:
    message = f"see <img {picture}>, <img missing.png> and <img {picture}>!"
    tokens, images = llava_formatter(message)
    assert tokens == "see <image>,  and <image>!"
    assert [get_pil_image(each).size for each in images] == [(2, 2), (2, 2)]
    assert llava_formatter(message, order_image_tokens=True)[0] == "see <image 0>,  and <image 1>!"
    assert "missing.png cannot be read as a picture" in caplog.text
