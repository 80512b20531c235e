"""Agents of AutoGen 0.2 whose replies come from OpenAI's Assistants API: the real SDK against a scripted service."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.journal import Journal
from tests.support.thread_service import ThreadService, calls, says
from tests.support.v02_agents import Recorder, speaker, texts

from symposia.core.effects import handle_effects
from symposia.core.exceptions import InvalidArgumentError, ModelError
from symposia.testing.model_server._http import HttpRequest, HttpResponse, HttpServer
from symposia.testing.model_server._loop_thread import LoopThread
from symposia.testing.model_server._threads import text_part
from symposia.v02 import AssistantAgent, ConversableAgent, GroupChat, GroupChatManager, register_function
from symposia.v02.agentchat.contrib.gpt_assistant_agent import GPTAssistantAgent
from symposia.v02.io import IOStream
from symposia.v02.oai.openai_utils import (
    create_gpt_assistant,
    create_gpt_vector_store,
    detect_gpt_assistant_api_version,
    retrieve_assistants_by_name,
    update_gpt_assistant,
)

ADD = calls(("call_1", "add", {"a": 1, "b": 2}))
INTERPRETER = {"type": "code_interpreter"}


def function(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": "", "parameters": {"type": "object"}}}


def add(a: int, b: int) -> int:
    return a + b


@pytest.fixture
def service() -> Iterator[ThreadService]:
    with ThreadService(keep_alive=False) as service:
        yield service


def config(service: ThreadService, **more: object) -> dict[str, Any]:
    entry = {"model": "gpt-4o", "api_key": "test", "base_url": f"{service.url}/v1", "max_retries": 0}
    return {"config_list": [entry], "cache_seed": None, "check_every_ms": 1, **more}


def assistant(
    service: ThreadService, instructions: str | None = "Be brief.", name: str = "bot", **options: Any
) -> GPTAssistantAgent:
    return GPTAssistantAgent(name, instructions, config(service), **options)


def said(agent: GPTAssistantAgent, service: ThreadService, other: ConversableAgent) -> list[tuple[str, str]]:
    identity = agent.oai_threads[other].id
    assert identity is not None
    return service.said(identity)


def test_the_assistant_is_made_with_the_agent(service: ThreadService) -> None:
    agent = assistant(service, assistant_config={"tools": [INTERPRETER], "file_ids": ["file_1"]})
    assert service.body_of("/assistants") == {
        "name": "bot",
        "model": "gpt-4o",
        "instructions": "Be brief.",
        "tools": [INTERPRETER],
        "tool_resources": {"code_interpreter": {"file_ids": ["file_1"]}},
    }
    assert agent.assistant_id in service.assistants
    assert agent.openai_assistant.name == "bot"
    assert (agent.system_message, agent.description) == ("Be brief.", "Be brief.")
    assert agent.get_assistant_instructions() == "Be brief."
    assert agent.openai_client.base_url.host == "127.0.0.1"


def test_an_assistant_without_instructions_is_made_with_those_of_an_assistant_agent(service: ThreadService) -> None:
    assert assistant(service, None).system_message == AssistantAgent.DEFAULT_SYSTEM_MESSAGE


def test_files_for_a_search_are_put_into_a_vector_store(service: ThreadService) -> None:
    assistant(service, assistant_config={"tools": [{"type": "retrieval"}], "file_ids": ["file_1"]})
    store = service.body_of("/vector_stores")
    made = service.body_of("/assistants")
    assert store["file_ids"] == ["file_1"]
    assert made["tools"] == [{"type": "file_search"}]
    assert list(made["tool_resources"]) == ["file_search"]


def test_an_assistant_of_the_same_name_instructions_and_tools_is_taken(service: ThreadService) -> None:
    tools = {"tools": [INTERPRETER, function("add")]}
    first = assistant(service, assistant_config=tools)
    assert assistant(service, assistant_config=tools).assistant_id == first.assistant_id
    assert assistant(service, None, assistant_config=tools).assistant_id == first.assistant_id
    others = [
        assistant(service, "Be long.", assistant_config=tools),
        assistant(service, assistant_config={"tools": [INTERPRETER, function("subtract")]}),
        assistant(service),
        assistant(service, name="other", assistant_config=tools),
    ]
    assert len({first.assistant_id, *(each.assistant_id for each in others)}) == 5


def test_a_given_assistant_keeps_its_instructions_and_tools_unless_they_are_overwritten(
    service: ThreadService,
) -> None:
    given = {"assistant_id": assistant(service, "Old.").assistant_id, "tools": [INTERPRETER]}
    kept = assistant(service, "New.", assistant_config=given)
    assert (kept.system_message, kept.openai_assistant.tools) == ("Old.", [])
    new = assistant(service, "New.", assistant_config=given, overwrite_instructions=True, overwrite_tools=True)
    assert new.assistant_id == kept.assistant_id
    assert (new.system_message, [tool.type for tool in new.openai_assistant.tools]) == ("New.", ["code_interpreter"])


def test_a_chat_goes_on_in_its_thread(service: ThreadService) -> None:
    agent, user = assistant(service), speaker("user")
    service.script = [says("Hello.", "And welcome."), says("Again.")]
    result = user.initiate_chat(agent, message="hi", max_turns=1, silent=True)
    assert texts(result.chat_history) == ["hi", "Hello.\nAnd welcome.\n"]
    user.initiate_chat(agent, message="more", max_turns=1, silent=True, clear_history=False)
    assert said(agent, service, user) == [
        ("user", "hi"),
        ("assistant", "Hello."),
        ("assistant", "And welcome."),
        ("user", "more"),
        ("assistant", "Again."),
    ]


def test_the_instructions_of_a_run_are_the_system_message(service: ThreadService) -> None:
    agent, user = assistant(service), speaker("user")
    agent.update_system_message("Be rude.")
    service.script = [says("No.")]
    user.initiate_chat(agent, message="hi", max_turns=1, silent=True)
    [run] = [body for path, body in service.bodies if path.endswith("/runs")]
    assert run == {"assistant_id": agent.assistant_id, "instructions": "Be rude."}


def test_a_cleared_history_deletes_the_thread(service: ThreadService) -> None:
    agent, user, other = assistant(service), speaker("user"), speaker("other")
    service.script = [says("1"), says("2"), says("3")]
    user.initiate_chat(agent, message="hi", max_turns=1, silent=True)
    other.initiate_chat(agent, message="hi", max_turns=1, silent=True)
    user.initiate_chat(agent, message="hi", max_turns=1, silent=True)
    assert len(service.threads) == 2
    assert said(agent, service, user) == [("user", "hi"), ("assistant", "3")]
    agent.reset()
    assert (service.threads, agent.oai_threads) == ({}, {})


def test_a_group_chat_posts_what_others_said_since_the_last_reply(service: ThreadService) -> None:
    agent, ada, bo = assistant(service), speaker("ada"), speaker("bo")
    service.script = [says("one"), says("two")]
    group = GroupChat([ada, bo, agent], [], max_round=6, speaker_selection_method="round_robin")
    manager = GroupChatManager(group)
    ada.initiate_chat(manager, message="go", silent=True)
    assert said(agent, service, manager) == [
        *[("user", "go"), ("user", "bo"), ("assistant", "one")],
        *[("user", "ada"), ("user", "bo"), ("assistant", "two")],
    ]


def test_functions_are_called_here(service: ThreadService) -> None:
    agent, user = assistant(service, function_map={"add": add}), speaker("user")
    service.script = [calls(("a", "add", {"a": 1, "b": 2}), ("b", "look", {})), says("It is 3.")]
    with IOStream.set_default(recorder := Recorder()):
        result = user.initiate_chat(agent, message="add", max_turns=1, silent=True)
    assert ">>>>>>>> EXECUTING FUNCTION add..." in recorder.printed
    assert result.summary == "It is 3.\n"
    [outputs] = [body for path, body in service.bodies if path.endswith("submit_tool_outputs")]
    assert outputs["tool_outputs"] == [
        {"tool_call_id": "a", "output": "3"},
        {"tool_call_id": "b", "output": "Error: Function look not found."},
    ]
    assert not agent.can_execute_function("add")


def test_an_assistant_is_told_of_a_function_that_is_registered_later(service: ThreadService) -> None:
    tools = [INTERPRETER, function("subtract")]
    agent, user = assistant(service, assistant_config={"tools": tools}), speaker("user")
    register_function(add, caller=agent, executor=agent, description="Adds.")
    service.script = [ADD, says("It is 3.")]
    user.initiate_chat(agent, message="add", max_turns=1, silent=True)
    [run] = [body for path, body in service.bodies if path.endswith("/runs")]
    assert [tool.get("function", {}).get("name") for tool in run["tools"]] == [None, "subtract", "add"]
    [outputs] = [body for path, body in service.bodies if path.endswith("submit_tool_outputs")]
    assert outputs["tool_outputs"][0]["output"] == "3"


async def test_an_asynchronous_chat_awaits_runs_and_functions(service: ThreadService) -> None:
    async def later(a: int, b: int) -> int:
        return a + b

    agent = await asyncio.to_thread(assistant, service, function_map={"add": later})
    user = speaker("user")
    service.script = [ADD, says("It is 3.")]
    result = await user.a_initiate_chat(agent, message="add", max_turns=1, silent=True)
    assert result.summary == "It is 3.\n"


def test_a_coroutine_function_is_awaited_in_a_plain_chat(service: ThreadService) -> None:
    async def later(a: int, b: int) -> int:
        return a + b

    agent, user = assistant(service, function_map={"add": later}), speaker("user")
    service.script = [ADD, says("It is 3.")]
    user.initiate_chat(agent, message="add", max_turns=1, silent=True)
    [outputs] = [body for path, body in service.bodies if path.endswith("submit_tool_outputs")]
    assert outputs["tool_outputs"][0]["output"] == "3"


def test_an_image_of_the_code_interpreter_is_named_by_its_file(service: ThreadService) -> None:
    agent, user = assistant(service), speaker("user")
    service.contents["file_9"] = b"image"
    service.script = [says(content=[{"type": "image_file", "image_file": {"file_id": "file_9"}}, text_part("A plot.")])]
    result = user.initiate_chat(agent, message="plot", max_turns=1, silent=True)
    assert result.summary == "Received file id=file_9\n\nA plot.\n"


def test_a_failed_run_is_an_error_and_the_next_one_goes_on(service: ThreadService) -> None:
    agent, user = assistant(service), speaker("user")
    service.script = [{"status": "failed", "last_error": {"code": "server_error", "message": "broke"}}, says("Now.")]
    with pytest.raises(ModelError, match="server_error: broke"):
        user.initiate_chat(agent, message="hi", max_turns=1, silent=True)
    user.initiate_chat(agent, message="still there?", max_turns=1, silent=True, clear_history=False)
    assert said(agent, service, user) == [("user", "hi"), ("user", "still there?"), ("assistant", "Now.")]


def test_messages_without_a_sender_are_a_conversation_of_their_own(service: ThreadService) -> None:
    agent = assistant(service)
    service.script = [says("one"), says("two")]
    question = {"role": "user", "content": "q"}
    assert agent.generate_reply([question]) == {"role": "assistant", "content": "one\n"}
    agent.generate_reply([question, {"role": "assistant", "content": "w"}, {"role": "user", "content": "z"}])
    [thread] = service.threads
    assert service.said(thread) == [("user", "q"), ("assistant", "w"), ("user", "z"), ("assistant", "two")]


def test_a_journal_answers_for_the_service(service: ThreadService) -> None:
    agent, user, journal = assistant(service, function_map={"add": add}), speaker("user"), Journal()
    service.script = [ADD, says("It is 3.")]
    with handle_effects(journal):
        user.initiate_chat(agent, message="add", max_turns=1, silent=True)
    with handle_effects(Journal(journal.records)):
        result = user.initiate_chat(assistant(service, function_map={"add": add}), message="add", max_turns=1)
    assert result.summary == "It is 3.\n"


def test_a_thread_is_printed(service: ThreadService) -> None:
    agent, user = assistant(service), speaker("user")
    service.script = [says("Hello.")]
    user.initiate_chat(agent, message="hi", max_turns=1, silent=True)
    with IOStream.set_default(recorder := Recorder()):
        agent.pretty_print_thread(agent.oai_threads[user])
    assert recorder.printed == "user: hi\nassistant: Hello.\n"


def test_functions_of_openai_utils_make_and_find_assistants(service: ThreadService) -> None:
    client = assistant(service).openai_client
    store = create_gpt_vector_store(client, "Papers", ["file_1"])
    resources = {"file_search": {"vector_store_ids": [store.id]}}
    config = {"tools": [{"type": "file_search"}], "tool_resources": resources}
    made = create_gpt_assistant(client, "reader", "Read.", "gpt-4o", config)
    assert service.body_of("/assistants")["tool_resources"] == resources
    update_gpt_assistant(client, made.id, {"instructions": "Read well.", "tools": []})
    [found] = retrieve_assistants_by_name(client, "reader")
    assert (found.id, found.instructions, found.tools) == (made.id, "Read well.", [])
    assert detect_gpt_assistant_api_version() == "v2"


def test_an_assistant_is_deleted(service: ThreadService) -> None:
    agent = assistant(service)
    agent.delete_assistant()
    assert service.assistants == {}


@pytest.mark.parametrize("llm_config", [False, None, {}])
def test_an_assistant_needs_a_model(llm_config: Any) -> None:
    with pytest.raises(ValueError, match=r"not supported for GPTAssistantAgent|non-empty 'model'"):
        GPTAssistantAgent(llm_config=llm_config)


def test_other_vendors_have_no_assistants(service: ThreadService) -> None:
    with pytest.raises(InvalidArgumentError, match="at OpenAI or Azure, not at 'groq'"):
        GPTAssistantAgent(llm_config=config(service, api_type="groq"))


def test_a_service_at_azure_is_asked_with_its_key(service: ThreadService) -> None:
    entry = {
        "model": "gpt-4o", "api_key": "test", "base_url": service.url, "api_type": "azure", "api_version": "v"
    }  # fmt: skip
    GPTAssistantAgent(llm_config={"config_list": [entry], "file_ids": ["file_1"], "check_every_ms": 1, "verbose": True})
    assert service.headers[-1]["api-key"] == "test"


@pytest.fixture
def machine_identity(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine of Azure, whose service gives tokens."""

    async def answer(request: HttpRequest, response: HttpResponse) -> None:
        token = {"access_token": "of-the-machine", "expires_on": "4000000000", "token_type": "Bearer"}
        await response.raw(200, json.dumps(token).encode(), {"content-type": "application/json"})

    thread, server = LoopThread(), HttpServer(answer, keep_alive=False)
    thread.run(server.start())
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{server.url}/token")
    monkeypatch.setenv("IDENTITY_HEADER", "secret")
    yield
    thread.run(server.stop())
    thread.stop()


@pytest.mark.usefixtures("machine_identity")
@pytest.mark.parametrize("is_async", [False, True])
def test_a_service_at_azure_is_asked_with_the_credentials_of_the_machine(
    service: ThreadService, is_async: bool
) -> None:
    entry = {
        "model": "gpt-4o", "base_url": service.url, "api_type": "azure", "api_version": "v",
        "azure_ad_token_provider": "DEFAULT",
    }  # fmt: skip
    agent = GPTAssistantAgent(llm_config={"config_list": [entry], "check_every_ms": 1})
    service.script = [says("Yes.")]
    if is_async:
        asyncio.run(speaker("asking").a_initiate_chat(agent, message="Is it?", max_turns=1, silent=True))
    else:
        speaker("asking").initiate_chat(agent, message="Is it?", max_turns=1, silent=True)
    assert {each["authorization"] for each in service.headers} == {"Bearer of-the-machine"}
