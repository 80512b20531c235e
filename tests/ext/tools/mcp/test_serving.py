"""What `symposia mcp serve` serves, called by a workbench of this package."""

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.conditions import MaxMessageTermination
from symposia.agentchat.teams import RoundRobinGroupChat
from symposia.cli._app import app
from symposia.core.exceptions import ArgumentTypeError, ToolServiceError
from symposia.core.tools import StaticWorkbench
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.ext.tools.mcp import McpWorkbench, StdioServerParams, serve_mcp_tools

TOOLS = """
def add(a: int, b: int) -> int:
    "Add two numbers."
    print("adding")  # on the standard output, which is for messages
    return a + b

def fail() -> str:
    "Fail."
    raise ValueError("it broke")

tools = [add, fail]

def repeatable():
    from symposia.core.tools import FunctionTool
    sum, put = FunctionTool(add, "", "sum", idempotency="pure"), FunctionTool(add, "", "put", idempotency="idempotent")
    return [sum, put, add]

hinted = repeatable()
"""


def serving(target: str) -> McpWorkbench:
    args = ["-m", "symposia", "mcp", "serve", target]
    return McpWorkbench(StdioServerParams(command=sys.executable, args=args, read_timeout_seconds=60))


async def test_functions_of_a_program_are_served(tmp_path: Path) -> None:
    program = tmp_path / "tools.py"
    program.write_text(TOOLS)
    async with serving(f"{program}:tools") as workbench:
        add, fail = await workbench.list_tools()
        assert (add["name"], add.get("description"), fail["name"]) == ("add", "Add two numbers.", "fail")
        assert (await workbench.call_tool("add", {"a": 1, "b": 2})).to_text() == "3"
        failed = await workbench.call_tool("fail")
        assert failed.is_error
        assert failed.to_text() == "it broke"


async def test_a_client_is_told_which_tools_may_be_called_again(tmp_path: Path) -> None:
    program = tmp_path / "tools.py"
    program.write_text(TOOLS)
    async with serving(f"{program}:hinted") as workbench:
        names = [tool["name"] for tool in await workbench.list_tools()]
        told = {name: workbench.tool_traits(name).idempotency for name in names}
        assert told == {"sum": "idempotent", "put": "idempotent", "add": "unknown"}


async def test_a_program_that_is_served_may_print_and_import_modules_beside_it(tmp_path: Path) -> None:
    (tmp_path / "sums.py").write_text(TOOLS)
    (tmp_path / "served.py").write_text("from sums import tools\nprint('ready')\n")
    async with serving(f"{tmp_path / 'served.py'}:tools") as workbench:
        assert [tool["name"] for tool in await workbench.list_tools()] == ["add", "fail"]


NOISY = """
import os, sys
from symposia.core.tools import FunctionTool, StaticWorkbench

kept = sys.stdout
os.system("echo imported")
os.write(1, b"imported\\n")

def add(a: int, b: int) -> int:
    "Add two numbers."
    print("called", flush=True)
    print("called", file=kept, flush=True)
    return a + b

class Noisy(StaticWorkbench):
    async def start(self) -> None:
        print("started", flush=True)

noisy = Noisy([FunctionTool(add, "add")])
"""


PEOPLE = """
from symposia.agentchat.agents import UserProxyAgent
from symposia.agentchat.teams import RoundRobinGroupChat
from symposia.core.effects import ask_human

async def send(to: str) -> str:
    "Send a letter."
    answer = await ask_human(input, f"Send it to {to}?", approval_of={"to": to})
    return f"sent {answer.text}".strip() if answer.approved else "kept"

person = RoundRobinGroupChat([UserProxyAgent("person")], max_turns=1)
elsewhere = UserProxyAgent("elsewhere", input_func=lambda prompt: "asked elsewhere")
served = [person, elsewhere, send]
"""


def people(folder: Path, answers: dict[str | None, str] | None) -> McpWorkbench:
    """A workbench on a program that asks people, and what the client's user answers for each field."""
    program = folder / "people.py"
    program.write_text(PEOPLE)
    args = ["-m", "symposia", "mcp", "serve", f"{program}:served"]
    params = StdioServerParams(command=sys.executable, args=args, read_timeout_seconds=60)
    return McpWorkbench(params, elicit=None if answers is None else lambda question: answers[question.field])


async def test_what_an_agent_asks_on_the_terminal_the_client_is_asked(tmp_path: Path) -> None:
    async with people(tmp_path, {"answer": "Blue.", "approved": "yes", "reason": "today"}) as workbench:
        team, agent, letter = [tool["name"] for tool in await workbench.list_tools()]
        assert (await workbench.call_tool(team, {"task": "Which colour?"})).to_text() == "Blue."
        assert (await workbench.call_tool(agent, {"task": "Which colour?"})).to_text() == "asked elsewhere"
        assert (await workbench.call_tool(letter, {"to": "Ann"})).to_text() == "sent today"


