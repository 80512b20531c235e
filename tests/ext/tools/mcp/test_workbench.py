import asyncio
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio
from tests.support.effect_recorder import EffectRecorder
from tests.support.journal import Journal

from symposia.agentchat.agents import AssistantAgent
from symposia.core import CancellationToken, FunctionCall
from symposia.core.effects import HumanQuestion, handle_effects
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.models import CreateResult, ModelInfo, RequestUsage
from symposia.core.tools import (
    FunctionTool,
    ImageResultContent,
    StaticWorkbench,
    TextResultContent,
    ToolOverride,
    ToolResult,
    call_tool,
)
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.ext.tools.mcp import ElicitationQuestion, McpProgress, McpWorkbench, StdioServerParams

SUPPORT = Path(__file__).parents[3] / "support"
pytestmark = pytest.mark.asyncio(loop_scope="module")  # a server takes a second to start
ABLE = ModelInfo(vision=True, function_calling=True, json_output=True, family="unknown", structured_output=True)


class Person:
    """Answers the questions of a server, in the order of `replies`."""

    def __init__(self) -> None:
        self.replies: list[str | bool] = []
        self.asked: list[HumanQuestion] = []

    async def answer(self, question: HumanQuestion) -> str | bool:
        self.asked.append(question)
        return self.replies.pop(0)


class Able(NamedTuple):
    """A workbench whose server may ask for everything."""

    workbench: McpWorkbench
    person: Person
    root: Path


def server() -> StdioServerParams:
    args = [str(SUPPORT / "mcp_server.py"), "stdio"]
    return StdioServerParams(command=sys.executable, args=args, read_timeout_seconds=60)


def small_server() -> StdioServerParams:
    """One that starts at once, with the tool ``weigh`` alone."""
    args = [str(SUPPORT / "mcp_broken_server.py"), "fine"]
    return StdioServerParams(command=sys.executable, args=args, read_timeout_seconds=60)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workbench() -> AsyncGenerator[McpWorkbench]:
    async with McpWorkbench(server()) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def able(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Able]:
    person, root = Person(), tmp_path_factory.mktemp("root")
    model = ReplayChatCompletionClient(["Paris"], model_info=ABLE)
    async with McpWorkbench(
        server(),
        model_client=model,
        approve_sampling=person.answer,
        elicit=person.answer,
        roots=[str(root)],
    ) as made:
        yield Able(made, person, root)


async def wait_for(path: Path) -> None:
    async with asyncio.timeout(30):
        while not path.exists():  # noqa: ASYNC110, ASYNC240 - another process makes it
            await asyncio.sleep(0.01)


async def test_tools_are_listed_with_the_schemas_of_the_server_and_its_instructions(workbench: McpWorkbench) -> None:
    add, *others = await workbench.list_tools()
    assert add["name"] == "add"
    assert add.get("description", "").startswith("Add two numbers.\n\nAbout this tool")
    assert add.get("description", "").endswith("Add before you multiply.")
    parameters = add.get("parameters")
    assert parameters is not None
    assert set(parameters["properties"]) == {"a", "b"}
    assert parameters.get("required") == ["a", "b"]
    assert not any("multiply" in other.get("description", "") for other in others)
    assert workbench.instructions == "Add before you multiply."


async def test_one_process_answers_all_calls_also_at_the_same_time(workbench: McpWorkbench) -> None:
    sums = await asyncio.gather(*(workbench.call_tool("add", {"a": number, "b": 1}) for number in range(100)))
    assert [each.to_text() for each in sums] == [str(number + 1) for number in range(100)]
    processes = {(await workbench.call_tool("process")).to_text() for _ in range(3)}
    assert len(processes) == 1


async def test_failures_of_a_tool_are_results(workbench: McpWorkbench) -> None:
    wrong = await workbench.call_tool("add", {"a": "x", "b": 1})
    assert wrong.is_error
    assert "valid integer" in wrong.to_text()
    unknown = await workbench.call_tool("subtract", {})
    assert unknown.is_error
    assert "subtract" in unknown.to_text()


async def test_a_server_that_dies_is_started_again_by_the_next_call(workbench: McpWorkbench) -> None:
    before = await workbench.call_tool("process")
    died = await workbench.call_tool("die")
    assert died.is_error
    assert "ended during the tool 'die'. It may or may not have been carried out." in died.to_text()
    assert "exit status 3" in died.to_text()
    assert "out of memory" in died.to_text()
    after = await workbench.call_tool("process")
    assert not after.is_error
    assert after.to_text() != before.to_text()


