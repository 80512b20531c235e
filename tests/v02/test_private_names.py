"""Private names of AutoGen 0.2's agents, which subclasses and functions of programs use."""

import asyncio
import inspect
import json
from typing import Any

import pytest
from tests.support.v02_agents import speaker
from typing_extensions import override

from symposia.v02 import ConversableAgent
from symposia.v02.agentchat import Agent


class Model:
    """Stands for the client of a model, and keeps what it is asked."""

    def __init__(self, *answers: str | None) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []

    def create(self, **config: Any) -> Any:
        self.asked = config["messages"]
        return self.answers.pop(0)

    def extract_text_or_completion_object(self, response: Any) -> list[Any]:
        return [response]


def as_object(x: int) -> dict[str, int]:
    return {"x": x}


def names(sender: Agent, recipient: Agent, _: object) -> tuple[str, str]:
    return sender.name, recipient.name


class Curious(ConversableAgent):
    """A subclass as programs have them: each method uses names of its base class."""

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, human_input_mode="NEVER", default_auto_reply=name, llm_config=False, **options)

    def limits(self, sender: Agent) -> tuple[int, int, int]:
        counts, of_sender = self._consecutive_auto_reply_counter, self._max_consecutive_auto_reply_dict
        return counts[sender], of_sender[sender], self._max_consecutive_auto_reply

    def used_up(self, sender: Agent, limit: int) -> None:
        self._max_consecutive_auto_reply = limit
        self._consecutive_auto_reply_counter[sender] = limit

    @override
    def generate_reply(self, messages: Any = None, sender: Agent | None = None, **kwargs: Any) -> Any:
        """The loop over reply functions as programs write it themselves."""
        for entry in self._reply_func_list:
            function = entry["reply_func"]
            if not inspect.iscoroutinefunction(function) and self._match_trigger(entry["trigger"], sender):
                final, reply = function(self, messages=messages or self.chat_messages[sender or self], sender=sender)
                if final:
                    return reply
        return self._default_auto_reply

    def answer_of(self, model: Any) -> object:
        return self._generate_oai_reply_from_client(model, [{"role": "user", "content": "q"}], None)

    def reflection(self, model: Model) -> str:
        asking: Any = speaker("other")
        asking.client = model
        return self._reflection_with_llm("Why?", [{"role": "user", "content": "q"}], asking, role="user")

    def summaries(self, other: Any) -> list[object]:
        return [
            self._last_msg_as_summary(self, other, {}),
            self._summarize_chat(names, {}, other),
            self._summarize_chat(None, {}, other),
        ]

    def texts(self) -> list[object]:
        return [
            self._normalize_name("a b!"),
            self._assert_valid_name("a_b"),
            self._str_for_tool_response({"content": 3}),
            json.loads(self._format_json_str('{"a":\n "x\ny"}')),
            self._format_json_str("no JSON"),
            self._wrap_function(as_object)(3),
            self._process_carryover("m", {"carryover": ["x", "y"]}),
            self._handle_carryover({"content": "m"}, {}),
            self._is_silent(self, True),
        ]

    def checked(self, name: str) -> str:
        return self._assert_valid_name(name)

    def queue(self, queue: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return self._check_chat_queue_for_sender(queue)

    @classmethod
    def summary_of_runnable(
        cls, queue: Any, recipient: Any, messages: Any, sender: Any, config: Any
    ) -> tuple[bool, Any]:
        """What a program gives as `reply_func_from_nested_chats`."""
        chats = cls._get_chats_to_run(queue, recipient, messages, sender, config)
        final, summary = cls._summary_from_nested_chats(queue, recipient, messages, sender, config)
        return final, f"{len(chats)} of {len(queue)}: {summary}"

    @classmethod
    async def a_summary(cls, queue: Any, recipient: Any, messages: Any, sender: Any, config: Any) -> tuple[bool, Any]:
        return await cls._a_summary_from_nested_chats(queue, recipient, messages, sender, config)


def test_counts_and_limits_of_replies_can_be_read_and_written() -> None:
    other, agent = speaker("other"), Curious("agent", max_consecutive_auto_reply=5)
    assert agent.limits(other) == (0, 5, 5)
    agent.update_max_consecutive_auto_reply(2, other)
    assert agent.limits(other) == (0, 2, 5)
    agent.update_max_consecutive_auto_reply(7)
    other.initiate_chat(agent, message="x", max_turns=2, silent=True)
    assert agent.limits(other) == (2, 7, 7)
    agent.used_up(other, 3)
    assert agent.generate_reply([{"role": "user", "content": "x"}], other) is None


def test_a_subclass_may_go_over_the_reply_functions_itself() -> None:
    agent = Curious("agent")

    def reply(_: Agent, **__: object) -> tuple[bool, str]:
        return True, "for other"

    agent.register_reply("other", reply)
    assert agent.generate_reply([{"content": "x"}], speaker("other")) == "for other"
    assert agent.generate_reply([{"content": "x"}], speaker("another")) == "agent"


def test_a_subclass_may_ask_a_model() -> None:
    model = Model("yes", None, "since")
    agent = Curious("agent")
    assert [agent.answer_of(model), agent.answer_of(model), agent.reflection(model)] == ["yes", None, "since"]
    assert model.asked == [{"role": "user", "content": "q"}, {"role": "user", "content": "Why?"}]


def test_a_subclass_may_summarize_chats() -> None:
    agent, other = Curious("agent"), speaker("other", "Done. TERMINATE")
    agent.initiate_chat(other, message="x", max_turns=1, silent=True)
    assert agent.summaries(other) == ["Done. ", ("agent", "other"), ""]


def test_a_subclass_may_use_the_functions_for_names_texts_and_queues() -> None:
    agent, other = Curious("agent"), speaker("other")
    wrapped = '{"x": 3}'
    carried = "m\nContext: \nx\ny"
    found = ["a_b_", "a_b", "3", {"a": "x\ny"}, "no JSON", wrapped, carried, {"content": "m"}, True]
    assert agent.texts() == found
    assert [each["sender"] for each in agent.queue([{}, {"sender": other}])] == [agent, other]
    with pytest.raises(ValueError, match="Invalid name"):
        agent.checked("a b")


def test_a_function_for_nested_chats_may_hold_them_as_the_agent_does() -> None:
    user, outer, inner = (speaker(name) for name in ("user", "outer", "inner"))
    queue = [{"recipient": inner, "max_turns": 1, "silent": True, "chat_id": 1}, {"recipient": inner, "chat_id": 2}]
    outer.register_nested_chats(queue, user, Curious.summary_of_runnable)
    assert user.initiate_chat(outer, message="x", max_turns=1, silent=True).summary == "1 of 2: inner"
    outer.register_nested_chats(queue, user, Curious.a_summary, use_async=True)
    assert asyncio.run(user.a_initiate_chat(outer, message="x", max_turns=1, silent=True)).summary == "inner"
