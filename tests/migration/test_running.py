"""Migrated programs of the seeds run without the import hook: they print what they printed before, or say the same."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.seeds.session import Session, run, run_text
from tests.seeds.sessions import SESSIONS
from tests.support.sandboxes import require

from symposia.ext.code_executors.docker import DockerBackend
from symposia.migration import migrate_text
from symposia.testing.model_server import MockModelServer

CHOSEN = (
    "an assistant uses its tools",
    "support is triaged by handoffs",
    "a version 0.4 program replaces one of 0.2",
    "an agent of the core answers",
    "a writer and an editor take turns",
)
RUN: Mapping[str, Session] = {name: SESSIONS[name] for name in CHOSEN}


@pytest.mark.parametrize("session", RUN.values(), ids=RUN)
async def test_a_migrated_program_prints_what_it_printed_before(session: Session, tmp_path: Path) -> None:
    text = (await asyncio.to_thread(migrate_text, session.text)).text
    async with MockModelServer() as server:
        before = await run(session, server, tmp_path)
    async with MockModelServer() as server:
        after = await run_text(text, session, server, tmp_path)
    assert after.output == before.output.replace("autogen_", "symposia.")
    assert after.status == before.status == 0, after.errors


SPOKEN = re.compile(r"^-{10} \w+ \((\w+)\) -{10}$", re.MULTILINE)
TWO = "user DataAnalystAgent ExecutorAgent DataAnalystAgent"


@pytest.fixture
def session(request: pytest.FixtureRequest) -> Session:
    session = SESSIONS[request.param]
    if session.needs_docker:
        require(DockerBackend())
    return session


@pytest.mark.parametrize(
    ("session", "speakers", "output"),
    [
        ("two agents of version 0.2 write and run code", TWO, "\nWidget A 8"),
        (
            "a model selects who speaks in a group of version 0.2",
            f"{TWO} user DataAnalystAgent ReviewerAgent ExecutorAgent DataAnalystAgent",
            "\nWidget A 8",
        ),
        ("the version 0.2 program that it replaces", "user assistant user_proxy assistant", "\nsum: 5050 True\n"),
    ],
    ids=["two agents", "a group", "in Docker"],
    indirect=["session"],
)
async def test_a_program_for_02_asks_as_often_and_has_the_same_agents_speak(
    session: Session, speakers: str, output: str, tmp_path: Path
) -> None:
    text = (await asyncio.to_thread(migrate_text, session.text)).text
    async with MockModelServer() as server:
        ended = await run_text(text, session, server, tmp_path)
    assert ended.status == 0, ended.errors
    assert " ".join(SPOKEN.findall(ended.output)) == speakers
    assert output in ended.output
    assert len(server.requests) == len(session.answers)
