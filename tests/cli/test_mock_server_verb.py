"""`symposia mock-server` as a process: its lines, its end, and its errors."""

import asyncio
import json
import signal
import socket
import sys
import urllib.request
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from symposia.cli._app import app

SCRIPT = """
rules:
  - {name: hi, when: {last: hi}, answer: Hello.}
  - {name: bye, when: {last: bye}, answer: Bye.}
"""
WAIT = 60
LAST_VARIABLE = "AWS_BEARER_TOKEN_BEDROCK"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.yaml"
    path.write_text(SCRIPT)
    return path


@asynccontextmanager
async def serving(script: Path, *options: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    command = (sys.executable, "-m", "symposia", "mock-server", str(script), *options)
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(WAIT):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


async def address_of(process: asyncio.subprocess.Process) -> str:
    """The address for OpenAI's clients, once all variables are printed."""
    said = [await line(process)]
    assert said[0].endswith("· Ctrl-C ends it")
    while len(said) == 1 or not said[-1].startswith(f"export {LAST_VARIABLE}="):
        said.append(await line(process))
    variables = dict(each.removeprefix("export ").split("=", 1) for each in said[1:])
    assert variables["OPENAI_BASE_URL"] == variables["ANTHROPIC_BASE_URL"] + "/v1"
    assert variables["MISTRAL_BASE_URL"] == variables["AZURE_OPENAI_ENDPOINT"] + "/mistral"
    return variables["OPENAI_BASE_URL"]


def ask(address: str, text: str) -> str:
    body = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": text}]}).encode()
    with urllib.request.urlopen(f"{address}/chat/completions", body, timeout=WAIT) as answer:
        return json.load(answer)["choices"][0]["message"]["content"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
async def test_it_answers_until_it_is_ended_and_lists_what_was_not_used(script: Path, number: signal.Signals) -> None:
    async with serving(script) as process:
        address = await address_of(process)
        assert await asyncio.to_thread(ask, address, "hi") == "Hello."
        assert await line(process) == "openai gpt-4o, turn 1: rule 'hi'"
        process.send_signal(number)
        rest, _ = await process.communicate()
    assert rest.decode().splitlines() == ["Requests: 1, without an answer: 0", "Rule 'bye' was not used."]
    assert process.returncode == 0


async def test_a_request_without_an_answer_is_explained_at_once_and_is_the_exit_status(script: Path) -> None:
    async with serving(script) as process:
        address = await address_of(process)
        with pytest.raises(OSError, match="400"):
            await asyncio.to_thread(ask, address, "\x1b[31mred")
        assert await line(process) == "openai gpt-4o, turn 1: no rule answers it"
        said = [await line(process) for _ in range(6)]
        assert said[-1] == "rule 'bye' does not apply: the last message lacks 'bye'"
        assert "\x1b" not in "".join(said)
        process.send_signal(signal.SIGINT)
        rest, _ = await process.communicate()
    assert rest.decode().splitlines()[0] == "Requests: 1, without an answer: 1"
    assert process.returncode == 1


def test_a_port_in_use_is_an_error_that_says_what_to_do(script: Path) -> None:
    handler = signal.getsignal(signal.SIGINT)
    with socket.create_server(("127.0.0.1", 0)) as other:
        result = CliRunner().invoke(app, ["mock-server", str(script), "--port", str(other.getsockname()[1])])
    assert result.exit_code == 2
    assert "Take others with --host and --port." in result.output
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_script_that_is_wrong_is_an_error_with_its_line(script: Path) -> None:
    script.write_text("rules:\n- answer: 1\n  times: never\n")
    result = CliRunner().invoke(app, ["mock-server", str(script)])
    assert result.exit_code == 2
    assert "script.yaml:3: rule 1: times: " in result.output.replace("\n", "")
