"""JSON in the text of a model's answer."""

from __future__ import annotations

import json
import re
from typing import Any, Final

# A closing fence begins or ends its line; three backticks inside a JSON string do neither.
_FENCE: Final = re.compile(r"```[ \t]*([\w+.-]*)\s*(.*?)(?:^[ \t]*```|```[ \t]*$)", re.DOTALL | re.MULTILINE)


def extract_json_from_str(content: str) -> list[dict[str, Any]]:
    """Read the JSON in a model's answer: what its code fences hold, or all of it where it has none.

    Returns:
        One value a fence, in order.

    Raises:
        ValueError: A fence says that it holds another language, or (as `json.JSONDecodeError`) something is not JSON.
    """
    fences: list[tuple[str, str]] = _FENCE.findall(content)
    if not fences:
        return [json.loads(content)]
    for language, _ in fences:
        if language.lower() not in ("", "json"):
            raise ValueError(f"Expected JSON object, but found language: {language}")
    return [json.loads(text) for _, text in fences]
