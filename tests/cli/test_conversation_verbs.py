"""`symposia chat` and `symposia support` as their users call them."""

import asyncio
import io
import json
import os
import re
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
from tests.support.command import symposia
from tests.support.terminal import CTRL_C, on_terminal

from symposia.agentchat.messages import ModelClientStreamingChunkEvent, TextMessage
from symposia.cli._conversation_view import ConversationView
from symposia.cli._exit import Status
from symposia.testing.model_server import Failure, MockModelServer, Reply, ToolCall


async def test_without_a_key_a_recorded_chat_is_shown() -> None:
    result = await symposia("chat")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("The models' answers are recorded, and so is what the people say.")
    assert "you> Give me an example with a payment.\nassistant: A request to pay 40 euros" in result.stdout


async def test_without_a_key_a_recorded_case_of_support_is_shown() -> None:
    result = await symposia("support")
    assert result.exit_code == 0, result.output
    for line in (
        "[triage hands over to billing]",
        '[billing calls refund({"number": "4711", "amount": 89.0})]',
        "colleague> Three weeks old: offer a replacement",
        "[colleague hands over to technical]",
        "colleague: Pay back 649.00 EUR for order 4713 (Espresso machine)? (yes or no)> yes",
        "billing: I have paid back the 649.00 EUR",
    ):
        assert line in result.stdout, line
    assert "transfer_to" not in result.stdout


async def test_lines_that_are_piped_in_are_answered_by_the_model(models: MockModelServer) -> None:
    models.script(Reply(text="Hello."), Reply(text="Goodbye."))
    result = await symposia("chat", "--system", "Be brief.", typed="Hi\n\nBye")
    assert result.exit_code == 0, result.output
    assert "you> Hi\nassistant: Hello.\nyou> \nyou> Bye\nassistant: Goodbye.\nyou> \n" in result.stdout
    assert models.requests[0].body["messages"][0] == {"role": "system", "content": "Be brief."}


async def test_the_address_of_a_server_that_the_environment_gives_is_shown(
    models: MockModelServer, tmp_path: Path
) -> None:
    result = await symposia("chat", "--model", "gpt-4o", typed="")
    assert f"Model: gpt-4o at {models.openai_url}. An empty input" in result.output
    models.script(Failure(status=401))
    result = await symposia(
        *(
            "debate",
            "Tea?",
            "--position",
            "yes",
            "--position",
            "no",
            "--model",
            "gpt-4o",
            "--out",
            str(tmp_path / "run"),
        )
    )
    assert f"Model: gpt-4o at {models.openai_url}\n" in result.output


async def test_a_line_that_is_no_utf8_and_one_of_windows_are_sent(models: MockModelServer) -> None:
    models.script(Reply(text="Hello."), Reply(text="Goodbye."))
    environment = {
        "OPENAI_API_KEY": "sk-test",
        "OPENAI_BASE_URL": models.openai_url,
        "PYTHONIOENCODING": "utf-8:strict",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "symposia", "chat"), stdin=PIPE, stdout=PIPE, env={**os.environ, **environment}
    )
    async with asyncio.timeout(60):
        output, _ = await process.communicate(b"caf\xff\nHi\r\n")
    assert process.returncode == 0
    assert b"assistant: Goodbye." in output
    assert [message["content"] for message in models.last_body["messages"]][1:] == ["caf\ufffd", "Hello.", "Hi"]


