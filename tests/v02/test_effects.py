"""People and functions in chats of AutoGen 0.2, as effects."""

import asyncio
import threading
from typing import Any

import pytest
from tests.support.effect_recorder import EffectRecorder
from tests.support.journal import Journal
from tests.support.v02_agents import Listening, speaker, texts

from symposia.core.effects import handle_effects
from symposia.v02 import ChatResult

CALL: dict[str, Any] = {
    "content": None,
    "tool_calls": [{"id": "1", "type": "function", "function": {"name": "look", "arguments": '{"at": "it"}'}}],
}


class Program:
    """A chat with a person and a function, and how often each was asked."""

    def __init__(self) -> None:
        self.looks = 0
        self.threads: set[int] = set()
        self.person = Listening("person", "ALWAYS", ["", "words", "exit"], function_map={"look": self.look})
        self.other = speaker("other", CALL, max_consecutive_auto_reply=3)

    def look(self, at: str) -> str:
        self.looks += 1
        self.threads.add(threading.get_ident())
        return f"saw {at}"

    def run(self, form: str) -> ChatResult:
        if form == "async":
            return asyncio.run(self.person.a_initiate_chat(self.other, message="go", silent=True))
        return self.person.initiate_chat(self.other, message="go", silent=True)


@pytest.mark.parametrize("form", ["plain", "async"])
def test_a_person_and_a_function_are_effects_in_the_scope_of_their_agent(form: str) -> None:
    recorder, program = EffectRecorder(), Program()
    with handle_effects(recorder):
        result = program.run(form)
    assert texts(result.chat_history) == ["go", None, "saw it", None, "words", None]
    assert [(effect.kind.name, str(effect.scope)) for effect in recorder.effects] == [
        ("human", "chat:person,other/agent:person"),
        ("tool", "chat:person,other/agent:person/tool:look"),
        ("human", "chat:person,other/agent:person#2"),
        ("human", "chat:person,other/agent:person#3"),
    ]
    assert recorder.effects[1].request.arguments == {"at": "it"}


@pytest.mark.parametrize("form", ["plain", "async"])
def test_a_chat_runs_again_from_a_journal_without_asking_anybody(form: str) -> None:
    journal, first, second = Journal(), Program(), Program()
    with handle_effects(journal):
        result = first.run(form)
    with handle_effects(journal):
        again = second.run(form)
    assert again == result
    assert (first.looks, second.looks) == (1, 0)
    assert (len(first.person.prompts), second.person.prompts) == (3, [])


def test_a_plain_function_runs_in_the_thread_of_the_chat_also_as_an_effect() -> None:
    program = Program()
    with handle_effects(EffectRecorder()):
        program.run("plain")
    assert program.threads == {threading.get_ident()}


def test_a_plain_chat_is_recorded_inside_a_running_loop() -> None:
    async def notebook() -> int:
        recorder = EffectRecorder()
        with handle_effects(recorder):
            Program().run("plain")
        return len(recorder.effects)

    assert asyncio.run(notebook()) == 4
