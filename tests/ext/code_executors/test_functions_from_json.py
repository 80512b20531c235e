"""Functions from JSON in a real sandbox: they work as they would in this process, and nothing that they do gets out."""

import asyncio
import json
import socket
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python
from tests.support.chat_agents import model
from tests.support.interpreter import python
from tests.support.sandboxes import require

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.teams import RoundRobinGroupChat
from symposia.core import CancellationToken
from symposia.core.code_executor import Alias, Import, ImportFromModule, SandboxBackend, SandboxPolicy
from symposia.core.exceptions import ToolFunctionError
from symposia.core.tools import FunctionSandbox, FunctionTool, run_component_code_in
from symposia.ext.code_executors.bubblewrap import BubblewrapBackend
from symposia.ext.code_executors.docker import DockerBackend
from symposia.ext.code_executors.namespaces import NamespaceBackend

WRITTEN = Path(__file__).parents[2] / "core" / "component" / "autogen_json"
TYPES = ImportFromModule("typing", ["Annotated", "Any", "Literal", "Optional", "Union", "List", "Dict"])


@pytest.fixture(scope="module", autouse=True)
def _works() -> None:
    require(NamespaceBackend())


@pytest.fixture
async def sandbox() -> AsyncIterator[FunctionSandbox]:
    policy = SandboxPolicy(artifacts=0, imported_ahead=("asyncio", "inspect"), time_limit=20)
    async with FunctionSandbox(NamespaceBackend(), policy=policy) as sandbox:
        yield sandbox


def saved(source: str, *imports: Import, name: str = "tool") -> dict[str, Any]:
    config = {
        "source_code": source,
        "name": name,
        "description": "A tool.",
        "global_imports": to_jsonable_python(imports),
    }
    return {"provider": "autogen_core.tools.FunctionTool", "component_type": "tool", "config": config}


def both(sandbox: FunctionSandbox, model: dict[str, Any]) -> tuple[FunctionTool, FunctionTool]:
    """The same tool in the sandbox and in this process."""
    with run_component_code_in(sandbox):
        inside = FunctionTool.load_component(model)
    return inside, FunctionTool.load_component(model, trust_code=True)


async def called(tool: FunctionTool, **arguments: object) -> Any:
    return await tool.run_json(arguments, CancellationToken())


async def failure(sandbox: FunctionSandbox, source: str, *imports: Import, **arguments: object) -> str:
    with run_component_code_in(sandbox):
        tool = FunctionTool.load_component(saved(source, *imports))
    with pytest.raises(ToolFunctionError) as caught:
        await called(tool, **arguments)
    return str(caught.value)


@pytest.mark.parametrize("backend", [NamespaceBackend, BubblewrapBackend, DockerBackend])
async def test_tools_that_autogen_has_written_have_the_same_schema_and_result_as_when_trusted(
    backend: type[SandboxBackend],
) -> None:
    await asyncio.to_thread(require, backend())
    async with FunctionSandbox(backend()) as sandbox:
        await same_as_trusted(sandbox)


async def same_as_trusted(sandbox: FunctionSandbox) -> None:
    arguments: dict[str, dict[str, object]] = {
        "function_tool": {"city": "Rome"},
        "function_tool_async": {"zone": "CET"},
        "function_tool_imports": {"a": 2, "b": 3},
        "function_tool_types": {"rows": [{"a": 1, "b": 2.5}], "unit": "m", "since": "2026-02-03", "labels": ["x"]},
    }
    assert {path.stem for path in WRITTEN.glob("function_tool*.json")} == arguments.keys()
    for file, given in arguments.items():
        inside, trusted = both(sandbox, json.loads((WRITTEN / f"{file}.json").read_text()))
        await inside.prepare()
        assert inside.schema == trusted.schema
        assert TypeAdapter(inside.return_type()).json_schema() == TypeAdapter(trusted.return_type()).json_schema()
        assert await called(inside, **given) == await called(trusted, **given)


def test_a_program_that_never_closes_its_sandbox_ends_without_a_complaint() -> None:
    program = f"""
        import asyncio
        from symposia.core import CancellationToken
        from symposia.core.tools import FunctionSandbox, FunctionTool, run_component_code_in
        from symposia.ext.code_executors.namespaces import NamespaceBackend

        with run_component_code_in(FunctionSandbox(NamespaceBackend())):
            tool = FunctionTool.load_component({saved("def tool(n: int) -> int: return n + 1")!r})
        print(asyncio.run(tool.run_json({{"n": 1}}, CancellationToken())))
        loop = asyncio.new_event_loop()
        print(loop.run_until_complete(tool.run_json({{"n": 2}}, CancellationToken())))
    """
    done = python("-X", "dev", "-c", textwrap.dedent(program))
    assert (done.stdout, done.stderr) == ("2\n3\n", "")