async def test_a_call_that_may_be_repeated_is_repeated_when_its_server_dies(
    workbench: McpWorkbench, tmp_path: Path
) -> None:
    result = await workbench.call_tool("die_once", {"marker": str(tmp_path / "marker")})
    assert result.to_text() == "alive"
    assert workbench.tool_traits("die_once").idempotency == "idempotent"
    assert workbench.tool_traits("die").idempotency == "unknown"


async def test_a_cancelled_call_reaches_the_server_and_leaves_the_others(
    workbench: McpWorkbench, tmp_path: Path
) -> None:
    started, ended = tmp_path / "started", tmp_path / "ended"
    token = CancellationToken()
    call = asyncio.create_task(
        workbench.call_tool("wait", {"started": str(started), "ended": str(ended)}, cancellation_token=token)
    )
    await wait_for(started)
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await wait_for(ended)
    assert (await workbench.call_tool("add", {"a": 1, "b": 1})).to_text() == "2"


async def test_progress_is_streamed_before_the_result(workbench: McpWorkbench) -> None:
    *reports, result = [item async for item in workbench.call_tool_stream("count")]
    assert isinstance(result, ToolResult)
    assert result.to_text() == "counted"
    assert reports == [McpProgress(tool="count", progress=n, total=3, message=f"step {n}") for n in (1, 2, 3)]


async def test_images_and_resources_are_in_the_result(workbench: McpWorkbench) -> None:
    text, image, note, other = (await workbench.call_tool("picture")).result
    assert isinstance(text, TextResultContent)
    assert text.content == "a pixel"
    assert isinstance(image, ImageResultContent)
    assert isinstance(note, TextResultContent)
    assert note.content == "[note://one]\na note"
    assert isinstance(other, TextResultContent)
    assert other.content == "[note://two, 6 bytes of the type application/zip, not shown]"


async def test_of_a_long_result_the_middle_is_left_out(workbench: McpWorkbench) -> None:
    shown = (await workbench.call_tool("long_text", {"size": 100_000})).to_text()
    assert len(shown) < 33_000
    assert "[68,000 characters left out]" in shown


async def test_a_model_answers_the_server_after_an_approval(able: Able) -> None:
    able.person.asked, able.person.replies = [], [True, "no, not that"]
    recorder = EffectRecorder()
    with handle_effects(recorder):
        answer = await call_tool(able.workbench, "ask_model", {"question": "The capital of France?"})
    assert answer.to_text() == "The model says: Paris"
    assert "The capital of France?" in able.person.asked[0]
    refused = await able.workbench.call_tool("ask_model", {"question": "And of Spain?"})
    assert refused.is_error
    assert "was not approved. no, not that" in refused.to_text()
    assert [effect.kind.name for effect in recorder.effects] == ["tool", "human", "model"]


async def test_a_server_asks_a_person_for_each_field(able: Able) -> None:
    able.person.asked, able.person.replies = [], ["Ada", "9", "2", ""]
    assert (await able.workbench.call_tool("book")).to_text() == "Ada: 2, window: False"
    asked = [question for question in able.person.asked if isinstance(question, ElicitationQuestion)]
    assert [question.field for question in asked] == ["name", "seats", "seats", "window"]
    assert "Give a number from 1 to 4." in asked[2]
    assert "Who travels?" in asked[0]


async def test_an_empty_answer_declines(able: Able) -> None:
    able.person.replies = [""]
    assert (await able.workbench.call_tool("book")).to_text() == "decline"


async def test_roots_are_named_to_the_server(able: Able) -> None:
    assert (await able.workbench.call_tool("roots")).to_text() == able.root.as_uri()


async def test_what_is_not_offered_is_refused_to_the_server(workbench: McpWorkbench) -> None:
    for tool, arguments in (("book", {}), ("ask_model", {"question": "?"}), ("roots", {})):
        assert (await workbench.call_tool(tool, arguments)).is_error


