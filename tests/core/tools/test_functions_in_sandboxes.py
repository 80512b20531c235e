"""Tools whose functions come from JSON, in sandboxes that are not real: what is asked of them, and what they answer."""

import ast
import asyncio
import gc
import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
from tests.support.journal import Journal

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.teams import RoundRobinGroupChat
from symposia.core import CancellationToken, Component, ComponentLoader, FunctionCall
from symposia.core.code_executor import SandboxMount, SandboxPolicy, SandboxResult
from symposia.core.effects import handle_effects
from symposia.core.exceptions import (
    ComponentError,
    SandboxDiedError,
    SandboxUnavailableError,
    ToolArgumentsError,
    ToolFunctionError,
)
from symposia.core.models import CreateResult, RequestUsage
from symposia.core.tools import (
    FunctionSandbox,
    FunctionTool,
    StaticStreamWorkbench,
    StaticWorkbench,
    ToolResult,
    call_tool,
    run_component_code_in,
)
from symposia.ext.code_executors import SandboxKind, only_sandboxes
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.testing.sandboxes import FakeRun, FakeSandbox, FakeSandboxBackend, printed

INTEGER = {"name": "number", "kind": "POSITIONAL_OR_KEYWORD", "type": "int"}
DESCRIPTION = {"parameters": [INTEGER], "returns": "int"}


def saved(name: object = "double", **config: object) -> dict[str, Any]:
    source = "def double(number: int) -> int:\n    return 2 * number\n"
    return {
        "provider": "autogen_core.tools.FunctionTool",
        "component_type": "tool",
        "component_version": 1,
        "config": {"source_code": source, "name": name, "description": "Doubles.", "global_imports": [], **config},
    }


def request_in(program: str) -> dict[str, Any]:
    """What the program of a block was asked."""
    found = re.search(r"^main\((.*), '[0-9a-f]{32}'\)$", program, re.MULTILINE)
    assert found
    return json.loads(ast.literal_eval(found[1]))


def nested(kind: str, levels: int) -> object:
    """The description of a type in a type in a type."""
    described: object = "int"
    for _ in range(levels):
        described = [kind, described]
    return described


def token_in(program: str) -> str:
    return program.rsplit("'", 2)[1]


class ClosingSandbox(FakeSandbox):
    was_closed: asyncio.Event

    async def close(self) -> None:
        await super().close()
        self.was_closed.set()


class Guests(FakeSandboxBackend):
    """Sandboxes in which `double` is described and called without running anything."""

    def __init__(self, answer: object = None) -> None:
        super().__init__(self._answer)
        self.asked: list[str] = []
        self.next_run: FakeRun | None = None
        self.closed = asyncio.Event()
        self._given = answer

    async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> FakeSandbox:
        sandbox = ClosingSandbox(self._answer, policy, mounts)
        sandbox.was_closed = self.closed
        self.sandboxes.append(sandbox)
        return sandbox

    async def _answer(self, program: str) -> SandboxResult:
        if self.next_run is not None:
            run, self.next_run = self.next_run, None
            return await run(program)
        request = request_in(program)
        self.asked.append(request["kind"])
        answer: object = {"description": DESCRIPTION}
        if request["kind"] == "call":
            answer = {"result": 2 * request["keywords"]["number"]} if self._given is None else self._given
        return printed(f"{token_in(program)}{json.dumps(answer)}\n")


def loaded(backend: FakeSandboxBackend, **config: object) -> FunctionTool:
    with run_component_code_in(FunctionSandbox(backend)):
        return FunctionTool.load_component(saved(**config))


async def called(tool: FunctionTool, **arguments: object) -> Any:
    return await tool.run_json(arguments, CancellationToken())


async def test_loading_starts_nothing_and_the_first_use_asks_for_the_signature_once() -> None:
    guests = Guests()
    tool = loaded(guests)
    assert (tool.name, tool.description, guests.sandboxes) == ("double", "Doubles.", [])
    assert isinstance(tool, FunctionTool)
    assert await called(tool, number=2) == 4
    assert await called(tool, number=3) == 6
    assert guests.asked == ["describe", "call", "call"]
    assert len(guests.sandboxes) == 1


