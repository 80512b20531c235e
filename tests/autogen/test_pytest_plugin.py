from pathlib import Path

from tests.support.interpreter import python

SUITE = """\
import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import AgentId
from autogen_ext.models.replay import ReplayChatCompletionClient


@pytest.mark.asyncio
async def test_a_team():
    agent = AssistantAgent("a", ReplayChatCompletionClient(["hello", "there"]))
    result = await RoundRobinGroupChat([agent], max_turns=2).run(task="hi")
    assert [m.content for m in result.messages] == ["hi", "hello", "there"]


def test_one_identity():
    from symposia.core import AgentId as ours
    assert AgentId is ours
"""


def pytest_in(folder: Path, *arguments: str) -> str:
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    done = python("-m", "pytest", "-q", *arguments, folder=folder)
    return done.stdout + done.stderr


def test_an_unmodified_suite_runs(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(SUITE)
    assert "2 passed" in pytest_in(tmp_path, "-W", "error", "-p", "symposia.autogen")


def test_a_conftest_may_import_autogen_already(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text("import autogen_core")
    (tmp_path / "test_theirs.py").write_text(SUITE)
    assert "2 passed" in pytest_in(tmp_path, "-W", "error", "-p", "symposia.autogen")


def test_pytest_may_be_started_by_the_hook_instead(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(SUITE)
    done = python("-m", "symposia.autogen", "-m", "pytest", "-q", "-p", "no:cacheprovider", folder=tmp_path)
    assert "2 passed" in done.stdout


def test_without_the_plugin_the_suite_does_not_even_import(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(SUITE)
    assert "No module named 'autogen_agentchat'" in pytest_in(tmp_path)
