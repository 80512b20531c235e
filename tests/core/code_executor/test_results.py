import hashlib
from dataclasses import replace

import pytest

from symposia.core.code_executor import (
    Artifact,
    BlockResult,
    CodeBlock,
    CommandLineCodeResult,
    RunStatus,
    SandboxPolicy,
)


def artifact(path: str, kind: str, data: bytes) -> Artifact:
    return Artifact(path=path, kind=kind, size=len(data), sha256=hashlib.sha256(data).hexdigest(), data=data)


def block(*artifacts: Artifact) -> BlockResult:
    code = CodeBlock(code="pass", language="python")
    return BlockResult(block=code, code_file=None, status="ok", exit_code=0, output="", artifacts=artifacts)


def test_a_file_changed_by_two_blocks_comes_back_as_the_last_one_left_it() -> None:
    first, second = artifact("a.txt", "text/plain", b"1"), artifact("a.txt", "text/plain", b"2")
    result = CommandLineCodeResult(exit_code=0, output="", blocks=[block(first), block(second)])
    assert result.artifacts == [second]


def test_f44_images_are_the_artifacts_that_are_images() -> None:
    text, image = artifact("a.txt", "text/plain", b"1"), artifact("a.png", "image/png", b"2")
    result = CommandLineCodeResult(exit_code=0, output="", blocks=[block(text, image)])
    assert result.images == [image]


def test_a_result_is_made_as_autogen_makes_it() -> None:
    result = CommandLineCodeResult(exit_code=1, output="no", code_file="/work/x.py")
    assert (result.exit_code, result.output, result.code_file, result.artifacts) == (1, "no", "/work/x.py", [])


@pytest.mark.parametrize(
    ("status", "limit"),
    [
        ("timeout", "the time limit of 7 s"),
        ("out_of_memory", "the memory limit of 512 MiB"),
        ("disk_full", "the disk limit of 64 MiB (or 4,096 files)"),
        ("output_limit", "the output limit of 16 MiB"),
        ("ok", ""),
        ("error", ""),
        ("crashed", ""),
    ],
)
def test_n04_a_policy_names_the_limit_that_ended_a_block(status: RunStatus, limit: str) -> None:
    assert SandboxPolicy(time_limit=7).limit_met(status) == limit


@pytest.mark.parametrize(
    ("status", "ended_by", "ending"),
    [
        ("ok", "", "exit status 137"),
        ("timeout", "the time limit of 7 s", "exit status 137: ended at the time limit of 7 s"),
        ("out_of_memory", "", "exit status 137 (out of memory)"),
        ("cancelled", "the run ended", "interrupted: the run ended"),
        ("cancelled", "", "interrupted"),
    ],
)
def test_a_block_says_in_words_how_it_ended(status: RunStatus, ended_by: str, ending: str) -> None:
    assert replace(block(), status=status, exit_code=137, ended_by=ended_by).ending == ending