def test_nothing_of_the_source_is_parsed_here() -> None:
    model = saved(source_code="this is no Python (", global_imports=["no module", {"name": "a;b", "alias": "c"}])
    assert FunctionTool.load_component(model).dump_component().config["source_code"] == "this is no Python ("


def test_a_loaded_tool_is_saved_as_it_came() -> None:
    again = ComponentLoader.load_component(saved(idempotency="idempotent"), Component).dump_component()
    assert again.provider == "symposia.core.tools.FunctionTool"
    assert again.label == "FunctionTool"
    assert again == FunctionTool.load_component(again, trust_code=True).dump_component()


def test_a_class_of_the_user_that_makes_tools_in_its_own_way_needs_trust() -> None:
    class Mine(FunctionTool):
        pass

    with pytest.raises(ComponentError, match="trust_code=True"):
        Mine.load_component(
            {**saved(), "provider": f"{__name__}.Mine"} | {"provider": f"{__name__}.{Mine.__qualname__}"}
        )


async def test_a_workbench_shows_the_schema_and_errors_become_results() -> None:
    guests = Guests({"error": "Traceback …\nValueError: no"})
    with run_component_code_in(FunctionSandbox(guests)):
        tool = FunctionTool.load_component(saved())
    bench = StaticWorkbench([tool])
    (schema,) = await bench.list_tools()
    assert schema.get("parameters", {}).get("properties") == {
        "number": {"description": "number", "title": "Number", "type": "integer"}
    }
    result = await bench.call_tool("double", {"number": 1})
    assert result.is_error
    assert result.to_text() == "The tool 'double' failed:\nTraceback …\nValueError: no"


async def test_a_tool_that_was_never_prepared_is_called_in_every_way_without_blocking() -> None:
    guests = Guests()
    with run_component_code_in(FunctionSandbox(guests)):
        one, two = (FunctionTool.load_component(saved()) for _ in range(2))
    streamed = [item async for item in StaticStreamWorkbench([one]).call_tool_stream("double", {"number": 1})]
    assert [item.to_text() for item in streamed if isinstance(item, ToolResult)] == ["2"]
    assert (await StaticWorkbench([two]).call_tool("double", {"number": 1})).to_text() == "2"
    assert len(guests.sandboxes) == 1


async def test_a_team_from_json_calls_its_tools_in_one_sandbox() -> None:
    calls = [FunctionCall(id=str(n), name="double", arguments=f'{{"number": {n}}}') for n in (2, 3)]
    model = ReplayChatCompletionClient(
        [
            CreateResult(
                finish_reason="function_calls",
                content=calls,
                usage=RequestUsage(prompt_tokens=1, completion_tokens=1),
                cached=False,
            )
        ],
        model_info={
            "vision": False,
            "function_calling": True,
            "json_output": False,
            "family": "unknown",
            "structured_output": False,
        },
    )
    written = AssistantAgent("ann", model, tools=[FunctionTool.load_component(saved())])
    team = RoundRobinGroupChat([written], max_turns=1).dump_component()
    guests = Guests()
    with run_component_code_in(FunctionSandbox(guests)):
        loaded_team = RoundRobinGroupChat.load_component(team)
    result = await loaded_team.run(task="Double.")
    assert result.messages[-1].to_text() == "4\n6"
    assert len(guests.sandboxes) == 1


async def test_calls_at_the_same_time_wait_for_each_other() -> None:
    guests = Guests()
    tool = loaded(guests)
    assert await asyncio.gather(*(called(tool, number=number) for number in range(5))) == [0, 2, 4, 6, 8]
    assert len(guests.sandboxes) == 1


async def test_wrong_arguments_are_refused_without_a_call() -> None:
    guests = Guests()
    with pytest.raises(ToolArgumentsError, match="number: Input should be a valid integer"):
        await called(loaded(guests), number="many")
    assert guests.asked == ["describe"]


