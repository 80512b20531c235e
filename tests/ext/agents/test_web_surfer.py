"""The agent that works in a browser: what its model is shown, and what its turns answer."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, async_playwright
from tests.support.browsers import PROGRAM, needs_browser
from tests.support.journal import Journal
from tests.support.web_site import Site, web_site

from symposia.agentchat.conditions import MaxMessageTermination
from symposia.agentchat.messages import MultiModalMessage, TextMessage, ToolCallExecutionEvent, ToolCallRequestEvent
from symposia.agentchat.teams import RoundRobinGroupChat
from symposia.core import CancellationToken, ComponentModel, FunctionCall, Image
from symposia.core.effects import handle_effects
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError, ToolServiceError
from symposia.core.models import CreateResult, ModelInfo, RequestUsage, UserMessage
from symposia.ext.agents.web_surfer import MultimodalWebSurfer
from symposia.ext.models.replay import ReplayChatCompletionClient

pytestmark = [needs_browser, pytest.mark.timeout(300)]
PAGES = {
    "/": "<title>Shop</title><p>Tea and more</p><a href='/tea'>Tea</a>",
    "/tea": "<title>Tea</title><p>Green tea costs 4 euros.</p>",
}


def call(name: str, **arguments: object) -> CreateResult:
    asked = FunctionCall(id="1", name=name, arguments=json.dumps(arguments))
    return CreateResult(finish_reason="function_calls", content=[asked], usage=RequestUsage(10, 5), cached=False)


def model(*answers: str | CreateResult, vision: bool = True, functions: bool = True) -> ReplayChatCompletionClient:
    info = ModelInfo(
        vision=vision, function_calling=functions, json_output=True, family="unknown", structured_output=True
    )
    return ReplayChatCompletionClient(list(answers), model_info=info)


class SmallSurfer(MultimodalWebSurfer):
    """A surfer of small pages: pictures take most of the time of a test."""

    VIEWPORT_WIDTH = MLM_WIDTH = 400
    VIEWPORT_HEIGHT = MLM_HEIGHT = 300


class Surfing:
    """Makes surfers over one browser, so that each test need not start one."""

    def __init__(self, site: Site, context: BrowserContext, folder: Path) -> None:
        self.site = site
        self.folder = folder
        self.context = context
        self.made: list[MultimodalWebSurfer] = []

    def surfer(
        self, client: ReplayChatCompletionClient, kind: type[MultimodalWebSurfer] = SmallSurfer
    ) -> MultimodalWebSurfer:
        surfer = kind(
            "surfer",
            client,
            start_page=self.site.url(),
            private_hosts=["*"],
            debug_dir=str(self.folder),
            to_save_screenshots=True,
            context=self.context,
        )
        self.made.append(surfer)
        return surfer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def surfing(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Surfing, None]:
    async with web_site(PAGES) as site, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=PROGRAM)
        context = await browser.new_context()
        made = Surfing(site, context, tmp_path_factory.mktemp("debug"))
        yield made
        for surfer in made.made:
            await surfer.close()
        assert context.pages == []  # of a given context, its own pages are closed, and the context is not
        await browser.close()


@pytest.mark.asyncio(loop_scope="module")
async def test_a_turn_shows_the_page_to_the_model_and_answers_with_what_it_did(surfing: Surfing) -> None:
    client = model(call("click", target_id=1, reasoning="to see prices"))
    result = await surfing.surfer(client, MultimodalWebSurfer).run(task="What does green tea cost?")
    asked = client.create_calls[0]["messages"][-1]
    assert isinstance(asked, UserMessage)
    text, picture = asked.content
    assert "[1] a 'Tea'" in str(text)
    assert isinstance(picture, Image)
    assert picture.image.size == (1224, 765)
    _, request, executed, answer = result.messages
    assert isinstance(request, ToolCallRequestEvent)
    assert request.models_usage == RequestUsage(10, 5)
    assert isinstance(executed, ToolCallExecutionEvent)
    assert "[screenshot]" in executed.content[0].content
    assert isinstance(answer, MultiModalMessage)
    assert "Clicked the element 1." in str(answer.content[0])
    assert "Green tea costs 4 euros." in str(answer.content[0])
    assert isinstance(answer.content[1], Image)
    assert list(surfing.folder.glob("screenshot_*.png"))


@pytest.mark.asyncio(loop_scope="module")
async def test_words_of_the_model_are_the_answer_and_the_history_goes_on(surfing: Surfing) -> None:
    client = model(call("click", target_id=1), "It costs 4 euros.")
    surfer = surfing.surfer(client)
    await surfer.run(task="What does green tea cost?")
    result = await surfer.run(task="Well?")
    assert isinstance(result.messages[-1], TextMessage)
    assert result.messages[-1].content == "It costs 4 euros."
    seen = [message.content for message in client.create_calls[1]["messages"]]
    assert "What does green tea cost?" in seen
    assert "Well?" in seen
    state = json.loads(json.dumps(await surfer.save_state()))
    await surfer.on_reset(CancellationToken())
    assert not surfer.browser.is_open
    client = model("Still 4.")
    surfer = surfing.surfer(client)
    await surfer.load_state(state)
    await surfer.run(task="And now?")
    messages = client.create_calls[0]["messages"]
    assert "It costs 4 euros." in [message.content for message in messages]
    assert f"Address: {surfing.site.url('/tea')}" in str(messages[-1].content)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_question_is_answered_by_the_model_from_the_whole_page(surfing: Surfing) -> None:
    client = model(call("answer_question", question="What costs 4?"), "Green tea.")
    surfer = surfing.surfer(client)
    await surfer.browser.call_tool("visit_url", {"url": surfing.site.url("/tea")})
    result = await surfer.run(task="Which tea costs 4?")
    assert result.messages[-1].to_text() == "Green tea."
    read = str(client.create_calls[1]["messages"][1].content)
    assert "Answer this question: What costs 4?" in read
    assert "Green tea costs 4 euros." in read


@pytest.mark.asyncio(loop_scope="module")
async def test_one_action_is_done_and_the_others_are_told_so(surfing: Surfing) -> None:
    both = CreateResult(
        finish_reason="function_calls",
        content=[
            FunctionCall(id="1", name="scroll_down", arguments=""),
            FunctionCall(id="2", name="scroll_up", arguments="{}"),
        ],
        usage=RequestUsage(0, 0),
        cached=False,
    )
    result = await surfing.surfer(model(both)).run(task="Scroll.")
    executed = next(message for message in result.messages if isinstance(message, ToolCallExecutionEvent))
    assert [one.is_error for one in executed.content] == [False, True]
    assert executed.content[1].content.startswith("This was not done")


@pytest.mark.asyncio(loop_scope="module")
async def test_a_failed_action_is_told_to_the_team(surfing: Surfing) -> None:
    expected = {
        "There is no tool 'fly'. The tools are: visit_url, web_search, history_back, click,": call("fly"),
        "Wrong arguments for the tool 'click'": call("click"),
        "is no address of the web": call("visit_url", url="file:///etc/passwd"),
    }
    surfer = surfing.surfer(model(*expected.values()))
    for error in expected:
        assert error in (await surfer.run(task="Go.")).messages[-1].to_text()


@pytest.mark.asyncio(loop_scope="module")
async def test_a_model_without_vision_works_by_the_list(surfing: Surfing) -> None:
    client = model("I see.", vision=False)
    await surfing.surfer(client).run(task="Look.")
    assert not any(isinstance(piece, Image) for piece in client.create_calls[0]["messages"][-1].content)


@pytest.mark.asyncio(loop_scope="module")
async def test_everything_outside_is_an_effect_and_is_replayed_without_a_browser(surfing: Surfing) -> None:
    journal, answers = Journal(), (call("click", target_id=1), "Done.")
    team = RoundRobinGroupChat([surfing.surfer(model(*answers))], termination_condition=MaxMessageTermination(3))
    with handle_effects(journal):
        first = await team.run(task="Click.")
    kinds = [record.kind for record in journal.records if record.what == "begun"]
    assert kinds == ["tool", "model", "tool", "tool", "model"]
    again = MultimodalWebSurfer("surfer", model(*answers), executable_path="/nowhere")
    team = RoundRobinGroupChat([again], termination_condition=MaxMessageTermination(3))
    with handle_effects(journal):
        second = await team.run(task="Click.")
    assert [message.to_text() for message in second.messages] == [message.to_text() for message in first.messages]
    assert not again.browser.is_open


async def test_a_browser_that_does_not_start_is_an_error_of_the_run() -> None:
    surfer = MultimodalWebSurfer("surfer", model("never asked"), executable_path="/nowhere/chromium")
    with pytest.raises(ToolServiceError, match="The browser did not start"):
        await surfer.run(task="Look.")
    await surfer.close()


def test_component_json_of_autogen_is_loaded_and_written(tmp_path: Path) -> None:
    config = {
        "name": "surfer",
        "model_client": model("x").dump_component().model_dump(),
        "downloads_folder": str(tmp_path),
        "description": "surfs",
        "debug_dir": None,
        "headless": True,
        "start_page": "https://example.org/",
        "animate_actions": False,
        "to_save_screenshots": False,
        "use_ocr": True,
        "browser_channel": None,
        "browser_data_dir": None,
        "to_resize_viewport": True,
    }
    written = ComponentModel(
        provider="autogen_ext.agents.web_surfer.MultimodalWebSurfer", component_type="agent", config=config
    )
    surfer = MultimodalWebSurfer.load_component(written)
    saved = surfer.dump_component().config
    for name, value in config.items():
        if name != "model_client" and value is not None:  # what is None is left out
            assert saved[name] == value


def test_wrong_arguments_are_refused_when_it_is_made() -> None:
    with pytest.raises(InvalidArgumentError, match=r"acts in pages by tools, and .* cannot call tools"):
        MultimodalWebSurfer("surfer", model("x", functions=False))
    with pytest.raises(InvalidArgumentError, match="give debug_dir"):
        MultimodalWebSurfer("surfer", model("x"), to_save_screenshots=True)
    with pytest.raises(ArgumentTypeError, match="model"):
        MultimodalWebSurfer("surfer", "gpt-4o")  # type: ignore[arg-type]  # the mistake