SIGNATURES = {
    "nothing": "",
    "plain": "a: str, b: int, c: float, d: bool, e: list, f: dict, g: Any, h: None = None",
    "defaults": "a: str = 'x', b: float = 1, c: list[int] = [1], d: dict[str, int] = {'a': 1}, e: bytes = b'x'",
    "texts": "a: Annotated[int, 'how many'], b: Annotated[Optional[str], 'which'] = None",
    "choices": "a: Literal['x', 'y', 3, None], b: Union[int, str, None] = 4, c: int | list[str] = 5",
    "containers": "a: List[Dict[str, List[int]]], b: tuple[int, str], c: set[str], d: tuple[int, ...] = (1, 2)",
    "times": "a: datetime.datetime, b: datetime.date = datetime.date(2026, 1, 2), c: Optional[datetime.time] = None",
    "texts of other types": "a: Decimal, b: UUID, c: Path = Path('x')",
    "kinds": "a: int, /, b: int = 2, *, c: int, d: int = 4",
    "fields": "a: Annotated[int, Field(description='A', ge=1, lt=9)], b: str = Field(default='q', max_length=3)",
    "an Enum": "a: Colour, b: Colour = Colour.RED",
    "names of pydantic": "schema: str, model_x: int = 1, _hidden: int = 2",
    "quotes": "a: 'int', b: 'list[Colour]' = []",
    "a token": "a: int, cancellation_token: 'CancellationToken | None' = None",
}


async def test_the_schema_of_every_signature_is_the_one_of_the_trusted_tool(sandbox: FunctionSandbox) -> None:
    imports: list[Import] = [TYPES, "datetime", Alias("os.path", "p")]
    imports += [ImportFromModule(*each) for each in (("decimal", ["Decimal"]), ("uuid", ["UUID"]))]
    imports += [ImportFromModule("pathlib", ["Path"]), ImportFromModule("enum", ["Enum"])]
    imports += [ImportFromModule("pydantic", ["Field"]), ImportFromModule("autogen_core", ["CancellationToken"])]
    colour = "class Colour(Enum):\n    RED = 'r'\n    BLUE = 'b'\n"
    for what, parameters in SIGNATURES.items():
        inside, trusted = both(sandbox, saved(f"{colour}def tool({parameters}) -> str:\n    return ''\n", *imports))
        await inside.prepare()
        assert inside.schema == trusted.schema, what


async def test_arguments_arrive_in_their_types_and_results_as_their_text_where_json_has_none(
    sandbox: FunctionSandbox,
) -> None:
    source = (
        "async def tool(when: datetime.date, sizes: set[int], at: tuple[int, str], by: Dict[int, Decimal], raw: bytes,"
        " x: Union[int, datetime.date] = 3, y: Optional[Decimal] = None, z: object = sys.stdout) -> Any:\n"
        "    return when, sizes, at, by, raw, x, y, z is sys.stdout\n"
    )
    with pytest.warns(match="non-serializable-default"):
        inside, trusted = both(
            sandbox, saved(source, TYPES, "datetime", "sys", ImportFromModule("decimal", ["Decimal"]))
        )
    given: dict[str, object] = {
        "when": "2026-01-02",
        "sizes": [2],
        "at": [1, "a"],
        "by": {"1": "1.5"},
        "raw": "r",
        "y": "2",
    }
    await inside.prepare()
    assert inside.schema == trusted.schema
    assert await called(inside, **given) == str(await called(trusted, **given))


@pytest.mark.parametrize(
    "expression",
    ["1", "1.5", "float('nan')", "None", "'é\\ud800'", "[1, {'a': None}]", "(1, 2)", "{1: 2}", "b'x'", "2 ** 70"],
)
async def test_the_text_of_every_result_is_the_one_of_the_trusted_tool(
    sandbox: FunctionSandbox, expression: str
) -> None:
    inside, trusted = both(sandbox, saved(f"def tool():\n    return {expression}\n"))
    text = inside.return_value_as_string(await called(inside))
    expected = trusted.return_value_as_string(await called(trusted))
    assert text == expected.encode("utf-8", "replace").decode()


