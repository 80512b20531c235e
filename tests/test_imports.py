"""What importing an agent and a team leaves out, since most programs that do it never need the rest."""

from collections.abc import Set as AbstractSet

import pytest
from tests.support.interpreter import printed

PROGRAM = """
import sys
from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.teams import RoundRobinGroupChat
print(*sys.modules)
"""
HEAVY = ["PIL", "anthropic", "docker", "google.protobuf", "httpx", "openai", "opentelemetry", "rich", "tiktoken"]
SIGN_OF_A_BUILT_MODEL = "pydantic.plugin._loader"


@pytest.fixture(scope="module")
def imported() -> AbstractSet[str]:
    return set(printed(PROGRAM).split())


@pytest.mark.parametrize("module", HEAVY)
def test_an_agent_and_a_team_are_imported_without(module: str, imported: AbstractSet[str]) -> None:
    assert module not in imported


def test_no_pydantic_model_is_built_by_an_import(imported: AbstractSet[str]) -> None:
    """A model that is costs a millisecond and more, the first one 15: give it ``defer_build=True``."""
    assert SIGN_OF_A_BUILT_MODEL not in imported
