"""A task whose answers are assessed."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

__all__ = ["Task"]


class Task(BaseModel, defer_build=True):
    """A task.

    Attributes:
        name: Its name.
        description: What is to be done.
        successful_response: An answer that is a success.
        failed_response: An answer that is a failure.
    """

    name: str
    description: str
    successful_response: str
    failed_response: str

    def get_sys_message(self) -> str:
        """The task as a text for a model."""
        return (
            f"Task: {self.name}\n"
            f"What is to be done: {self.description}\n"
            f"An answer that is a success:\n{self.successful_response}\n"
            f"An answer that is a failure:\n{self.failed_response}\n"
        )

    @staticmethod
    def parse_json_str(task: str) -> Task:
        """The task of a JSON object.

        Raises:
            ValueError: It is no such object.
        """
        fields: Any = json.loads(task)  # Any: pydantic checks it
        return Task.model_validate(fields)
