"""Criteria for tasks of AutoGen 0.2, and assessments by them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.v02_agents import Recorder

from symposia.core.exceptions import InvalidArgumentError, ModelResponseError
from symposia.testing.model_server import MockModelServer, Reply
from symposia.v02.agentchat.contrib.agent_eval.agent_eval import generate_criteria, quantify_criteria
from symposia.v02.agentchat.contrib.agent_eval.criterion import Criterion
from symposia.v02.agentchat.contrib.agent_eval.critic_agent import CriticAgent
from symposia.v02.agentchat.contrib.agent_eval.task import Task
from symposia.v02.io import IOStream

TASK = Task(name="Sums", description="Add.", successful_response="1 + 1 = 2", failed_response="1 + 1 = 3")
EXACT = Criterion(name="exact", description="Whether the sum is right.", accepted_values=["no", "yes"])
CLEAR = Criterion(name="clear", description="Whether it is easy to read.", accepted_values=[], sub_criteria=[EXACT])


@pytest.fixture
def server() -> Iterator[MockModelServer]:
    with MockModelServer() as server, IOStream.set_default(Recorder()):
        yield server


def config(server: MockModelServer) -> dict[str, Any]:
    return {"model": "gpt-4o", "api_key": "test", "base_url": server.openai_url, "cache_seed": None}


def test_a_critic_suggests_criteria_for_a_task(server: MockModelServer) -> None:
    server.script(Reply(text=Criterion.write_json([EXACT])))
    assert generate_criteria(config(server), TASK, additional_instructions="At most one.") == [EXACT]
    system, task = server.last_body["messages"]
    assert system["content"].endswith("At most one.")
    for text in ("Sums", "Add.", "1 + 1 = 2", "1 + 1 = 3"):
        assert text in task["content"]


def test_criteria_may_stand_in_a_block_of_code(server: MockModelServer) -> None:
    server.script(Reply(text=f"Here:\n```json\n{Criterion.write_json([EXACT])}\n```"))
    assert generate_criteria(config(server), TASK) == [EXACT]


def test_another_agent_divides_the_criteria(server: MockModelServer) -> None:
    server.script(Reply(text=Criterion.write_json([EXACT])), Reply(text=Criterion.write_json([CLEAR])))
    assert generate_criteria(config(server), TASK, max_round=8, use_subcritic=True) == [CLEAR]
    assert "exact" in server.last_body["messages"][-1]["content"]


def test_an_answer_without_criteria_is_an_error_that_shows_it(server: MockModelServer) -> None:
    server.script(Reply(text="I cannot."))
    with pytest.raises(ModelResponseError, match=r"no array of criteria: 'I cannot\.'"):
        generate_criteria(config(server), TASK)


def test_an_answer_is_assessed_by_criteria(server: MockModelServer) -> None:
    server.script(Reply(text='{"exact": "yes"}'))
    result = quantify_criteria(config(server), [EXACT], TASK, test_case="2 + 2 = 4", ground_truth="true")
    assert result == {"actual_success": "true", "estimated_performance": '{"exact": "yes"}'}
    asked = server.last_body["messages"][-1]["content"]
    assert "2 + 2 = 4" in asked
    assert Criterion.write_json([EXACT]) in asked


def test_a_task_and_criteria_are_needed() -> None:
    with pytest.raises(InvalidArgumentError, match="There is no task"):
        generate_criteria(False)
    with pytest.raises(InvalidArgumentError, match="There are no criteria"):
        quantify_criteria(False, task=TASK)
    with pytest.raises(InvalidArgumentError, match="There is no task"):
        quantify_criteria(False, [EXACT])


def test_tasks_and_criteria_are_read_from_json() -> None:
    assert Task.parse_json_str(TASK.model_dump_json()) == TASK
    assert Criterion.parse_json_str(Criterion.write_json([EXACT, CLEAR])) == [EXACT, CLEAR]
    assert Criterion.parse_json_str("[]") == []
    for text in ("", "[]", json.dumps({"name": "a"})):
        with pytest.raises(ValueError, match=r"Task|Expecting"):
            Task.parse_json_str(text)


def test_instructions_of_the_program_replace_those_of_the_class() -> None:
    agent = CriticAgent("judge", system_message="Be kind.", llm_config=False)
    assert (agent.name, agent.system_message, agent.description) == (
        *("judge", "Be kind."),
        CriticAgent.DEFAULT_DESCRIPTION,
    )
