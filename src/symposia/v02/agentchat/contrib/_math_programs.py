"""Programs in the steps of a calculation: each sees what the steps before it defined, and prints its last value."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import Final

from symposia.v02._code_text import extract_code

_BOXED: Final = re.compile(r"\\boxed\{\s*[^}\s]")


def is_answer(text: str) -> bool:
    r"""Whether a text gives an answer in ``\boxed{}``, and asks for no calculation."""
    asks = any(language in {"python", "wolfram"} for language, _ in extract_code(text))
    return not asks and _BOXED.search(text) is not None


def printing_last_value(code: str) -> str:
    """A program that prints the value of its last line, if that is an expression and not a call of `print`."""
    try:
        body = ast.parse(code).body
    except (SyntaxError, ValueError):  # running it says what is wrong; ValueError: a null character
        return code
    last = body[-1] if body else None
    if not isinstance(last, ast.Expr) or _is_print(last.value):
        return code
    lines = code.splitlines()[: last.lineno - 1]
    return "\n".join([*lines, f"print({ast.unparse(last.value)})"])


def continued(steps: Sequence[str], code: str) -> str:
    """A program that runs the former steps without their output, and then a new one."""
    if not steps:
        return code
    former = "\n".join(steps)
    return f"import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()):\n    exec({former!r})\n{code}"


def _is_print(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "print"
