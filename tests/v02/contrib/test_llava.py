"""Agents of AutoGen 0.2 whose model is LLaVA."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.support.scripted_site import Answer, ScriptedSite, Sent
from tests.support.v02_agents import speaker
from tests.support.web_server import serving

from symposia.core.exceptions import InvalidArgumentError, ModelError
from symposia.v02 import ChatResult
from symposia.v02.agentchat.contrib.img_utils import get_image_data
from symposia.v02.agentchat.contrib.llava_agent import LLaVAAgent, llava_call, llava_call_binary


@pytest.fixture
async def worker() -> AsyncIterator[ScriptedSite]:
    """A worker that writes its answer in two steps, after the prompt."""

    def answer(sent: Sent) -> Answer:
        texts = [f"{sent.json['prompt']}{text}" for text in ("a red", "a red square")]
        return Answer("".join(json.dumps({"text": text}) + "\0" for text in texts))

    site = ScriptedSite(pages={"/worker_generate_stream": answer})
    async with serving(site.serve) as site.port:
        yield site


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = tmp_path / "red.png"
    Image.new("RGB", (2, 2), "red").save(path)
    return str(path)


def config(worker: ScriptedSite) -> dict[str, Any]:  # Any: JSON
    return {"config_list": [{"model": "llava", "base_url": worker.url}], "max_new_tokens": 77}


async def test_an_agent_answers_with_llava(worker: ScriptedSite, picture: str) -> None:
    def hold() -> ChatResult:
        eyes = LLaVAAgent("eyes", "You see.", llm_config=config(worker), human_input_mode="NEVER")
        return speaker("user").initiate_chat(eyes, message=f"What is <img {picture}>?", max_turns=2, silent=True)

    chat = await asyncio.to_thread(hold)
    assert chat.chat_history[1]["content"].endswith("a red square")
    first, second = (sent.json for sent in worker.sent)
    assert first == {
        "model": "llava",
        "prompt": "You see.\n###Human: What is <image>?\n\n###Assistant: ",
        "images": [await asyncio.to_thread(get_image_data, picture)],
        "stop": "###",
        "max_new_tokens": 77,
        "temperature": 0.5,
    }
    assert second["prompt"].count("###Assistant: ") == 2


async def test_asynchronous_chats_answer_with_llava_too(worker: ScriptedSite) -> None:
    eyes = await asyncio.to_thread(LLaVAAgent, "eyes", llm_config=config(worker), human_input_mode="NEVER")
    chat = await speaker("user").a_initiate_chat(eyes, message="Hello?", max_turns=1, silent=True)
    assert chat.summary.endswith("a red square")


async def test_a_prompt_is_answered(worker: ScriptedSite, picture: str) -> None:
    said = await asyncio.to_thread(llava_call, f"What is <img {picture}>? ", config(worker))
    assert said == "What is <image>? a red square"


async def test_the_next_model_is_asked_when_one_does_not_answer(worker: ScriptedSite) -> None:
    entries = [{"base_url": f"{worker.url}/missing"}, {"base_url": worker.url}]
    said = await asyncio.to_thread(llava_call_binary, "Hello: ", [], entries)
    assert said == "Hello: a red square"
    worker.pages["/worker_generate_stream"] = Answer("no JSON")
    with pytest.raises(ModelError, match=r"The worker of LLaVA at .* did not answer"):
        await asyncio.to_thread(llava_call_binary, "Hello: ", [], entries)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(InvalidArgumentError, match="give a config_list with an entry that has a base_url"):
        llava_call("Hello", {})
    with pytest.raises(ImportError, match="'owner/llava:1' is a model of Replicate"):
        llava_call("Hello", {"config_list": [{"base_url": "owner/llava:1"}]})