async def test_a_client_whose_user_declines_refuses_and_does_not_answer(tmp_path: Path) -> None:
    async with people(tmp_path, {"answer": "", "approved": ""}) as workbench:
        team, _, letter = [tool["name"] for tool in await workbench.list_tools()]
        assert (await workbench.call_tool(letter, {"to": "Ann"})).to_text() == "kept"
        failed = await workbench.call_tool(team, {"task": "Which colour?"})
        assert failed.is_error
        assert "declined to answer" in failed.to_text()


async def test_a_client_that_answers_no_questions_is_told_what_to_do(tmp_path: Path) -> None:
    async with people(tmp_path, None) as workbench:
        team, agent, _ = [tool["name"] for tool in await workbench.list_tools()]
        failed = await workbench.call_tool(team, {"task": "Which colour?"})
        assert failed.is_error
        assert "a client with elicitation" in failed.to_text()
        assert (await workbench.call_tool(agent, {"task": "Which colour?"})).to_text() == "asked elsewhere"


async def test_what_a_program_and_its_children_print_is_in_no_message(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    program = tmp_path / "served.py"
    program.write_text(NOISY)
    async with serving(f"{program}:noisy") as workbench:
        assert (await workbench.call_tool("add", {"a": 1, "b": 2})).to_text() == "3"
    assert "no message" not in caplog.text


SCRIPTS = """
import os
import sys
from symposia.core.tools import FunctionTool
from symposia.ext.tools.mcp import McpWorkbench, StdioServerParams

def parse() -> str:
    "Parse arguments."
    sys.exit("--task is missing")

async def end() -> str:
    "End."
    raise SystemExit(3)

def ask() -> str:
    "Ask on the terminal, after a process has printed."
    os.system("echo printed")
    return input("Name? ")

scripts = [parse, end, ask]
lost = McpWorkbench(StdioServerParams(command="/nowhere/server"))
"""


async def test_a_function_written_for_a_command_line_fails_and_the_server_goes_on(tmp_path: Path) -> None:
    program = tmp_path / "scripts.py"
    program.write_text(SCRIPTS)
    async with serving(f"{program}:scripts") as workbench:
        for tool, told in {
            "parse": "The tool parse has called sys.exit('--task is missing').",
            "end": "The tool end has called sys.exit(3).",
            "ask": "EOF when reading a line",
        }.items():
            failed = await workbench.call_tool(tool)
            assert (failed.is_error, failed.to_text()) == (True, told)


async def test_a_workbench_that_does_not_start_ends_the_server_with_its_error(tmp_path: Path) -> None:
    program = tmp_path / "scripts.py"
    program.write_text(SCRIPTS)
    with pytest.raises(ToolServiceError, match="the command '/nowhere/server' was not found"):
        await serving(f"{program}:lost").start()


async def test_a_program_that_fails_shows_its_own_traceback_only(tmp_path: Path) -> None:
    program = tmp_path / "served.py"
    program.write_text("def read():\n    return {}['key']\n\ntools = [read()]\n")
    with pytest.raises(ToolServiceError, match="KeyError: 'key'") as failed:
        await serving(f"{program}:tools").start()
    assert "in read" in str(failed.value)
    assert "exit status 1" in str(failed.value)
    assert "_mcp.py" not in str(failed.value)


async def test_a_saved_team_is_one_tool(tmp_path: Path) -> None:
    writer = AssistantAgent("writer", ReplayChatCompletionClient(["A haiku."]))
    team = RoundRobinGroupChat([writer], termination_condition=MaxMessageTermination(2))
    saved = tmp_path / "poets.json"
    saved.write_text(team.dump_component().model_dump_json())
    async with serving(str(saved)) as workbench:
        (poets,) = await workbench.list_tools()
        assert poets["name"] == "poets"
        assert "A haiku." in (await workbench.call_tool("poets", {"task": "Write."})).to_text()


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("no-such.json", "There is no file no-such.json."),
        ("tools.py", "tools.py:NAME"),
        ("tools.py:subtract", "has no 'subtract'"),
        ("tools.toml", "give FILE.json, a saved component, or FILE.py:NAME"),
        ("cut.json", "cut.json is no JSON: "),
        ("empty.json", "empty.json is no saved component: give a team, an agent, a workbench or a tool."),
    ],
)
def test_what_cannot_be_served_is_a_usage_error(
    target: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {"tools.py": TOOLS, "tools.toml": "", "cut.json": '{"provider":', "empty.json": "{}"}.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["mcp", "serve", target])
    assert done.exit_code == 2
    assert told in done.output


async def test_a_server_that_cannot_serve_is_explained_to_its_client() -> None:
    with pytest.raises(ToolServiceError, match="There is no file no-such"):
        await serving("no-such.json").start()


async def test_a_workbench_in_a_list_is_refused_with_what_to_give() -> None:
    with pytest.raises(ArgumentTypeError, match="give the workbench alone"):
        await serve_mcp_tools([StaticWorkbench([])], "both")
