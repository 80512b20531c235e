"""Contents of messages that are templates: functions of a context, and texts for `str.format`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Template: TypeAlias = str | list[Any] | Callable[[Any], str] | None  # Any: parts, and a context
"""A content: a text, a list of parts, a function of the context, or None."""

Context: TypeAlias = Mapping[str, Any] | None  # Any: values of the program
"""The values of a template."""


def instantiate(template: Template, context: Context, *, is_format: bool | None) -> Any:  # Any: of the function
    """A content made of a template.

    Args:
        template: A function of the context is called. A text is formatted where that is allowed. Anything else is
            returned as it is.
        context: The values. Without any, the template is returned as it is.
        is_format: Whether a text is one for `str.format`.
    """
    if not context or template is None:
        return template
    if isinstance(template, str):
        return template.format(**context) if is_format else template
    return template(context) if callable(template) else template
