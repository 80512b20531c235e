"""Text of models, programs and files made fit to be shown: it controls no terminal, and forges no line.

One function for all that shows such text (`Console`, the command line, Markdown pages), since each place that cleans by
itself forgets something else.
"""

from __future__ import annotations

import json
import re
from typing import Final

from pydantic import JsonValue

__all__ = ["escape_markdown", "printable", "printable_json", "printable_name", "replace_unencodable"]

# The pictures of the C0 controls and of DEL. A C1 control is one byte of a sequence to some terminals, as ESC and
# another are to all. U+2028 and U+2029 end a line for some programs only.
_PICTURES = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"}
_INVISIBLE = {0x7F: 0x2421, **dict.fromkeys(range(0x80, 0xA0), 0xFFFD), **dict.fromkeys((0x2028, 0x2029), 0x20)}
# Marks that turn the direction of text, so that it reads as something else (Unicode's UAX 9), and the tags, which are
# letters that nothing shows and models read.
_DIRECTIONS = dict.fromkeys((0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
_TAGS = dict.fromkeys(range(0xE0000, 0xE0080))
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), 0xFFFD)  # no encoding writes one
_TEXT: Final = {**_PICTURES, **_INVISIBLE, **_DIRECTIONS, **_TAGS, **_SURROGATES}
_NAME: Final = {**_TEXT, 0x09: 0x2409, 0x0A: 0x240A}
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#!|~&])")


def printable(text: str) -> str:
    """Replace control characters by their pictures, and drop marks that turn the direction of text.

    New lines and tabs stay. A lone carriage return, as progress bars print it, becomes a new line.
    """
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_TEXT)


def printable_name(name: str) -> str:
    """The same for a name, which is one line: new lines and tabs become pictures as well."""
    return name.translate(_NAME)


def replace_unencodable(text: str, encoding: str) -> str:
    """Replace by ``?`` what an encoding lacks, such as that of a terminal.

    Rejected: letting the error pass. A model's arrow or emoji would end the run on a terminal that is not UTF-8.
    """
    return text.encode(encoding, "replace").decode(encoding)


def printable_json(value: JsonValue, indent: int | None = None) -> str:
    """A value as JSON. What `printable` would replace or drop is written as JSON's escapes, so that nothing is lost."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    # New lines outside of texts are those of the indentation; those in texts are escaped anyway.
    return text if printable(text) == text else "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    return character if printable(character) == character else json.dumps(character)[1:-1]


def escape_markdown(name: str) -> str:
    """A name as Markdown that shows it as it is: no markup, no link, no HTML."""
    return _MARKDOWN.sub(r"\\\1", printable_name(name))
