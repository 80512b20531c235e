"""Agents of AutoGen 0.2 for tests: they print nothing to the terminal, and their person is a list."""

from collections.abc import Iterable
from typing import Any

from typing_extensions import override

from symposia.v02 import ConversableAgent
from symposia.v02.io import IOStream


class Recorder(IOStream):
    """Keeps what is printed, and answers from a list."""

    def __init__(self, *answers: str) -> None:
        self.printed = ""
        self.answers = list(answers)

    @override
    def print(self, *objects: object, sep: str = " ", end: str = "\n", flush: bool = False) -> None:
        self.printed += sep.join(map(str, objects)) + end

    @override
    def input(self, prompt: str = "", *, password: bool = False) -> str:
        self.printed += prompt
        return self.answers.pop(0)


def speaker(name: str, reply: str | dict[str, Any] | None = None, **options: Any) -> ConversableAgent:
    """An agent without a model that asks nobody, and answers the same each time: its name, unless told otherwise."""
    options = {"llm_config": False, "human_input_mode": "NEVER", **options}
    return ConversableAgent(name, default_auto_reply=name if reply is None else reply, **options)


class Listening(ConversableAgent):
    """An agent whose person answers from a list, and says `exit` at its end."""

    def __init__(self, name: str, mode: str, answers: Iterable[str], **options: Any) -> None:
        super().__init__(name, human_input_mode=mode, llm_config=False, default_auto_reply=name, **options)
        self.answers = list(answers)
        self.prompts: list[str] = []

    @override
    def get_human_input(self, prompt: str) -> str:
        self.prompts.append(prompt)
        self._human_input.append(self.answers.pop(0) if self.answers else "exit")
        return self._human_input[-1]

    @override
    async def a_get_human_input(self, prompt: str) -> str:
        return self.get_human_input(prompt)


def texts(history: Iterable[dict[str, Any]]) -> list[Any]:
    """The contents of messages."""
    return [message["content"] for message in history]