async def test_an_input_that_is_closed_from_the_start_is_at_its_end(models: MockModelServer) -> None:
    environment = {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": models.openai_url}
    process = await asyncio.create_subprocess_shell(
        f"exec {sys.executable} -m symposia chat <&-", stdout=PIPE, stderr=PIPE, env={**os.environ, **environment}
    )
    async with asyncio.timeout(60):
        output, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")
    assert output.endswith(b"you> \n")


async def test_a_script_and_a_history(models: MockModelServer, tmp_path: Path) -> None:
    (tmp_path / "script").write_text("Hi\n")
    history = str(tmp_path / "history.json")
    for answer in ("Hello.", "Hello again."):
        models.script(Reply(text=answer))
        result = await symposia("chat", "--script", str(tmp_path / "script"), "--history", history)
        assert result.exit_code == 0, result.output
    assert [message["content"] for message in models.last_body["messages"]][1:] == ["Hi", "Hello.", "Hi"]


async def test_a_case_of_support_with_models(models: MockModelServer) -> None:
    def call(name: str, **arguments: object) -> Reply:
        return Reply(tool_calls=(ToolCall(id="1", name=name, arguments=json.dumps(arguments)),))

    refund = call("refund", number="4713", amount=649)
    models.script(call("transfer_to_billing"), refund, Reply(text="That was refused."))
    result = await symposia("support", "--model", "gpt-5.5", typed="My money back!\nno\n")
    assert result.exit_code == 0, result.output
    assert "(yes or no)> no" in result.stdout
    assert "The colleague did not consent to paying back 649.00 EUR" in result.stdout
    assert "billing: That was refused." in result.stdout


@pytest.mark.parametrize("asks", ["handoff", "approval"])
async def test_an_input_that_ends_while_the_colleague_is_asked_ends_the_conversation(
    models: MockModelServer, asks: str
) -> None:
    def call(name: str, **arguments: object) -> Reply:
        return Reply(tool_calls=(ToolCall(id="1", name=name, arguments=json.dumps(arguments)),))

    handoff, refund = call("transfer_to_colleague"), call("refund", number="4713", amount=649)
    models.script(*([handoff] if asks == "handoff" else [call("transfer_to_billing"), refund]))
    result = await symposia("support", "--model", "gpt-5.5", typed="Help!\n")
    assert result.exit_code == 0, result.output
    *_, asked, spent = result.stdout.splitlines()
    assert asked.startswith("colleague")
    assert re.fullmatch(r"\d+ tokens · \$0\.\d{4}", spent)
    assert "paid back" not in result.stdout


async def test_a_model_that_fails_ends_no_conversation_on_a_terminal(models: MockModelServer) -> None:
    environment = {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": models.openai_url}
    command = (sys.executable, "-m", "symposia", "chat", "--model", "gpt-5.5")
    models.script(Reply(text="Hello."), Failure(status=400, message="not today"), Reply(text="Here I am."))
    async with asyncio.timeout(60), on_terminal(*command, environment=environment) as terminal:
        for line, answer in ((b"Hi\n", "assistant: Hello."), (b"More\n", "not today"), (b"Again\n", "Here I am.")):
            await terminal.wait_until_drawn("you> ")
            terminal.press(line)
            await terminal.wait_until_drawn(answer)
        await terminal.wait_until_drawn("Here I am.\r\nyou> ")
        terminal.press(b"\x04")
        assert await terminal.wait_until_ended() == 0
    sent = [message["content"] for message in models.last_body["messages"]]
    assert sent[1:] == ["Hi", "Hello.", "More", "Again"]


async def test_a_model_that_fails_ends_a_conversation_from_a_pipe(models: MockModelServer) -> None:
    models.script(Failure(status=400, message="not today"))
    result = await symposia("chat", "--model", "gpt-5.5", typed="Hi\n")
    assert result.exit_code == Status.MODEL_FAILED
    assert "not today" in result.stderr


async def test_ctrl_c_ends_a_chat_that_waits_for_a_line(models: MockModelServer) -> None:
    environment = {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": models.openai_url}
    command = (sys.executable, "-m", "symposia", "chat", "--model", "gpt-5.5")
    models.script(Reply(text="Hello there."))
    async with asyncio.timeout(60), on_terminal(*command, environment=environment) as terminal:
        await terminal.wait_until_drawn("you> ")
        terminal.press(b"Hi\n")
        await terminal.wait_until_drawn("Hello there.\r\nyou> ")
        terminal.press(CTRL_C)
        assert await terminal.wait_until_ended() == Status.INTERRUPTED
    assert terminal.drawn.endswith("Interrupted.\r\n")


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (("chat", "--model", "llama-9"), Status.UNKNOWN_VENDOR, "openai-compatible:ADDRESS/NAME"),
        (("chat", "--model", "gpt-5.5"), Status.MISSING_KEY, "--example"),
        (("chat", "--example", "--model", "gpt-5.5"), Status.USAGE, "not both"),
        (("support", "--script", "nowhere"), Status.USAGE, "--script nowhere cannot be read"),
        (("chat", "--history", "."), Status.HISTORY, "is no file"),
        (("chat", "--history", "/dev/zero"), Status.HISTORY, "is no file"),
        (("chat", "--history", "nowhere/chat.json"), Status.HISTORY, "cannot be written"),
    ],
    ids=str,
)
async def test_a_wrong_argument_has_its_status_and_says_what_to_do(
    arguments: tuple[str, ...], status: Status, text: str
) -> None:
    result = await symposia(*arguments)
    assert result.exit_code == status, result.output
    assert text in " ".join(result.stderr.replace("│", " ").split())


async def test_a_line_that_was_not_recorded_says_so(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("Something else\n")
    result = await symposia("support", "--script", str(tmp_path / "script"))
    assert result.exit_code == Status.MODEL_FAILED, result.output
    assert "does not fit" in result.stderr


@pytest.mark.parametrize("named", [True, False])
def test_an_answer_whose_chunks_come_between_those_of_another_is_shown_once(named: bool) -> None:
    out = io.StringIO()
    view = ConversationView(out)
    ann, bob = TextMessage(content="One two", source="ann"), TextMessage(content="Three", source="bob")
    for message, text in ((ann, "One"), (ann, " two"), (bob, "Three")):
        of = message.id if named else None
        view.show(ModelClientStreamingChunkEvent(content=text, source=message.source, full_message_id=of))
    view.show(bob)
    assert out.getvalue() == "ann: One two\nbob: Three\n"


async def test_a_chat_with_documents_answers_from_them_and_shows_the_sources(
    models: MockModelServer, tmp_path: Path
) -> None:
    (tmp_path / "policy.md").write_text("# Refunds\n\nRefunds are paid within 14 days.\n")
    (tmp_path / "none.pdf").write_bytes(b"I am no PDF.")
    models.script(Reply(text="14 days [policy.md]."))
    result = await symposia("chat", "--docs", str(tmp_path), typed="When are refunds paid?\n")
    assert result.exit_code == 0, result.output
    assert "Note: The document 'none.pdf' is not a PDF, though its name says so." in result.stderr
    assert "Documents: 1. Passages: 1.\n" in result.stdout
    assert "[assistant reads policy.md, lines 1-3]\nassistant: 14 days [policy.md].\n" in result.stdout
    assert "Refunds are paid within 14 days." in models.requests[0].body["messages"][-1]["content"]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--docs", "missing"], Status.DATA_FILE, "There is no folder"),
        (["--docs", "."], Status.DATA_FILE, "has no documents"),
        (["--docs", "none.pdf"], Status.DATA_FILE, "'none.pdf' is not a PDF"),
        (["--docs", ".", "--example"], Status.USAGE, "Give --docs or --example, not both"),
    ],
)
async def test_documents_that_cannot_be_read_are_one_error(
    models: MockModelServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    status: Status,
    said: str,
) -> None:
    if "none.pdf" in arguments:
        (tmp_path / "none.pdf").write_bytes(b"I am no PDF.")
    monkeypatch.chdir(tmp_path)
    result = await symposia("chat", *arguments, typed="Hi\n")
    assert result.exit_code == status, result.output
    assert said in result.stderr
    assert not models.requests


async def test_a_chat_with_documents_needs_a_model(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    result = await symposia("chat", "--docs", str(tmp_path), typed="Hi\n")
    assert result.exit_code == Status.MISSING_KEY, result.output