async def test_resources_and_prompts(workbench: McpWorkbench) -> None:
    assert [str(each.uri) for each in (await workbench.list_resources()).resources] == ["note://hello"]
    templates = (await workbench.list_resource_templates()).model_dump(mode="json", by_alias=True)
    assert templates["resourceTemplates"][0]["uriTemplate"] == "note://of/{name}"
    read = (await workbench.read_resource("note://of/Ada")).model_dump(mode="json", by_alias=True)
    assert read["contents"][0]["text"] == "the note of Ada"
    assert [each.name for each in (await workbench.list_prompts()).prompts] == ["greet"]
    prompt = (await workbench.get_prompt("greet", {"name": "Ada"})).model_dump(mode="json", by_alias=True)
    assert prompt["messages"][0]["content"]["text"] == "Greet Ada."


async def test_resources_and_prompts_are_replayed_without_the_server(workbench: McpWorkbench) -> None:
    async def ask(of: McpWorkbench) -> list[object]:
        return [
            await of.read_resource("note://hello"),
            await of.get_prompt("greet", {"name": "Ada"}),
            await of.list_prompts(),
            await of.list_resources(),
            await of.list_resource_templates(),
            (await of.read_resource("note://hello")).contents[0].uri,
        ]

    first = Journal()
    with handle_effects(first):
        asked = await ask(workbench)
    assert first.performed == [" mcp"] * 6
    again, stopped = Journal(records=first.records), McpWorkbench(server())
    with handle_effects(again):
        assert await ask(stopped) == asked
    assert again.performed == []
    assert stopped.initialize_result is None


async def test_tools_are_renamed_by_overrides() -> None:
    overrides = {"weigh": ToolOverride(name="scales", description="Weigh it.")}
    async with McpWorkbench(small_server(), overrides) as renamed:
        (scales,) = await renamed.list_tools()
        assert (scales["name"], scales.get("description")) == ("scales", "Weigh it.")
        assert (await renamed.call_tool("scales")).to_text() == '{"grams": 5}'


async def test_a_name_that_an_override_takes_is_no_other_tools() -> None:
    async with McpWorkbench(server(), {"add": ToolOverride(name="process")}) as renamed:
        names = [schema["name"] for schema in await renamed.list_tools()]
        assert names[:2] == ["process", "process_2"]
        assert (await renamed.call_tool("process", {"a": 1, "b": 2})).to_text() == "3"
        assert (await renamed.call_tool("process_2")).to_text().isdecimal()


async def test_an_agent_is_shown_a_prefix_where_names_clash() -> None:
    def weigh() -> str:
        """Weigh something else."""
        return "heavy"

    calls = [FunctionCall(id=name, name=name, arguments="{}") for name in ("weigh", "mcp_broken_server_weigh")]
    model = ReplayChatCompletionClient(
        [CreateResult(finish_reason="function_calls", content=calls, usage=RequestUsage(1, 1), cached=False)],
        model_info=ABLE,
    )
    own = StaticWorkbench([FunctionTool(weigh, "weigh")])
    async with McpWorkbench(small_server()) as theirs:
        result = await AssistantAgent("a", model, workbench=[own, theirs]).run(task="How heavy?")
    assert result.messages[-1].to_text() == 'heavy\n{"grams": 5}'


async def test_it_is_saved_as_autogen_saves_it_and_loads() -> None:
    made = McpWorkbench(server(), {"add": ToolOverride(name="plus")})
    saved = made.dump_component()
    assert saved.config["server_params"]["type"] == "StdioServerParams"
    assert saved.config["tool_overrides"]["add"]["name"] == "plus"
    loaded = McpWorkbench.load_component(saved)
    assert loaded.server_params == made.server_params
    theirs = {
        "provider": "autogen_ext.tools.mcp.McpWorkbench",
        "component_type": "workbench",
        "version": 1,
        "component_version": 1,
        "config": {
            "server_params": {"command": "uvx", "args": ["mcp-server-fetch"], "type": "StdioServerParams"},
            "tool_overrides": {},
        },
    }
    assert McpWorkbench.load_component(theirs).server_params == StdioServerParams(
        command="uvx", args=["mcp-server-fetch"]
    )


async def test_wrong_arguments_are_refused_at_once() -> None:
    with pytest.raises(ArgumentTypeError, match="StdioServerParams"):
        McpWorkbench("uvx mcp-server-fetch")  # type: ignore[arg-type]
    twice = {"a": ToolOverride(name="x"), "b": ToolOverride(name="x")}
    with pytest.raises(InvalidArgumentError, match="used by multiple tools: 'a' and 'b'"):
        McpWorkbench(server(), twice)
