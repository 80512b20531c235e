"""A model client of a program of AutoGen 0.2, which answers from a list."""

from types import SimpleNamespace
from typing import Any


class Scripted:
    """A class for `model_client_cls`.

    Args:
        answers: What it answers, in order; shared with the test.
        asked: Gets the messages of each request.
    """

    def __init__(self, config: dict[str, Any], answers: list[Any], asked: list[Any]) -> None:
        self.answers = answers
        self.asked = asked

    def create(self, params: dict[str, Any]) -> Any:
        self.asked.append(params)
        answer = self.answers.pop(0)
        return SimpleNamespace(choices=[SimpleNamespace(message=answer)], model="scripted")

    def message_retrieval(self, response: Any) -> list[Any]:
        return [choice.message for choice in response.choices]

    def cost(self, response: Any) -> float:
        return 0.5

    @staticmethod
    def get_usage(response: Any) -> dict[str, Any]:
        return {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "cost": 0.5, "model": "scripted"}


def scripted_config() -> dict[str, Any]:
    """An `llm_config` for `Scripted`."""
    return {"config_list": [{"model": "scripted", "model_client_cls": "Scripted"}], "cache_seed": None}
