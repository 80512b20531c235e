"""The code that an agent finds in its messages, and the text with which it answers. Does no I/O.

There are two layouts. A configuration with an `executor` gives its output as it is. One with `work_dir`, `use_docker`
and `timeout` runs block by block, and puts a line break before the output of each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from symposia.v02._code_text import PYTHON_NAMES, SHELLS, UNKNOWN, extract_code, infer_lang
from symposia.v02.coding.base import CodeBlock, CodeExtractor

OF_LEGACY: Final = ("use_docker", "work_dir", "timeout")
FILE_NAME: Final = re.compile(r"# filename:\s*([^\n]*?)\s*(?:\n|$)")

Message = Mapping[str, Any]  # Any: the values of a message's keys


def check_code_execution_config(config: object) -> None:
    """Refuse what does not say how code is run.

    Raises:
        ValueError: It is neither a dictionary nor False, or has an executor beside options for running without one.
    """
    if config is not False and not isinstance(config, dict):
        raise ValueError("code_execution_config must be a dict or False.")
    options = cast("dict[str, object]", config or {})
    for name in OF_LEGACY:
        if name in options and options.get("executor") is not None:
            raise ValueError(
                f"'{name}' in code_execution_config is not valid when 'executor' is set. Give it to the executor."
            )


def legacy_blocks(messages: Sequence[Message], last: object) -> list[tuple[str, str]]:
    """The language and the code of each block of the newest message that has code.

    Args:
        messages: The conversation, the oldest first.
        last: How many messages are looked at, or ``"auto"``: those since the agent's own last one.

    Raises:
        ValueError: `last` is neither a number of messages nor ``"auto"``.
    """
    for message in reversed(messages[len(messages) - _number(messages, last) :]):
        if message.get("content"):
            blocks = extract_code(message["content"])
            if any(language != UNKNOWN for language, _ in blocks):
                return blocks
    return []


def executor_blocks(messages: Sequence[Message], last: object, extractor: CodeExtractor) -> list[CodeBlock]:
    """The same for an executor, whose extractor finds the blocks. 0 messages are all of them, as in AutoGen.

    Raises:
        ValueError: As `legacy_blocks`.
    """
    for message in reversed(messages[-_number(messages, last) :]):
        if message.get("content") and (blocks := extractor.extract_code_blocks(message["content"])):
            return blocks
    return []


def _number(messages: Sequence[Message], last: object) -> int:
    if last == "auto":
        own = (index for index, message in enumerate(reversed(messages)) if message.get("role") != "user")
        return next(own, len(messages))
    if isinstance(last, bool) or not isinstance(last, int) or last < 0:
        raise ValueError("last_n_messages must be either a non-negative integer, or the string 'auto'.")
    return min(last, len(messages))


def reply_text(exit_code: int, output: str) -> str:
    """What the agent answers after running code."""
    ending = "execution succeeded" if exit_code == 0 else "execution failed"
    return f"exitcode: {exit_code} ({ending})\nCode output: {output}"


def executor_announcement(blocks: Sequence[CodeBlock]) -> str:
    """What the agent prints before an executor runs code."""
    if len(blocks) == 1:
        return f"\n>>>>>>>> EXECUTING CODE BLOCK (inferred language is {blocks[0].language})..."
    languages = ", ".join(block.language for block in blocks)
    return f"\n>>>>>>>> EXECUTING {len(blocks)} CODE BLOCKS (inferred languages are [{languages}])..."


def legacy_announcement(index: int, language: str) -> str:
    """What the agent prints before it runs a block without an executor."""
    return f"\n>>>>>>>> EXECUTING CODE BLOCK {index} (inferred language is {language})..."


def run_legacy_blocks(
    blocks: Sequence[tuple[str, str]],
    run: Callable[[str, Mapping[str, str | None]], tuple[int, str]],
    announce: Callable[[str], None],
) -> tuple[int, str]:
    """Run blocks in order, up to the first that fails.

    Args:
        blocks: The language and the code of each.
        run: Runs code with the options ``lang`` and ``filename``, and returns its exit code and its output.
        announce: Prints a line before each block.

    Returns:
        The exit code of the last block that was run, and the output of all.
    """
    exit_code, logs = 0, ""
    for index, (label, code) in enumerate(blocks):
        language = label or infer_lang(code)
        announce(legacy_announcement(index, language))
        options = _run_options(language, code)
        if options is None:
            exit_code, output = 1, f"unknown language {language}"
        else:
            exit_code, output = run(code, options)
        logs += f"\n{output}"
        if exit_code != 0:
            break
    return exit_code, logs


def _run_options(language: str, code: str) -> dict[str, str | None] | None:
    """The options of `run_code` for a block; None where its language is not run."""
    if language in SHELLS:
        return {"lang": language}
    if language not in PYTHON_NAMES:
        return None
    named = FILE_NAME.match(code)
    return {"lang": "python", "filename": named[1] if named else None}
