"""The optimizer of AutoGen 0.2, which writes functions for agents."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.v02_agents import Recorder, speaker

from symposia.core.exceptions import InvalidArgumentError
from symposia.ext.code_executors import docker
from symposia.testing.model_server import MockModelServer, Reply, ToolCall
from symposia.v02.agentchat.contrib.agent_optimizer import AgentOptimizer, execute_func
from symposia.v02.io import IOStream

assert docker, "its first import reads files, which must not be in an event loop"

NUMBER = json.dumps({"x": {"type": "number", "description": "A number."}})
CODE = "def double(x):\n    return 2 * x"
HISTORY = [{"role": "user", "content": "Double 4."}, {"role": "assistant", "content": "It is 9."}]
DONE = Reply(text="TERMINATE")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MockModelServer]:
    monkeypatch.chdir(tmp_path)
    with MockModelServer() as server:
        yield server


def config(server: MockModelServer) -> dict[str, Any]:
    entry = {"model": "gpt-4o", "api_key": "test", "base_url": server.openai_url}
    return {"config_list": [entry], "cache_seed": None}


def optimizer(server: MockModelServer, most: int = 1) -> AgentOptimizer:
    return AgentOptimizer(most, config(server), optimizer_model="gpt-4o")


def call(tool: str, name: str = "double", **changes: str) -> Reply:
    written = {"description": "Doubles.", "arguments": NUMBER, "packages": "", "code": CODE}
    arguments = {"name": name} if tool == "remove_function" else {"name": name, **written, **changes}
    return Reply(tool_calls=(ToolCall(id="call_1", name=tool, arguments=json.dumps(arguments)),))


def test_a_step_adds_a_function_for_both_agents(server: MockModelServer) -> None:
    made = optimizer(server)
    made.record_one_conversation(HISTORY, is_satisfied=False)
    server.script(call("add_function"))
    signatures, functions = made.step()
    parameters = {"type": "object", "properties": json.loads(NUMBER)}
    double = {"name": "double", "description": "Doubles.", "parameters": parameters}
    assert signatures == [{"func_sig": double, "is_remove": False}]
    asking, executing = speaker("asking", llm_config=config(server)), speaker("executing")
    for signature in signatures:
        asking.update_function_signature(**signature)
    executing.register_function(functions)
    assert isinstance(asking.llm_config, dict)
    assert [each["name"] for each in asking.llm_config["functions"]] == ["double"]
    assert executing.can_execute_function("double")
    prompt = server.last_body["messages"][-1]["content"]
    assert "It is 9." in prompt
    assert "0.00" in prompt


@pytest.mark.filterwarnings("ignore:use_docker is False:UserWarning")
def test_a_function_runs_where_code_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGEN_USE_DOCKER", "0")
    assert execute_func("double", "", CODE, x=4).strip() == "8"


def test_functions_are_revised_and_removed(server: MockModelServer) -> None:
    made = optimizer(server, 2)
    made.record_one_conversation(HISTORY, is_satisfied=False)
    server.script(call("add_function"), call("add_function", "triple", code="def triple(x):\n    return 3 * x"))
    made.step()
    made.record_one_conversation(HISTORY, is_satisfied=True)
    server.script(call("revise_function", description="Doubles well."), call("remove_function", "triple"))
    signatures, functions = made.step()
    assert [(each["func_sig"]["name"], each["is_remove"]) for each in signatures] == [
        ("triple", True),
        ("double", False),
    ]
    assert signatures[1]["func_sig"]["description"] == "Doubles well."
    assert (functions["triple"], callable(functions["double"])) == (None, True)


def test_functions_with_which_conversations_are_worse_are_taken_back(server: MockModelServer) -> None:
    made = optimizer(server)
    made.record_one_conversation(HISTORY, is_satisfied=True)
    server.script(call("add_function"))
    made.step()
    made.record_one_conversation(HISTORY, is_satisfied=False)
    server.script(DONE)
    assert made.step() == ([{"func_sig": {"name": "double"}, "is_remove": True}], {"double": None})
    assert "Doubles." in server.last_body["messages"][-1]["content"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (call("revise_function"), "There is no function double. The functions are: none."),
        (call("add_function", code="def double(x): return return"), "invalid syntax"),
        (call("add_function", code="def other(x): ..."), "defines no function double"),
        (call("add_function", arguments="[]"), "`arguments` is no JSON object"),
        (Reply(tool_calls=(ToolCall(id="c", name="add_function", arguments="[]"),)), "no JSON object with a name"),
        (Reply(tool_calls=(ToolCall(id="c", name="add_function", arguments='{"name": "f"}'),)), "lack description"),
    ],
    ids=["unknown", "syntax", "other-name", "arguments", "list", "missing"],
)
def test_a_change_that_cannot_be_made_is_told_to_the_model(server: MockModelServer, wrong: Reply, said: str) -> None:
    made = optimizer(server)
    made.record_one_conversation(HISTORY, is_satisfied=False)
    server.script(wrong, call("add_function"))
    signatures, _ = made.step()
    assert len(signatures) == 1
    assert said in server.last_body["messages"][-1]["content"]


def test_a_step_ends_after_three_wrong_changes(server: MockModelServer) -> None:
    made = optimizer(server)
    made.record_one_conversation(HISTORY, is_satisfied=False)
    server.script(*[call("remove_function")] * 3)
    assert made.step() == ([], {})
    assert len(server.requests) == 3


def test_a_person_says_whether_a_task_was_done(server: MockModelServer) -> None:
    made = optimizer(server)
    with IOStream.set_default(Recorder("1", "maybe")):
        made.record_one_conversation(HISTORY)
        with pytest.raises(ValueError, match="1 or 0, and not 'maybe'"):
            made.record_one_conversation(HISTORY)
    server.script(DONE)
    made.step()
    assert "1.00" in server.last_body["messages"][-1]["content"]


def test_a_step_needs_conversations_and_a_model(server: MockModelServer) -> None:
    made = optimizer(server)
    made.record_one_conversation(HISTORY, is_satisfied=False)
    made.reset_optimizer()
    with pytest.raises(InvalidArgumentError, match="no conversations"):
        made.step()
    with pytest.raises(InvalidArgumentError, match=r"Give optimizer_model=.*gpt-4o\."):
        AgentOptimizer(1, config(server))
