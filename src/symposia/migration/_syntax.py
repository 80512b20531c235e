"""Python's own syntax tree of a text, without warnings about the text on the way."""

from __future__ import annotations

import ast
import warnings
from typing import Final

TOO_DEEP: Final = "It is nested too deeply to be read."


def python_tree(text: str | bytes) -> ast.Module:
    """The tree. The text may await at its top level, as the cells of notebooks do.

    Raises:
        SyntaxError: It is no Python.
        ValueError: It has characters that no Python text has.
        RecursionError: It is nested too deeply.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of backslashes that begin no escape
        return ast.parse(text)


def syntax_problem(text: str) -> tuple[int, str] | None:
    """The line and the sentence of a syntax error; None if there is none."""
    try:
        python_tree(text)
    except SyntaxError as error:
        return error.lineno or 1, f"It is no Python: {error.msg}."
    except (RecursionError, MemoryError):
        return 1, TOO_DEEP
    except ValueError as error:
        return 1, f"It is no Python: {error}."
    return None


def is_expression(text: str) -> bool:
    """Whether a text is a Python expression, as an annotation in quotes is."""
    return syntax_problem(f"({text})") is None