async def test_the_schema_can_be_read_before_the_tool_is_prepared_also_in_a_running_loop() -> None:
    guests = Guests()
    tool = loaded(guests)
    assert tool.schema.get("parameters", {}).get("required") == ["number"]
    assert tool.args_type().model_fields.keys() == {"number"}
    assert tool.return_type() is int
    assert [sandbox.closed for sandbox in guests.sandboxes] == [True]


def test_the_schema_can_be_read_without_a_loop() -> None:
    assert loaded(Guests()).schema["name"] == "double"


async def test_a_call_is_one_effect_of_a_tool_and_a_replay_needs_no_call() -> None:
    guests, journal = Guests(), Journal()
    bench = StaticWorkbench([loaded(guests, idempotency="idempotent", transparent=True)])
    assert bench.tool_traits("double") == ("idempotent", False)
    with handle_effects(journal):
        await call_tool(bench, "double", {"number": 4})
    again = Journal(journal.records)
    with handle_effects(again):
        assert (await call_tool(bench, "double", {"number": 4})).to_text() == "8"
    assert [performed.rpartition(" ")[2] for performed in journal.performed] == ["tool"]
    assert (again.performed, guests.asked) == ([], ["describe", "call"])


async def test_tools_of_one_load_share_a_sandbox_and_others_have_their_own() -> None:
    guests = Guests()
    kind = SandboxKind(name="guests", requires="nothing", make=lambda: guests)
    bench = {
        "provider": "autogen_core.tools.StaticWorkbench",
        "component_type": "workbench",
        "config": {"tools": [saved("one"), saved("two")]},
    }
    with only_sandboxes(kind):
        first = StaticWorkbench.load_component(bench)
        second = StaticWorkbench.load_component(bench)
        await first.list_tools()
        assert len(guests.sandboxes) == 1
        await second.list_tools()
    assert len(guests.sandboxes) == 2


async def test_a_sandbox_is_closed_when_its_tools_are_gone() -> None:
    guests = Guests()
    tools = [loaded(guests)]
    await called(tools[0], number=1)
    (sandbox,) = guests.sandboxes
    assert not sandbox.closed
    tools.clear()
    gc.collect()
    async with asyncio.timeout(10):
        await guests.closed.wait()
    assert sandbox.closed


def test_a_sandbox_is_closed_at_the_end_of_its_event_loop_and_the_next_loop_has_another() -> None:
    guests = Guests()
    tool = loaded(guests)
    assert asyncio.run(called(tool, number=1)) == 2
    assert asyncio.run(called(tool, number=2)) == 4
    assert [sandbox.closed for sandbox in guests.sandboxes] == [True, True]


async def test_a_sandbox_can_be_closed_and_starts_again() -> None:
    guests = Guests()
    async with FunctionSandbox(guests) as sandbox:
        with run_component_code_in(sandbox):
            tool = FunctionTool.load_component(saved())
        await called(tool, number=1)
    assert [each.closed for each in guests.sandboxes] == [True]
    assert await called(tool, number=2) == 4
    await sandbox.close()
    await sandbox.close()
    assert [each.closed for each in guests.sandboxes] == [True, True]


async def test_a_sandbox_that_ends_in_a_call_is_an_error_of_that_call_and_is_replaced() -> None:
    guests = Guests()
    tool = loaded(guests)
    await tool.prepare()

    async def die(program: str) -> SandboxResult:
        raise SandboxDiedError("it is gone")

    guests.next_run = die
    with pytest.raises(SandboxDiedError, match="'double' lost its sandbox, and gets a new one: it is gone"):
        await called(tool, number=1)
    assert guests.sandboxes[0].closed
    assert await called(tool, number=1) == 2


async def test_without_a_sandbox_the_error_says_what_to_do() -> None:
    with only_sandboxes():
        tool = FunctionTool.load_component(saved())
        with pytest.raises(SandboxUnavailableError, match=r"(?s)'double'.*trust_code=True.*No sandbox works"):
            await tool.prepare()


