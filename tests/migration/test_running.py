"""Migrated programs of the seeds run without the import hook, and print what they printed before."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.seeds.session import Session, run, run_text
from tests.seeds.sessions import SESSIONS

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
