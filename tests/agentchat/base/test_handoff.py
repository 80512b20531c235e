import pytest
from pydantic import ValidationError

from symposia.agentchat.base import Handoff
from symposia.core import CancellationToken


def test_a_handoff_is_described_by_its_target_unless_told_otherwise() -> None:
    assert Handoff(target="Bob") == Handoff(
        target="Bob",
        name="transfer_to_bob",
        description="Handoff to Bob.",
        message="Transferred to Bob, adopting the role of Bob immediately.",
    )
    assert Handoff(target="Bob", message="Over to you.").message == "Over to you."


async def test_the_tool_of_a_handoff_takes_nothing_and_answers_its_message() -> None:
    tool = Handoff(target="bob", message="Over to you.").handoff_tool

    assert tool.name == "transfer_to_bob"
    assert tool.schema.get("strict") is True
    assert tool.schema.get("parameters", {}).get("properties") == {}
    assert await tool.run_json({}, CancellationToken()) == "Over to you."


@pytest.mark.parametrize("fields", [{"target": "a b"}, {"target": "bob", "name": "1 x"}])
def test_a_handoff_needs_a_name_that_a_model_can_call(fields: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="must be a valid identifier"):
        Handoff.model_validate(fields)


@pytest.mark.parametrize("given", [{}, {"target": 3}, "bob"])
def test_a_handoff_needs_a_target(given: object) -> None:
    with pytest.raises(ValidationError):
        Handoff.model_validate(given)