@pytest.mark.parametrize(
    ("description", "problem"),
    [
        ([], "cannot be read"),
        ({"parameters": [INTEGER]}, "cannot be read"),
        ({"parameters": [{**INTEGER, "type": "os"}], "returns": None}, "cannot be read"),
        ({"parameters": [{**INTEGER, "type": ["__import__", "os"]}], "returns": None}, "cannot be read"),
        ({"parameters": [{**INTEGER, "type": ["Enum", "E", {"_missing_": 1}]}], "returns": None}, "cannot be read"),
        ({"parameters": [{**INTEGER, "type": ["Annotated", "int", {"alias": "x"}]}], "returns": None}, "cannot be"),
        ({"parameters": [{**INTEGER, "name": "not a name"}], "returns": None}, "cannot be read"),
        ({"parameters": [INTEGER, INTEGER], "returns": None}, "cannot be read"),
        ({"parameters": [{**INTEGER, "type": ["Literal"]}], "returns": None}, "without a schema"),
        (
            {"parameters": [{**INTEGER, "type": ["Annotated", "str", {"pattern": "("}]}], "returns": None},
            "without a schema",
        ),
        ({"parameters": [{**INTEGER, "type": nested("list", 150)}], "returns": None}, None),
        ({"parameters": [{**INTEGER, "kind": "VAR_POSITIONAL"}], "returns": None}, "cannot fill"),
        ({"parameters": [{"name": "number", "kind": "KEYWORD_ONLY"}], "returns": None}, "has no type"),
        ({"parameters": [{**INTEGER, "name": "cancellation_token"}], "returns": None}, "cannot be read"),
        ({"parameters": [{**INTEGER, "type": ["Literal", *range(20_000)]}], "returns": None}, "longer than 32,768"),
    ],
)
async def test_a_hostile_description_is_an_error_or_harmless(description: object, problem: str | None) -> None:
    async def answer(program: str) -> SandboxResult:
        return printed(f"{token_in(program)}{json.dumps({'description': description})}\n")

    tool = loaded(FakeSandboxBackend(answer))
    if problem is None:
        await tool.prepare()
        return
    with pytest.raises(ToolFunctionError, match=problem):
        await tool.prepare()


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ('{{"result": 5}}\n', "gave no result"),
        ("0" * 32 + '{{"result": 5}}\n', "gave no result"),
        ("{token}\n", "not JSON"),
        ("{token}[]\n", "gave no result"),
        ('{token}{{"result": 5}}\n{token}{{"result": 6}}\n', "not JSON"),
        ("{token}" + "[" * 1000 + "\n", "not JSON"),
        ("{token}{{}}\n", "failed"),
    ],
)
async def test_what_is_no_answer_is_an_error(answer: str, problem: str) -> None:
    guests = Guests()
    tool = loaded(guests)
    await tool.prepare()

    async def forge(program: str) -> SandboxResult:
        return printed(answer.format(token=token_in(program)))

    guests.next_run = forge
    with pytest.raises(ToolFunctionError, match=problem):
        await called(tool, number=1)


async def test_a_limit_is_named_with_its_value() -> None:
    async def slow(program: str) -> SandboxResult:
        return SandboxResult(status="timeout", exit_code=124, stdout="", stderr="")

    sandbox = FunctionSandbox(FakeSandboxBackend(slow), policy=SandboxPolicy(time_limit=3))
    with run_component_code_in(sandbox):
        tool = FunctionTool.load_component(saved())
    with pytest.raises(ToolFunctionError, match="'double' was ended at the time limit of 3 s"):
        await tool.prepare()


async def test_cancelling_the_token_ends_a_call_that_starts_the_sandbox() -> None:
    started, never = asyncio.Event(), asyncio.Event()

    async def wait(program: str) -> SandboxResult:
        started.set()
        await never.wait()
        return printed("")

    token = CancellationToken()
    call = asyncio.create_task(loaded(FakeSandboxBackend(wait)).run_json({"number": 1}, token))
    await started.wait()
    token.cancel()
    async with asyncio.timeout(10):
        with pytest.raises(asyncio.CancelledError):
            await call