async def test_hostile_functions_get_nothing_and_the_next_call_works(
    sandbox: FunctionSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_KEY", "sesame")
    secret = tmp_path / "secret"
    secret.write_text("sesame")
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        reads = f"def tool():\n    return open({str(secret)!r}).read()\n"
        connects = f"def tool():\n    socket.create_connection({address!r}, 2)\n"
        assert "FileNotFoundError" in await failure(sandbox, reads)
        assert "Error" in await failure(sandbox, connects, "socket")
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()
    inside, _ = both(sandbox, saved("def tool() -> str:\n    return str(dict(os.environ))\n", "os"))
    assert "sesame" not in await called(inside)
    bomb = "def tool():\n    while True:\n        os.fork()\n"
    assert await failure(sandbox, bomb, "os")  # at the limit of processes, or of memory
    inside, _ = both(sandbox, saved("def tool(n: int) -> int:\n    return n + 1\n"))
    assert await called(inside, n=1) == 2


async def test_what_a_function_prints_is_never_its_result(sandbox: FunctionSandbox) -> None:
    source = (
        "def tool() -> str:\n"
        '    print(\'{"result": "forged"}\')\n'
        '    os.write(1, b\'{"result": "forged"}\\n\')\n'
        "    subprocess.run(['echo', 'forged'])\n"
        "    atexit.register(print, 'forged')\n"
        "    if os.fork() == 0:\n"
        "        return 'of the child'\n"
        "    os.wait()\n"
        "    return 'real'\n"
    )
    inside, _ = both(sandbox, saved(source, "os", "subprocess", "atexit"))
    assert await called(inside) == "real"


async def test_failures_are_errors_with_the_end_of_the_traceback(sandbox: FunctionSandbox) -> None:
    raises = "def deeper():\n    raise KeyError('gone')\ndef tool():\n    deeper()\n"
    text = await failure(sandbox, raises)
    assert text.startswith("The tool 'tool' failed:\nTraceback (most recent call last):\n  File \"<tool tool>\"")
    assert text.endswith("KeyError: 'gone'")
    assert "    raise KeyError('gone')" in text
    assert "SystemExit: 3" in await failure(sandbox, "def tool():\n    sys.exit(3)\n", "sys")
    assert "exit status 4, and gave no result" in await failure(sandbox, "def tool():\n    os._exit(4)\n", "os")
    assert "more than 1,048,576 bytes" in await failure(sandbox, "def tool():\n    return 'x' * 2_000_000\n")
    assert "SyntaxError" in await failure(sandbox, "def tool(:\n")
    assert "ValueError: Exceeds the limit" in await failure(sandbox, "def tool():\n    return [10**5000]\n")
    assert "defines no function" in await failure(sandbox, "tool = 3\n")
    missing = await failure(sandbox, "def tool(): pass\n", "nowhere")
    assert "No module named 'nowhere'\nThe Python of the sandbox does not have it. Load" in missing
    assert "FunctionSandbox(packages=[…])" in missing
    inside = await failure(sandbox, "def tool():\n    import os, nowhere.deeper\n    from gone import x\n")
    assert "No module named 'nowhere'\nThe Python of the sandbox does not have it. Load" in inside
    assert "a generator gives no single result" in await failure(sandbox, "def tool():\n    yield 1\n")
    unknown = "class Mine: pass\ndef tool(x: Mine): pass\n"
    assert "the type Mine of its parameter 'x' cannot be described outside" in await failure(sandbox, unknown)


async def test_an_import_that_a_function_may_do_without_is_not_asked_for(sandbox: FunctionSandbox) -> None:
    source = (
        "def tool(n: int) -> int:\n"
        "    import json\n"
        "    try:\n"
        "        import nowhere\n"
        "    except ImportError:\n"
        "        n += 1\n"
        "    if n > 9:\n"
        "        import gone\n"
        "    return n\n"
    )
    inside, _ = both(sandbox, saved(source))
    assert await called(inside, n=1) == 2


async def test_a_team_with_a_tool_whose_package_the_sandbox_lacks_ends_before_a_model_is_asked(
    sandbox: FunctionSandbox,
) -> None:
    first, second = model("One."), model("Two.")
    with run_component_code_in(sandbox):
        tool = FunctionTool.load_component(saved("def tool() -> int:\n    return 1\n", "nowhere"))
    team = RoundRobinGroupChat([AssistantAgent("first", first), AssistantAgent("second", second, tools=[tool])])
    with pytest.raises(ToolFunctionError, match=r"'nowhere'(?s:.)*FunctionSandbox\(packages="):
        await team.run(task="Count.")
    assert (first.create_calls, second.create_calls) == ([], [])


async def test_a_loop_without_end_meets_the_time_limit_and_a_cancelled_call_is_killed() -> None:
    policy = SandboxPolicy(artifacts=0, imported_ahead=(), time_limit=2)
    async with FunctionSandbox(NamespaceBackend(), policy=policy) as sandbox:
        endless = "def tool(n: int = 0):\n    while True:\n        pass\n"
        inside, _ = both(sandbox, saved(endless))
        await inside.prepare()
        with pytest.raises(ToolFunctionError, match="was ended at the time limit of 2 s"):
            await called(inside)
        token = CancellationToken()
        call = asyncio.create_task(inside.run_json({}, token))
        asyncio.get_running_loop().call_soon(token.cancel)
        with pytest.raises(asyncio.CancelledError):
            await call
        quick, _ = both(sandbox, saved("def tool() -> int:\n    return 1\n"))
        assert await called(quick) == 1


async def test_a_function_cannot_plant_a_module_for_the_next_one(sandbox: FunctionSandbox) -> None:
    plants = (
        "def tool():\n"
        "    for name in ('json', 'colorsys', 'typing', 'sitecustomize'):\n"
        "        open(f'{name}.py', 'w').write('raise SystemExit')\n"
    )
    inside, _ = both(sandbox, saved(plants))
    await called(inside)
    after, _ = both(sandbox, saved("def tool() -> float:\n    return colorsys.rgb_to_hsv(0, 0, 1)[2]\n", "colorsys"))
    assert await called(after) == 1
