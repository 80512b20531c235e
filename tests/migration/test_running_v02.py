"""Programs for AutoGen 0.2 that are rewritten to 0.4 hold the conversation that they held there.

Who speaks, how often the models are asked and what the programs print was observed with AutoGen 0.2.40, with the
same answers of the model.
"""

import asyncio
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.migration.programs import (
    ASKING,
    BY_CALLS,
    CODING,
    FORBIDDEN,
    IN_TURNS,
    SELECTED,
    SILENT_IN_TURNS,
    STREAMED,
    TOOLS,
    TRANSITIONS,
    TWO_MODELS,
)
from tests.seeds.session import WARNINGS
from tests.seeds.sessions import chosen, said

from symposia.migration import FindingKind, MigrationTarget, migrate_text
from symposia.testing.model_server import MockModelServer, Reply, ToolCall

CODE = "```python\nprint(6*7)\n```"
CALLS = Reply(
    tool_calls=(
        ToolCall(id="1", name="add", arguments='{"a": 2, "b": 2}'),
        ToolCall(id="2", name="mul", arguments='{"a": 2, "b": 3}'),
    )
)
LIMITED = [chosen("b"), *said("b1", "c1", "a1"), chosen("c"), *said("c2", "a2")]
FEW_ANSWERS = CODING.replace("llm_config", "max_consecutive_auto_reply=2, llm_config")
FEW_RUNS = CODING.replace("    human_input", "    max_consecutive_auto_reply=1,\n    human_input")


@pytest.mark.parametrize(
    ("program", "answers", "asked", "speakers", "last"),
    [
        (CODING, said(CODE, "hm", "DONE"), 3, "user assistant user_proxy assistant user_proxy assistant", "DONE"),
        (FEW_ANSWERS, said(CODE, CODE, CODE), 2, "user assistant user_proxy assistant user_proxy", ""),
        (FEW_RUNS, said(CODE, CODE, CODE), 2, "user assistant user_proxy assistant", "```"),
        (ASKING, said("1", "2", "3", "4"), 3, "", "3"),
        (ASKING, said("1", "TERMINATE"), 2, "", ""),
        (TOOLS, [CALLS, *said("4. TERMINATE")], 2, "user bot bot bot", "said: 4. "),
        (TWO_MODELS, said("j1", "j2", "j3", "j4"), 3, "joe cathy joe cathy", "j3"),
        (TWO_MODELS, said("Good bye", "j2"), 1, "joe cathy", "Good bye"),
        (IN_TURNS, said(CODE, "b1", "a2", "b2"), 3, "user a b user a", "a2"),
        (
            SELECTED,
            [chosen("a"), *said(CODE), chosen("user"), chosen("b"), *said("TERMINATE")],
            5,
            "user a user b",
            "TERMINATE",
        ),
        (BY_CALLS, [CALLS, *said("4. TERMINATE")], 2, "user bot bot bot", "4. TERMINATE"),
        (STREAMED, said("1", "2", "3", "4"), 3, "", "3"),
        (SILENT_IN_TURNS, said("a1", "b1", "a2", "b2"), 3, "user a b a", "a2"),
        (TRANSITIONS, LIMITED, 6, "a b c a c", "c2"),
        (FORBIDDEN, LIMITED, 6, "a b c a c", "c2"),
    ],
    ids=[
        *("code", "answers", "runs", "silent", "word", "tools", "turns", "condition", "round robin", "selector"),
        *("tools by calls", "stream", "silent in turns", "allowed transitions", "disallowed transitions"),
    ],
)
async def test_it_holds_the_same_conversation(
    program: str, answers: Sequence[Reply], asked: int, speakers: str, last: str, tmp_path: Path
) -> None:
    migrated = await asyncio.to_thread(migrate_text, program)
    assert {note.kind for note in migrated.notes} <= {FindingKind.NOTE}
    assert "autogen" not in migrated.text
    printed, requests = await ran(migrated.text, answers, tmp_path)
    assert requests == asked
    assert " ".join(re.findall(r"^-{10} \w+ \((\w+)\) -{10}$", printed, re.MULTILINE)) == speakers
    assert printed.rstrip("\n").split("\n")[-1] == last or not last


@pytest.mark.parametrize(
    ("program", "answers"),
    [(CODING, said(CODE, "hm", "DONE")), (TOOLS, [CALLS, *said("4. TERMINATE")]), (IN_TURNS, said(CODE, "b1", "a2"))],
    ids=["code", "tools", "group"],
)
async def test_with_new_names_alone_it_prints_what_it_printed(
    program: str, answers: Sequence[Reply], tmp_path: Path
) -> None:
    migrated = await asyncio.to_thread(migrate_text, program, MigrationTarget.NAMES)
    before, asked_before = await ran(program, answers, tmp_path, "-m", "symposia.autogen")
    after, asked_after = await ran(migrated.text, answers, tmp_path)
    assert (after, asked_after) == (before, asked_before)
    assert not re.search(r"(from|import) autogen", migrated.text)


async def ran(program: str, answers: Sequence[Reply], folder: Path, *options: str) -> tuple[str, int]:
    """What a program prints, and how often it asks a model."""
    (folder / "program.py").write_text(program)
    async with MockModelServer() as server:
        server.script(*answers)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *WARNINGS, "-W", "ignore:'gpt-4' is", *options, "program.py"),
            cwd=folder,
            env={**os.environ, "OPENAI_API_KEY": "test", "OPENAI_BASE_URL": server.openai_url},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(90):
            output, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()
        return output.decode(), len(server.requests)
