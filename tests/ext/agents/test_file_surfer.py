"""The agent that opens files."""

import asyncio
import json
import sys
from pathlib import Path

import pytest
from tests.support.documents import pdf
from tests.support.journal import Journal

from symposia.agentchat.messages import TextMessage
from symposia.agentchat.teams import RoundRobinGroupChat
from symposia.core import CancellationToken, FunctionCall
from symposia.core.effects import handle_effects
from symposia.core.exceptions import InvalidArgumentError, ModelError
from symposia.core.models import CreateResult, ModelInfo, RequestUsage
from symposia.ext.agents.file_surfer import FileSurfer
from symposia.ext.models.replay import ReplayChatCompletionClient

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows opens no files relative to a folder")

ABLE = ModelInfo(vision=False, function_calling=True, json_output=True, structured_output=True, family="unknown")


def calls(*named: tuple[str, dict[str, object]]) -> CreateResult:
    return CreateResult(
        finish_reason="function_calls",
        content=[
            FunctionCall(id=str(n), name=name, arguments=json.dumps(given)) for n, (name, given) in enumerate(named)
        ],
        usage=RequestUsage(prompt_tokens=3, completion_tokens=2),
        cached=False,
    )


def opens(path: str) -> CreateResult:
    return calls(("open_path", {"path": path}))


def model(*answers: CreateResult | str) -> ReplayChatCompletionClient:
    return ReplayChatCompletionClient(list(answers), model_info=ABLE)


async def ask(surfer: FileSurfer, text: str = "Go on.") -> str:
    response = await surfer.on_messages([TextMessage(content=text, source="user")], CancellationToken())
    assert isinstance(response.chat_message, TextMessage)
    return response.chat_message.content


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "files"
    (root / "sub").mkdir(parents=True)
    (root / "long.txt").write_text("".join(f"line {number}\n" for number in range(1, 1_501)))
    (root / "handbook.pdf").write_bytes(pdf(["Refunds are paid in 14 days"]))
    (root / "none.pdf").write_bytes(b"I am no PDF.")
    (tmp_path / "secret.txt").write_text("the secret")
    return root


def shown(text: str) -> tuple[str, str, str]:
    """The path, the position, and the first line of a page."""
    lines = text.split("\n")
    return lines[0], lines[1], lines[lines.index("=======================") + 1]


async def test_pages_are_turned_and_texts_are_found(folder: Path) -> None:
    turns = [
        opens("long.txt"),
        *(calls((name, {})) for name in ("page_down", "page_down", "page_down", "page_up", "page_up", "page_up")),
        calls(("find_on_page_ctrl_f", {"search_string": "LINE 1*99"})),
        calls(("find_next", {})),
        calls(("find_next", {})),
        calls(("find_on_page_ctrl_f", {"search_string": "zebra"})),
    ]
    surfer = FileSurfer("surfer", model(*turns), base_path=str(folder))
    pages = [await ask(surfer) for _ in turns]
    assert all(len(page) < 5_300 for page in pages)
    assert [shown(page)[0] for page in pages] == ["Path: long.txt"] * len(pages)
    positions = [shown(page)[1].removeprefix("Viewport position: Showing page ") for page in pages]
    assert positions == [f"{page} of 3." for page in (1, 2, 3, 3, 2, 1, 1, 1, 2, 3, 3)]
    assert shown(pages[0])[2] == "line 1"
    assert "'zebra' is not found." in pages[-1]


async def test_folders_documents_and_text_answers_are_shown(folder: Path) -> None:
    surfer = FileSurfer("surfer", model(opens("."), opens("handbook.pdf"), "It is 14 days."), base_path=str(folder))
    listing = await ask(surfer)
    assert "| sub/ |  |" in listing
    assert "| none.pdf | 12 |" in listing
    assert "Refunds are paid in 14 days" in await ask(surfer)
    assert await ask(surfer) == "It is 14 days."


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("../secret.txt", "outside of the folder"),
        ("/etc/passwd", "outside of the folder"),
        ("missing.txt", "does not exist"),
        ("x" * 300, "has too long a name"),
        ("a\nb", "has characters that cannot be shown"),
        ("none.pdf", "is not a PDF"),
        ("", "needs a text as its path"),
    ],
)
async def test_what_cannot_be_opened_is_an_answer_and_the_page_stays_open(folder: Path, path: str, said: str) -> None:
    surfer = FileSurfer(
        "surfer", model(opens("long.txt"), opens(path), calls(("page_down", {}))), base_path=str(folder)
    )
    await ask(surfer)
    refused = await ask(surfer)
    assert said in refused
    assert "secret" not in refused.replace("secret.txt", "")
    assert shown(await ask(surfer))[1].endswith("page 2 of 3.")


