"""The call of a tool, which models, tools and messages share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class FunctionCall:
    """A call of a tool that a model requests.

    Attributes:
        id: Names this call; its result carries the same `id` as ``call_id``.
        arguments: The arguments as the model wrote them: JSON text, which may be malformed.
        name: The tool.
    """

    id: str
    arguments: str
    name: str
