"""A criterion by which answers to a task are assessed."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pydantic import BaseModel, Field, TypeAdapter

__all__ = ["Criterion"]


class Criterion(BaseModel, defer_build=True):
    """A criterion.

    Attributes:
        name: Its name.
        description: What it assesses.
        accepted_values: The grades that it gives.
        sub_criteria: Criteria of which it consists.
    """

    name: str
    description: str
    accepted_values: list[str]
    sub_criteria: list[Criterion] = Field(default_factory=list["Criterion"])

    @staticmethod
    def parse_json_str(criteria: str) -> list[Criterion]:
        """The criteria of a JSON array of objects.

        Raises:
            ValueError: It is no such array.
        """
        return TypeAdapter(list[Criterion]).validate_python(json.loads(criteria) or [])

    @staticmethod
    def write_json(criteria: Sequence[Criterion]) -> str:
        """The criteria as a JSON array."""
        return json.dumps([criterion.model_dump() for criterion in criteria], indent=2)
