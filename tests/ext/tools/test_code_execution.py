"""The tool with which a model runs Python."""

import asyncio
import warnings
from pathlib import Path
from typing import Any

import pytest
from tests.support.effect_recorder import EffectRecorder

from symposia.agentchat.agents import AssistantAgent
from symposia.core import CancellationToken, FunctionCall
from symposia.core.code_executor import CodeRequest, SandboxResult
from symposia.core.effects import handle_effects
from symposia.core.exceptions import ArgumentTypeError
from symposia.core.models import CreateResult, ModelInfo, RequestUsage
from symposia.ext.code_executors import SandboxCodeExecutor
from symposia.ext.code_executors.local import LocalCommandLineCodeExecutor
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.ext.tools.code_execution import CodeExecutionInput, CodeExecutionResult, PythonCodeExecutionTool
from symposia.testing.sandboxes import FakeSandboxBackend, printed

SAVED_BY_AUTOGEN = {
    "provider": "autogen_ext.tools.code_execution.PythonCodeExecutionTool",
    "component_type": "tool",
    "version": 1,
    "component_version": 1,
    "label": "PythonCodeExecutionTool",
    "config": {
        "executor": {
            "provider": "autogen_ext.code_executors.local.LocalCommandLineCodeExecutor",
            "component_type": "code_executor",
            "version": 1,
            "component_version": 1,
            "config": {
                "timeout": 60,
                "work_dir": "coding",
                "functions_module": "functions",
                "cleanup_temp_files": True,
            },
        },
        "description": "Execute Python code blocks.",
    },
}
ABILITIES = ModelInfo(vision=False, function_calling=True, json_output=True, structured_output=True, family="unknown")


async def runs(code: str) -> SandboxResult:
    match code:
        case "import sys; sys.exit(3)":
            return printed("", exit_code=3)
        case "1 / 0":
            return printed("before\n", exit_code=1, stderr="ZeroDivisionError\n")
        case "while True: pass":
            return SandboxResult(status="timeout", exit_code=124, stdout="so far\n", stderr="")
        case _:
            return printed(f"{code} ran\n")


def tool_in(folder: Path) -> PythonCodeExecutionTool:
    return PythonCodeExecutionTool(SandboxCodeExecutor(FakeSandboxBackend(runs), work_dir=folder))


def test_a_model_is_shown_what_autogen_shows_it(tmp_path: Path) -> None:
    tool = tool_in(tmp_path)
    assert tool.schema == {
        "name": "CodeExecutor",
        "description": "Execute Python code blocks.",
        "parameters": {
            "type": "object",
            "properties": {
                "code": {
                    "description": "The contents of the Python code block that should be executed",
                    "title": "Code",
                    "type": "string",
                }
            },
            "required": ["code"],
            "additionalProperties": False,
        },
        "strict": False,
    }


@pytest.mark.parametrize(
    ("code", "success", "output"),
    [
        ("x", True, "x ran\n"),
        ("1 / 0", False, "before\nZeroDivisionError\n"),
        ("while True: pass", False, "so far\n\nTimeout: the time limit of 60 s was reached."),
        ("import sys; sys.exit(3)", False, "The code ended with exit status 3 and printed nothing."),
    ],
)
async def test_the_result_is_what_the_code_printed(tmp_path: Path, code: str, success: bool, output: str) -> None:
    tool = tool_in(tmp_path)
    result = await tool.run(CodeExecutionInput(code=code), CancellationToken())
    assert (result.success, result.output) == (success, output)
    assert tool.return_value_as_string(result) == output
    dumped: object = result.model_dump()
    assert dumped == output


async def test_a_call_that_is_cancelled_ends_the_code(tmp_path: Path) -> None:
    token, started = CancellationToken(), asyncio.Event()

    async def never_ends(code: str) -> SandboxResult:
        started.set()
        await asyncio.Event().wait()
        raise AssertionError(code)

    executor = SandboxCodeExecutor(FakeSandboxBackend(never_ends), work_dir=tmp_path)
    call = asyncio.ensure_future(PythonCodeExecutionTool(executor).run_json({"code": "x"}, token))
    await asyncio.wait_for(started.wait(), 10)
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(call, 10)


async def test_effect_handlers_see_the_code_and_no_call_of_a_tool(tmp_path: Path) -> None:
    call = FunctionCall(id="1", name="CodeExecutor", arguments='{"code": "x"}')
    answer = CreateResult(finish_reason="function_calls", content=[call], usage=RequestUsage(1, 1), cached=False)
    model = ReplayChatCompletionClient([answer], model_info=ABILITIES)
    agent = AssistantAgent("coder", model, tools=[tool_in(tmp_path)])
    recorder = EffectRecorder()
    with handle_effects(recorder):
        result = await agent.run(task="Run x.")
    assert result.messages[-1].to_text() == "x ran\n"
    assert [effect.kind.name for effect in recorder.effects] == ["model", "code"]
    code = recorder.effects[1]
    assert str(code.scope).endswith("tool:CodeExecutor.0")
    assert isinstance(code.request, CodeRequest)
    assert [(block.code, block.language) for block in code.request.blocks] == [("x", "python")]


@pytest.mark.filterwarnings("ignore:The JSON has a LocalCommandLineCodeExecutor:UserWarning")
def test_json_of_autogen_loads_and_ours_has_its_fields() -> None:
    tool = PythonCodeExecutionTool.load_component(SAVED_BY_AUTOGEN)
    saved = tool.dump_component()
    assert saved.provider == "symposia.ext.tools.code_execution.PythonCodeExecutionTool"
    assert saved.config.keys() == {"executor", "description"}
    assert saved.config["executor"]["provider"].endswith("local.LocalCommandLineCodeExecutor")
    again = PythonCodeExecutionTool.load_component(saved)
    assert again.schema == tool.schema


@pytest.mark.parametrize("given", ["python", LocalCommandLineCodeExecutor, None], ids=repr)
def test_what_is_no_executor_is_refused_at_once(given: Any) -> None:
    with pytest.raises(ArgumentTypeError, match=r"give a CodeExecutor, such as create_default_code_executor\(\)"):
        PythonCodeExecutionTool(given)


async def test_it_runs_python_in_a_real_executor(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        executor = LocalCommandLineCodeExecutor(work_dir=tmp_path)
    async with asyncio.timeout(30), executor:
        result = await PythonCodeExecutionTool(executor).run_json({"code": "print(6 * 7)"}, CancellationToken())
    assert isinstance(result, CodeExecutionResult)
    assert (result.success, result.output) == (True, "42\n")