@pytest.mark.parametrize("arguments", ["[" * 100_000, "{", '{"path": "\\ud800"}'], ids=["deep", "no JSON", "surrogate"])
async def test_arguments_that_cannot_be_read_are_an_answer(folder: Path, arguments: str) -> None:
    call = opens("long.txt")
    call.content = [FunctionCall(id="1", name="open_path", arguments=arguments)]
    surfer = FileSurfer("surfer", model(call), base_path=str(folder))
    assert await ask(surfer) == "The tool open_path needs a text as its path."


async def test_a_file_is_shown_without_control_characters_and_a_long_one_is_cut(folder: Path) -> None:
    def write() -> None:
        (folder / "color.txt").write_text("\x1b[31mred")
        (folder / "long.txt").write_text("é" * 4_000_100)

    await asyncio.to_thread(write)
    turns = [opens("color.txt"), opens("long.txt"), calls(("find_on_page_ctrl_f", {"search_string": "left out"}))]
    surfer = FileSurfer("surfer", model(*turns), base_path=str(folder))
    assert shown(await ask(surfer))[2] == "\u241b[31mred"
    await ask(surfer)
    assert (await ask(surfer)).endswith("é\n[100 more characters are left out.]")


async def test_the_model_is_told_what_is_open_before_the_last_message(folder: Path) -> None:
    client = model(opens("long.txt"), "Done.")
    surfer = FileSurfer("surfer", client, base_path=str(folder))
    await ask(surfer, "Open it.")
    await ask(surfer, "And now?")
    sent = [str(message.content) for message in client.create_calls[1]["messages"]]
    assert sent[0] == "Open it."
    assert sent[1].startswith("Path: long.txt")
    assert sent[2].startswith("The file viewer shows page 1 of long.txt.")
    assert sent[3:] == ["And now?"]
    tools = [tool if isinstance(tool, dict) else tool.schema for tool in client.create_calls[1]["tools"]]
    assert [tool["name"] for tool in tools] == [
        *("open_path", "page_up", "page_down", "find_on_page_ctrl_f", "find_next"),
    ]


async def test_a_call_without_an_open_file_and_an_unknown_tool_are_answers(folder: Path) -> None:
    surfer = FileSurfer("surfer", model(calls(("page_up", {}), ("dance", {}))), base_path=str(folder))
    assert await ask(surfer) == (
        "No file is open. Open one by open_path.\n"
        "There is no tool 'dance'. The tools are: open_path, page_up, page_down, find_on_page_ctrl_f, find_next."
    )


async def test_a_loaded_surfer_shows_the_same_page_and_a_reset_one_nothing(folder: Path) -> None:
    first = FileSurfer("surfer", model(opens("long.txt"), calls(("page_down", {}))), base_path=str(folder))
    await ask(first)
    await ask(first)
    state = json.loads(json.dumps(await first.save_state()))
    assert len(json.dumps(state)) < 20_000  # without the text of the file
    second = FileSurfer("surfer", model(calls(("page_down", {})), calls(("page_up", {}))), base_path=str(folder))
    await second.load_state(state)
    assert await second.save_state() == state
    assert shown(await ask(second))[1].endswith("page 3 of 3.")
    await second.on_reset(CancellationToken())
    assert await ask(second) == "No file is open. Open one by open_path."


async def test_a_resumed_run_reads_no_file_again(folder: Path) -> None:
    async def run() -> list[str]:
        turns = [opens("long.txt"), calls(("page_down", {}))]
        surfer = FileSurfer("surfer", model(*turns), base_path=str(folder))
        result = await RoundRobinGroupChat([surfer], name="team", max_turns=2).run(task="Read it.")
        return [message.to_text() for message in result.messages if isinstance(message, TextMessage)]

    journal = Journal()
    with handle_effects(journal):
        before = await run()
    await asyncio.to_thread((folder / "long.txt").unlink)
    again = Journal(records=journal.records)
    with handle_effects(again):
        assert await run() == before
    assert again.performed == []


async def test_the_failure_of_the_model_ends_the_turn_which_can_be_repeated(folder: Path) -> None:
    client = model(opens("long.txt"))
    surfer = FileSurfer("surfer", client, base_path=str(folder))
    token = CancellationToken()
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await surfer.on_messages([TextMessage(content="x", source="user")], token)
    assert (await surfer.save_state())["messages"] == []
    await ask(surfer)
    with pytest.raises((ModelError, ValueError)):
        await ask(surfer)
    assert len((await surfer.save_state())["messages"]) == 2


async def test_json_of_autogen_is_loaded_and_a_model_without_tools_is_refused(folder: Path) -> None:
    saved = FileSurfer("surfer", model("x"), base_path=str(folder)).dump_component().model_dump()
    saved["provider"] = "autogen_ext.agents.file_surfer.FileSurfer"
    del saved["config"]["base_path"]  # AutoGen does not save it
    assert FileSurfer.load_component(saved).name == "surfer"
    with pytest.raises(InvalidArgumentError, match="cannot call tools"):
        FileSurfer("surfer", ReplayChatCompletionClient(["x"]))
