"""Code in messages: its blocks, their languages, and the text of a message's content. Does no I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, cast

CODE_BLOCK_PATTERN: Final = r"```[ \t]*(\w+)?[ \t]*\r?\n(.*?)\r?\n[ \t]*```"
"""A fenced block: its language, and its code. A body that ends in the line of its fence does not match."""
SINGLE_PATTERN: Final = r"`([^`]+)`"
UNKNOWN: Final = "unknown"
TIMEOUT_MSG: Final = "Timeout"
"""The output of code that ran too long."""
PYTHON_NAMES: Final = ("python", "Python", "py")
SHELLS: Final = ("bash", "shell", "sh")
POWERSHELLS: Final = ("pwsh", "powershell", "ps1")
SHELL_COMMANDS: Final = ("pip", "python ", "python3 ")


def content_str(content: str | Sequence[Mapping[str, object]] | None) -> str:
    """The text of a message's content: of parts, all texts joined, and ``<image>`` for each image.

    Raises:
        TypeError: It is neither a text nor a list of dictionaries.
        AssertionError: A part has no ``type``.
        ValueError: A part is of another type than ``text`` and ``image_url``.
    """
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise TypeError(f"content must be None, str, or list, but got {type(content)}")
    return "".join(_part_str(part) for part in cast("list[object]", content))


def _part_str(part: object) -> str:
    if not isinstance(part, Mapping):
        raise TypeError("Wrong content format: every element should be dict if the content is a list.")
    fields = cast("Mapping[str, object]", part)
    if "type" not in fields:
        raise AssertionError("Wrong content format. Missing 'type' key in content's dict.")
    if fields["type"] == "text":
        return str(fields["text"])
    if fields["type"] == "image_url":
        return "<image>"
    raise ValueError(f"Wrong content format: unknown type {fields['type']} within the content")


def infer_lang(code: str) -> str:
    """The language of code without a label: ``sh`` for calls of pip and Python, ``python`` if it compiles."""
    if code.startswith(SHELL_COMMANDS):
        return "sh"
    try:
        compile(code, "", "exec")
    except (SyntaxError, ValueError):  # ValueError: a null character
        return UNKNOWN
    return "python"


def extract_code(
    text: str | Sequence[Mapping[str, object]],
    pattern: str = CODE_BLOCK_PATTERN,
    detect_single_line_code: bool = False,
) -> list[tuple[str, str]]:
    """The language and the code of each block of a text, in order.

    Args:
        text: The content of a message.
        pattern: A regular expression whose groups are language and code.
        detect_single_line_code: Whether code between single backticks counts too, with an empty language.

    Returns:
        The blocks, unlabelled ones with an empty language. Where there is none, the whole text as ``unknown``, or
        nothing with `detect_single_line_code`.
    """
    content = content_str(text)
    if not detect_single_line_code:
        return re.findall(pattern, content, flags=re.DOTALL) or [(UNKNOWN, content)]
    blocks: list[tuple[str, str]] = []
    for found in re.finditer(f"{pattern}|{SINGLE_PATTERN}", content, flags=re.DOTALL):
        language, code, single = found.groups()
        blocks.append((language or "", code) if code is not None else ("", single.strip()))
    return blocks
