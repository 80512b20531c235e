"""What a code execution looks like to those who wait for it: text, and the pictures that it made."""

import re
from typing import Final

from symposia.core import Image
from symposia.core.code_executor import CodeResult, CommandLineCodeResult

NO_CODE: Final = (
    "No code blocks found in the thread. Give the code to run in a Markdown block that names its language:"
    " ```python or ```sh."
)
_PICTURE: Final = re.compile(rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|RIFF.{4}WEBP", re.DOTALL)
"""How the files begin that are handed on as pictures: models take them as they are, so nothing decodes them here."""


def report(result: CodeResult, asked: int) -> str:
    """What the code printed, all blocks together, and how it ended where that is not plain from it.

    Args:
        result: Of the blocks.
        asked: How many blocks were to run.
    """
    if not result.output.strip():
        text = f"The script ran but produced no output to console. The POSIX exit code was: {result.exit_code}."
        return f"{text} Print what you want to see." + _failed_block(result, asked)
    if result.exit_code == 0:
        return result.output
    text = f"The script ran, then exited with an error (POSIX exit code: {result.exit_code})\nIts output was:\n"
    return text + result.output + _failed_block(result, asked)


def _failed_block(result: CodeResult, asked: int) -> str:
    if result.exit_code == 0 or asked == 1 or not isinstance(result, CommandLineCodeResult):
        return ""
    return f"\nThat was the output up to block {len(result.blocks)} of {asked}, which failed; no later one was run."


def denial(reason: str) -> CodeResult:
    """The result of code that was not allowed to run."""
    return CodeResult(exit_code=1, output=f"Code execution was not approved. Reason: {reason}")


def with_images(text: str, result: CodeResult) -> str | list[str | Image]:
    """`text`, and behind it the pictures that the code made, each after its name; just `text` where there are none."""
    images = result.images if isinstance(result, CommandLineCodeResult) else []
    pictures = [image for image in images if _PICTURE.match(image.data)]
    return [text, *(piece for each in pictures for piece in (each.path, Image(each.data)))] if pictures else text
