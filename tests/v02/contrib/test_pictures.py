"""Agents of AutoGen 0.2 that show pictures to their models."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from symposia.testing.model_server import MockModelServer, Reply, Rule
from symposia.v02 import ConversableAgent
from symposia.v02.agentchat.contrib.img_utils import (
    convert_base64_to_data_uri,
    extract_img_paths,
    get_image_data,
    get_pil_image,
    gpt4v_formatter,
    message_formatter_pil_to_b64,
    pil_to_data_uri,
)
from symposia.v02.agentchat.contrib.multimodal_conversable_agent import MultimodalConversableAgent


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = tmp_path / "red.png"
    Image.new("RGB", (2, 2), "red").save(path)
    return str(path)


def text(content: str) -> dict[str, str]:
    return {"type": "text", "text": content}


def image(url: object) -> dict[str, object]:
    return {"type": "image_url", "image_url": {"url": url}}


def test_tags_become_parts(picture: str) -> None:
    uri = pil_to_data_uri(get_pil_image(picture))
    assert gpt4v_formatter(f"see <img {picture}> and <img https://a.test/b.png>!") == [
        *(text("see "), image(uri), text(" and "), image("https://a.test/b.png"), text("!")),
    ]
    assert gpt4v_formatter(f"<img {picture}>", "url") == [text(""), image(picture), text("")]
    assert isinstance(gpt4v_formatter(f"<img {picture}>", "pil")[1]["image_url"]["url"], Image.Image)


def test_a_tag_without_a_picture_stays_text(tmp_path: Path) -> None:
    (tmp_path / "words.png").write_text("no picture")
    for place in ("missing.png", tmp_path / "words.png"):
        assert gpt4v_formatter(f"see <img {place}>") == [text(f"see <img {place}>")]


def test_pictures_are_read_from_files_and_texts_and_not_from_links(picture: str) -> None:
    encoded = get_image_data(picture)
    assert isinstance(encoded, str)
    uri = convert_base64_to_data_uri(encoded)
    assert uri.startswith("data:image/png;base64,")
    assert get_image_data(uri) == get_image_data(get_pil_image(encoded)) == encoded
    with pytest.raises(NotImplementedError, match="fetches no pictures that messages name"):
        get_image_data("https://a.test/b.png")


def test_pictures_that_a_text_names_are_found() -> None:
    assert extract_img_paths("https://a.test/b.jpg, /x/y.png and c.gif") == [
        "https://a.test/b.jpg",
        "/x/y.png",
        "c.gif",
    ]


def test_messages_with_pictures_of_pillow_are_encoded_and_stay_as_they_are(picture: str) -> None:
    opened = get_pil_image(picture)
    messages = [{"content": [text("x"), image(opened)]}, {"content": "y"}]
    encoded = message_formatter_pil_to_b64(messages)
    assert encoded == [{"content": [text("x"), image(pil_to_data_uri(opened))]}, {"content": "y"}]
    assert messages[0]["content"][1] == image(opened)


@pytest.fixture
def server() -> Iterator[MockModelServer]:
    with MockModelServer([Rule([Reply(text="a red square")])]) as running:
        yield running


def test_a_model_sees_the_pictures_of_messages(picture: str, server: MockModelServer) -> None:
    config = {"model": "gpt-4o", "api_key": "test", "base_url": server.openai_url}
    seeing = MultimodalConversableAgent(
        "seeing", human_input_mode="NEVER", llm_config={"config_list": [config], "cache_seed": None}
    )
    asking = ConversableAgent("asking", human_input_mode="NEVER")
    result = asking.initiate_chat(seeing, message=f"What is <img {picture}>?", max_turns=1, silent=True)
    assert result.summary == "a red square"
    [request] = server.requests
    [system, user] = request.body["messages"]
    assert system["content"] == [text("You are a helpful AI assistant.")]
    assert [part["type"] for part in user["content"]] == ["text", "image_url", "text"]
    assert user["content"][1]["image_url"]["url"] == pil_to_data_uri(get_pil_image(picture))


def test_the_instructions_may_have_pictures(picture: str) -> None:
    agent = MultimodalConversableAgent("seeing", f"Compare with <img {picture}>")
    assert [part["type"] for part in agent.system_message] == ["text", "image_url", "text"]  # type: ignore[index] # parts
    assert agent.description == f"Compare with <img {picture}>"
