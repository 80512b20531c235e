"""The whole Magentic-One team: real files, a real browser on a site of the test, a real sandbox, a scripted model."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.support.browsers import SECONDS, needs_browser
from tests.support.magentic_one import ledger
from tests.support.web_site import Site, web_site

from symposia.agentchat.teams import MagenticOneGroupChat
from symposia.core import CancellationToken, FunctionCall
from symposia.core.models import CreateResult, LLMMessage, ModelInfo, RequestUsage
from symposia.ext.agents.web_surfer import MultimodalWebSurfer
from symposia.ext.code_executors.namespaces import NamespaceCommandLineCodeExecutor
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.ext.teams.magentic_one import MagenticOne, close_specialists, specialists

INFO = ModelInfo(vision=False, function_calling=True, json_output=True, family="unknown", structured_output=True)
PAGES = {"/": "<title>Prices</title><p>A lamp costs 40 euros.</p>"}
TASK = "What are the lamps worth?"
Answer = str | CreateResult


def call(name: str, **arguments: object) -> CreateResult:
    asked = FunctionCall(id="1", name=name, arguments=json.dumps(arguments))
    return CreateResult(finish_reason="function_calls", content=[asked], usage=RequestUsage(10, 5), cached=False)


def work(site: Site) -> list[Answer]:
    """What the model says to a task for all four specialists."""
    return [
        "Known: nothing.",
        "Read the stock, look the price up, multiply.",
        ledger("FileSurfer", "Open stock.txt."),
        call("open_path", path="stock.txt"),
        ledger("WebSurfer", "What does a lamp cost?"),
        call("visit_url", url=site.url()),
        ledger("Coder", "Multiply."),
        "```python\nprint(int(open('stock.txt').read().split()[0]) * 40)\n```",
        ledger("ComputerTerminal", "Run it."),
        ledger(done=True),
        "480 euros.",
    ]


class Script:
    """The answers of a model, which waits for ever where it is told to.

    Attributes:
        waiting: Set when it waits.
    """

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.wait_after: int | None = None
        self.waiting = asyncio.Event()

    async def answer(self, messages: Sequence[LLMMessage]) -> Answer:
        if self.wait_after == 0:
            self.waiting.set()
            await asyncio.Event().wait()
        if self.wait_after is not None:
            self.wait_after -= 1
        return self.answers.pop(0)


class Place(NamedTuple):
    """A team, and what it works with."""

    team: MagenticOneGroupChat
    surfer: MultimodalWebSurfer
    site: Site
    script: Script


@asynccontextmanager
async def working(folder: Path) -> AsyncGenerator[Place, None]:
    (folder / "stock.txt").write_text("12 lamps\n")
    script = Script()
    client = ReplayChatCompletionClient(script.answer, model_info=INFO)
    async with web_site(PAGES) as site, NamespaceCommandLineCodeExecutor(work_dir=folder) as executor:
        agents = specialists(
            client, code_executor=executor, folder=folder, start_page=site.url(), private_hosts=[site.host]
        )
        surfer = next(each for each in agents if isinstance(each, MultimodalWebSurfer))
        try:
            yield Place(MagenticOneGroupChat(agents, client), surfer, site, script)
        finally:
            await close_specialists(agents)
        assert not surfer.browser.is_open


@needs_browser
@pytest.mark.timeout(300)
async def test_files_the_web_and_code_are_used_for_one_task(tmp_path: Path) -> None:
    async with working(tmp_path) as (team, surfer, site, script):
        script.answers = work(site)
        result = await team.run(task=TASK)
        said = {message.source: message.to_text() for message in result.messages}
        assert "12 lamps" in said["FileSurfer"]
        assert "A lamp costs 40 euros." in said["WebSurfer"]
        assert said["ComputerTerminal"].strip() == "480"
        assert said["MagenticOneOrchestrator"] == "480 euros."
        assert surfer.browser.is_open
        saved = json.loads(json.dumps(await team.save_state()))

        # What a program after this one does.
        await team.reset()
        assert not surfer.browser.is_open
        await team.load_state(saved)
        again = ["Known: all.", "Ask.", ledger("WebSurfer", "Is it right?"), "Yes.", ledger(done=True), "It is right."]
        script.answers = list(again)
        assert (await team.run(task="Sure?")).messages[-1].to_text() == "It is right."
        assert surfer.browser.is_open  # on the saved page


@needs_browser
@pytest.mark.timeout(300)
async def test_a_run_that_is_cancelled_in_any_phase_can_be_repeated(tmp_path: Path) -> None:
    async with working(tmp_path) as (team, surfer, site, script):
        for phase in (0, 3, 5, 7):  # the orchestrator, FileSurfer, WebSurfer with its browser open, Coder
            script.answers, script.wait_after = work(site), phase
            script.waiting.clear()
            token = CancellationToken()
            run = asyncio.create_task(team.run(task=TASK, cancellation_token=token))
            await asyncio.wait_for(script.waiting.wait(), SECONDS)
            token.cancel()
            with pytest.raises(asyncio.CancelledError):
                await run
            await team.reset()
            assert not surfer.browser.is_open
        script.answers, script.wait_after = work(site), None
        assert (await team.run(task=TASK)).messages[-1].to_text() == "480 euros."


async def test_without_the_extra_of_the_browser_the_rest_of_the_team_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "playwright", raising=False)
    monkeypatch.setattr("symposia.ext.tools.browser._browser.find_spec", {"playwright": None}.get)
    client = ReplayChatCompletionClient(["unused"], model_info=INFO)
    with pytest.warns(
        UserWarning, match=r"no WebSurfer, and cannot browse the web: .*symposia\[web-surfer\]"
    ) as warned:
        agents = specialists(client)
    assert [agent.name for agent in agents] == ["FileSurfer", "Coder", "ComputerTerminal"]
    assert warned[0].filename == __file__


def test_a_warning_about_the_specialists_is_at_the_line_of_the_program() -> None:
    info: ModelInfo = {**INFO, "function_calling": False}
    client = ReplayChatCompletionClient(["unused"], model_info=info)
    for make in (specialists, MagenticOne):
        with pytest.warns(UserWarning, match="no FileSurfer and no WebSurfer") as warned:
            make(client)
        assert warned[0].filename == __file__
