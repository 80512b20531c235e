"""Agents over threads: OpenAI's Assistants and Azure's agents, each with its real SDK against a scripted service."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from azure.ai.projects.aio import AIProjectClient
from azure.core.credentials import AccessToken
from azure.core.pipeline.policies import SansIOHTTPPolicy
from openai import AsyncOpenAI
from tests.support.journal import Crash, Journal
from tests.support.thread_service import NOT_JSON, ThreadService, calls, says

from symposia.agentchat.base import TaskResult
from symposia.agentchat.messages import (
    MultiModalMessage,
    TextMessage,
    ThoughtEvent,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
)
from symposia.core import CancellationToken
from symposia.core.changes import apply
from symposia.core.effects import handle_effects
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError, ModelError, ModelResponseError
from symposia.core.models import RequestUsage
from symposia.ext.agents._threads import ThreadAgent
from symposia.ext.agents.azure import AzureAIAgent
from symposia.ext.agents.openai import OpenAIAssistantAgent
from symposia.testing.model_server._threads import text_part

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
ADD = calls(("call_1", "add", {"a": 1, "b": 2}))
NEVER = calls(("call_1", "wait", {}))


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


class NoCredential:
    """A credential that is not asked: the policy of the tests takes its place."""

    async def get_token(self, *scopes: str, **options: object) -> AccessToken:
        raise AssertionError("the policy asks for no token")

    async def close(self) -> None: ...


Make = Callable[..., ThreadAgent]


@pytest.fixture
async def service() -> AsyncIterator[ThreadService]:
    async with ThreadService() as service:
        yield service


def openai_agent(service: ThreadService, **options: Any) -> tuple[ThreadAgent, Any]:
    client = AsyncOpenAI(api_key="key", base_url=f"{service.url}/v1", max_retries=0)
    return OpenAIAssistantAgent("helper", "Helps.", client, "gpt-4o", "Be brief.", **options), client


def azure_agent(service: ThreadService, **options: Any) -> tuple[ThreadAgent, Any]:
    client = AIProjectClient(
        service.url,
        NoCredential(),  # pyright: ignore[reportArgumentType] - it has what is used of one
        authentication_policy=SansIOHTTPPolicy[Any, Any](),
        retry_total=0,
    )
    if "assistant_id" in options:
        options["agent_id"] = options.pop("assistant_id")
    return AzureAIAgent("helper", "Helps.", client, "gpt-4o", "Be brief.", **options), client


@pytest.fixture(params=[openai_agent, azure_agent], ids=["openai", "azure"])
async def make(request: pytest.FixtureRequest, service: ThreadService) -> AsyncIterator[Make]:
    clients: list[Any] = []

    def made(**options: Any) -> ThreadAgent:
        agent, client = request.param(service, **options)
        agent._api.polling_interval = 0.001  # noqa: SLF001 - the tests' time, not the service's
        clients.append(client)
        return agent

    yield made
    for client in clients:
        await client.close()


def answer_of(result: TaskResult) -> Any:
    return result.messages[-1]


async def test_a_turn_makes_assistant_thread_and_run_and_calls_functions_here(
    make: Make, service: ThreadService
) -> None:
    service.script = [ADD, says("Thinking of it.", "It is 3.")]
    result = await make(tools=["code_interpreter", add]).run(task="What is 1 + 2?")
    kinds = [type(each) for each in result.messages]
    assert kinds == [TextMessage, ToolCallRequestEvent, ToolCallExecutionEvent, ThoughtEvent, TextMessage]
    assert answer_of(result).content == "It is 3."
    assert answer_of(result).models_usage == RequestUsage(prompt_tokens=11, completion_tokens=7)
    assistant = service.body_of("/assistants")
    assert (assistant["model"], assistant["instructions"]) == ("gpt-4o", "Be brief.")
    assert [tool["type"] for tool in assistant["tools"]] == ["code_interpreter", "function"]
    (thread,) = service.threads
    assert service.said(thread)[0] == ("user", "What is 1 + 2?")
    outputs = next(body for path, body in service.bodies if path.endswith("submit_tool_outputs"))
    assert outputs["tool_outputs"] == [{"tool_call_id": "call_1", "output": "3"}]


async def test_only_what_is_new_is_posted_to_the_thread(make: Make, service: ThreadService) -> None:
    agent = make()
    for number in range(3):
        service.script = [says(f"answer {number}")]
        await agent.on_messages([TextMessage(content=f"question {number}", source="bob")], CancellationToken())
    (thread,) = service.threads
    assert service.said(thread) == [
        each
        for number in range(3)
        for each in (("user", f"bob said:\nquestion {number}"), ("assistant", f"answer {number}"))
    ]
    assert len([each for each in service.requests if each == "POST /assistants"]) == 1


async def test_images_of_the_code_interpreter_are_part_of_the_answer(make: Make, service: ThreadService) -> None:
    service.contents["plot"] = PIXEL
    service.script = [says(content=[{"type": "image_file", "image_file": {"file_id": "plot"}}, text_part("A plot.")])]
    answer = answer_of(await make().run(task="plot"))
    assert isinstance(answer, MultiModalMessage)
    assert answer.content[0] == "A plot."
    service.contents["plot"] = b"no image"
    service.script = [says(content=[{"type": "image_file", "image_file": {"file_id": "plot"}}])]
    with pytest.raises(ModelError, match="image that cannot be read"):
        await make().run(task="plot")


async def test_parts_of_unknown_types_are_passed_over_and_refusals_are_shown(
    make: Make, service: ThreadService
) -> None:
    service.script = [says(content=[{"type": "hologram"}, {"type": "refusal", "refusal": "I won't."}])]
    assert answer_of(await make().run(task="?")).content == "I won't."


FAILURES: list[tuple[dict[str, Any], str]] = [
    ({"status": "failed", "last_error": {"code": "rate_limit_exceeded", "message": "Slow down."}}, "Slow down"),
    ({"status": "expired"}, "ten minutes"),
    ({"status": "cancelled"}, "been cancelled"),
    ({"status": "meditating"}, "unknown state 'meditating'"),
    ({"status": "completed"}, "without a message"),
    ({"status": "requires_action", "required_action": {"type": "dance"}}, "an action that this agent does not know"),
    (
        {
            "status": "requires_action",
            "required_action": {"submit_tool_outputs": {"tool_calls": [{"id": "1", "type": "browser"}]}},
        },
        "waits for 'browser'",
    ),
    ({"status": 7}, "another shape"),
]


async def test_a_run_that_does_not_answer_is_one_error_and_the_next_turn_works(
    make: Make, service: ThreadService
) -> None:
    for step, words in FAILURES:
        agent = make()
        service.script = [step]
        with pytest.raises(ModelError, match=words):
            await agent.run(task="hello")
        for thread in service.threads.values():  # what the service has forgotten by then
            known = {name: run for name, run in thread.runs.items() if run.fields["status"] not in {7, "meditating"}}
            thread.runs = known
        service.script = [says("Hello.")]
        assert answer_of(await agent.run(task="hello")).content == "Hello."
        assert service.said(list(service.threads)[-1]) == [
            ("user", "hello"),
            ("assistant", "Hello."),
        ]  # not posted twice


PATHS = ["POST /assistants", "POST /threads", "POST /threads/T/messages", "POST /threads/T/runs",
         "GET /threads/T/messages"]  # fmt: skip


async def test_an_error_of_the_service_is_a_model_error_and_the_turn_can_be_repeated(
    make: Make, service: ThreadService
) -> None:
    forbidden = (403, {"error": {"code": "Forbidden", "message": "not you"}})
    for answer, kind, words in [
        (forbidden, ModelError, "not you"),
        ((200, ["something"]), ModelResponseError, "another shape"),
    ]:
        for path in PATHS:
            service.threads.clear()
            agent = make()
            service.failures[path] = answer
            service.script = [says("Hello.")]
            with pytest.raises(kind, match=words) as caught:
                await agent.run(task="hello")
            assert caught.value.status == (403 if answer is forbidden else None)
            service.script = [says("Hello.")]
            assert answer_of(await agent.run(task="hello")).content == "Hello."
            said = next(service.said(thread) for thread in service.threads if service.said(thread))
            assert said.count(("user", "hello")) == 1


async def test_an_answer_that_is_no_json_is_a_model_error(make: Make, service: ThreadService) -> None:
    service.failures["POST /assistants"] = (200, NOT_JSON)
    with pytest.raises(ModelError):
        await make().run(task="hello")


async def test_a_service_that_is_not_there_is_a_model_error(make: Make, service: ThreadService) -> None:
    agent = make()
    await service.stop()
    with pytest.raises(ModelError) as caught:
        await agent.run(task="hello")
    assert caught.value.is_transient
    assert service.url.removeprefix("http://") in str(caught.value)


async def test_cancelling_a_turn_ends_its_run_at_the_service(make: Make, service: ThreadService) -> None:
    agent, token = make(), CancellationToken()
    service.hold.clear()
    turn = asyncio.create_task(agent.run(task="hello", cancellation_token=token))
    await asyncio.wait_for(service.polled.wait(), 20)
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    assert [run["status"] for run in service.runs] == ["cancelled"]
    service.hold.set()
    service.script = [says("Hello.")]
    assert answer_of(await agent.run(task="hello")).content == "Hello."
    assert [service.said(thread) for thread in service.threads] == [[("user", "hello"), ("assistant", "Hello.")]]


async def test_a_turn_that_is_cancelled_in_a_tool_leaves_a_thread_that_takes_the_next_message(
    make: Make, service: ThreadService
) -> None:
    token, begun = CancellationToken(), asyncio.Event()

    async def wait() -> str:
        """Wait."""
        begun.set()
        return await asyncio.Future[str]()

    agent = make(tools=[wait])
    service.script = [NEVER]
    turn = asyncio.create_task(agent.run(task="wait", cancellation_token=token))
    await asyncio.wait_for(begun.wait(), 20)
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    service.script = [says("Fine.")]
    assert answer_of(await agent.run(task="go on")).content == "Fine."
    ((_, first), (_, results), (_, again), (_, last)) = next(map(service.said, service.threads))
    assert (first, again, last) == ("wait", "go on", "Fine.")
    assert "cancelled before it ended" in results
    assert [run["status"] for run in service.runs] == ["cancelled", "completed"]


async def test_results_that_are_too_long_for_the_service_are_cut(make: Make, service: ThreadService) -> None:
    def dump() -> str:
        """Print a lot."""
        return "x" * 1_000_000

    service.script = [calls(("call_1", "dump", {}), ("call_2", "dump", {})), says("Too much.")]
    await make(tools=[dump]).run(task="dump")
    (output, _) = next(body for path, body in service.bodies if path.endswith("submit_tool_outputs"))["tool_outputs"]
    assert len(output["output"]) < 101_000
    assert "[… 900,000 characters left out …]" in output["output"]


async def test_results_for_a_run_that_has_expired_meanwhile_are_posted(make: Make, service: ThreadService) -> None:
    def slow() -> str:
        """Take more than ten minutes."""
        service.runs[-1].update({"status": "expired", "required_action": None})
        return "done"

    service.script = [calls(("call_1", "slow", {})), says("Late, but done.")]
    assert answer_of(await make(tools=[slow]).run(task="work")).content == "Late, but done."
    said = next(map(service.said, service.threads))
    assert ("user", "The results of your calls:\nslow: done") in said


async def test_a_cancelled_run_in_an_unknown_state_is_an_error_that_says_what_to_do(
    make: Make, service: ThreadService
) -> None:
    def slow() -> str:
        """Take so long that the run waits for another call."""
        service.runs[-1].update(calls(("call_2", "slow", {})))
        return "done"

    service.cancelled = "meditating"
    service.script = [calls(("call_1", "slow", {}))]
    async with asyncio.timeout(20):
        with pytest.raises(ModelError, match=r"unknown state 'meditating'\. Update Symposia, or take a new thread"):
            await make(tools=[slow]).run(task="work")


async def test_a_saved_agent_goes_on_in_its_thread(make: Make, service: ThreadService) -> None:
    first, second = make(tools=["code_interpreter"]), make(tools=["code_interpreter"])
    service.script = [says("One.")]
    await first.run(task="1")
    saved = json.loads(json.dumps(await first.save_state()))
    await second.load_state(saved)
    assert await second.save_state() == saved
    service.script = [says("Two.")]
    await second.run(task="2")
    assert [service.said(thread) for thread in service.threads] == [
        [("user", "1"), ("assistant", "One."), ("user", "2"), ("assistant", "Two.")]
    ]
    assert len([each for each in service.requests if each == "POST /assistants"]) == 1


async def test_changes_of_the_state_add_up_to_the_state(make: Make, service: ThreadService) -> None:
    agent, state, mark = make(), None, None
    for task in ("1", "2"):
        service.script = [says("Yes.")]
        await agent.run(task=task)
        change, mark = await agent.save_changes(mark)
        assert change is not None
        state = apply(state, change)
        assert state == await agent.save_state()


async def test_a_state_of_autogen_goes_on_in_its_thread(make: Make, service: ThreadService) -> None:
    run = {"id": "run_old", "status": "requires_action"}  # of a program that has crashed
    service.keep_thread("thread_old", ["before"], "asst_old", run)
    agent = make(tools=[])
    field = agent.assistant_id_field
    await agent.load_state(
        {
            "type": "AnyState",
            field: "asst_old",
            "thread_id": "thread_old",
            "initial_message_ids": ["0"],
            "vector_store_id": None,
            "uploaded_file_ids": [],
        }
    )
    service.script = [says("Go on.")]
    await agent.run(task="after")
    assert service.said("thread_old") == [("user", "before"), ("user", "after"), ("assistant", "Go on.")]
    assert service.body_of("/threads/thread_old/runs")["assistant_id"] == "asst_old"
    await agent.on_reset(CancellationToken())
    assert service.said("thread_old") == [("user", "before")]
    with pytest.raises(InvalidArgumentError):
        await agent.load_state({field: 7, "thread_id": "thread_old"})
    with pytest.raises(ArgumentTypeError):
        await agent.load_state("no state")  # pyright: ignore[reportArgumentType]


async def test_reset_deletes_a_thread_of_its_own(make: Make, service: ThreadService) -> None:
    agent = make()
    await agent.on_reset(CancellationToken())  # nothing is there yet
    service.script = [says("Hello.")]
    await agent.run(task="hello")
    (old,) = service.threads
    await agent.on_reset(CancellationToken())
    service.script = [says("Again.")]
    await agent.run(task="hello")
    (new,) = service.threads
    assert new != old


async def test_a_thread_that_is_given_is_continued_and_its_messages_are_kept(
    make: Make, service: ThreadService
) -> None:
    service.keep_thread("given", ["old"] * 230, "asst_given")  # three pages
    agent = make(thread_id="given", assistant_id="asst_given")
    service.script = [says("Hello.")]
    assert answer_of(await agent.run(task="old")).content == "Hello."
    assert len(service.said("given")) == 232
    await agent.on_reset(CancellationToken())
    assert len(service.said("given")) == 230


async def test_files_are_given_to_the_tools_at_the_service(make: Make, service: ThreadService, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("a,b\n")
    agent: Any = make(tools=["code_interpreter", "file_search"])
    token = CancellationToken()
    await agent.on_upload_for_code_interpreter(str(tmp_path / "data.csv"), token)
    await agent.on_upload_for_file_search([str(tmp_path / "data.csv")], token)
    service.script = [says("Read.")]
    await agent.run(task="read")
    resources = service.body_of("/threads")["tool_resources"]
    assert list(resources) == ["code_interpreter", "file_search"]
    await agent.on_upload_for_code_interpreter(str(tmp_path / "data.csv"), token)
    (thread,) = service.threads
    assert len(service.body_of(f"/threads/{thread}")["tool_resources"]["code_interpreter"]["file_ids"]) == 2
    assert b"a,b" in service.contents["file_1"]
    saved = await agent.save_state()
    assert (len(saved["uploaded_file_ids"]), len(saved["code_file_ids"])) == (3, 2)
    await agent.delete_files(token)
    await agent.delete_store(token)
    await agent.delete_hosted_assistant(token)
    assert len([each for each in service.requests if each.startswith("DELETE")]) == 5
    plain: Any = make()
    with pytest.raises(InvalidArgumentError, match="has no 'code_interpreter'"):
        await plain.on_upload_for_code_interpreter("data.csv", token)
    with pytest.raises(FileNotFoundError):
        await agent.on_upload_for_code_interpreter(str(tmp_path / "none"), token)


async def test_a_journal_replays_uploads_and_deletions(make: Make, service: ThreadService, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("a,b\n")
    token = CancellationToken()

    async def work(journal: Journal) -> Any:
        agent: Any = make(tools=["code_interpreter", "file_search"])
        with handle_effects(journal):
            await agent.on_upload_for_code_interpreter(str(tmp_path / "data.csv"), token)
            await agent.on_upload_for_file_search(str(tmp_path / "data.csv"), token)
            service.script = [says("Read.")]
            await agent.run(task="read")
            state = await agent.save_state()
            await agent.on_reset(token)
            await agent.delete_files(token)
            await agent.delete_store(token)
            await agent.delete_hosted_assistant(token)
        return state["uploaded_file_ids"], state["code_file_ids"], state["vector_store_id"]

    journal = Journal()
    files = await work(journal)
    requests = len(service.requests)
    assert await work(Journal(journal.records)) == files
    assert len(service.requests) == requests


async def test_a_file_that_the_service_cannot_read_is_an_error(
    make: Make, service: ThreadService, tmp_path: Path
) -> None:
    (tmp_path / "data.csv").write_text("a,b\n")
    service.failures["GET /files/file_1"] = (200, {"id": "file_1", "status": "error"})
    agent: Any = make(tools=["code_interpreter"])
    with pytest.raises(ModelError, match=r"could not process data\.csv: its state is 'error'"):
        await agent.on_upload_for_code_interpreter(str(tmp_path / "data.csv"), CancellationToken())


async def test_a_journal_replays_a_turn_and_goes_on_in_the_thread(make: Make, service: ThreadService) -> None:
    service.script = [ADD, says("It is 3.")]
    journal = Journal(crash_at=2)  # when the run waits for the result of the call
    with handle_effects(journal), pytest.raises(Crash):
        await make(tools=[add]).run(task="What is 1 + 2?")
    requests = len(service.requests)
    with handle_effects(Journal(journal.records)):
        result = await make(tools=[add]).run(task="What is 1 + 2?")
    assert answer_of(result).content == "It is 3."
    assert "POST /threads" not in service.requests[requests:]
    assert len(service.threads) == 1


async def test_wrong_arguments_are_refused_at_once(make: Make) -> None:
    with pytest.raises(InvalidArgumentError, match="'teleport' of agent 'helper' is no tool"):
        make(tools=["teleport"])
    for kind in (OpenAIAssistantAgent, AzureAIAgent):
        with pytest.raises(ArgumentTypeError, match="has to be an A"):
            kind("helper", "Helps.", object(), "gpt-4o", "Be brief.")  # pyright: ignore[reportArgumentType]
        with pytest.raises(InvalidArgumentError, match="is '': give the name of a model"):
            kind("helper", "Helps.", object(), "", "Be brief.")  # pyright: ignore[reportArgumentType]
