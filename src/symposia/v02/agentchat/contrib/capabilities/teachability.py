"""An agent that remembers what it was taught, also in later conversations and programs."""

from __future__ import annotations

import json
from typing import Any, Final, Literal

from symposia.core.exceptions import InvalidArgumentError
from symposia.v02._plain import call_in_thread
from symposia.v02.agentchat.contrib.capabilities._memo_store import Embed, MemoStore
from symposia.v02.agentchat.contrib.capabilities.agent_capability import AgentCapability
from symposia.v02.agentchat.contrib.text_analyzer_agent import TextAnalyzerAgent
from symposia.v02.agentchat.conversable_agent import ConversableAgent

__all__ = ["MemoStore", "Teachability"]

QUESTION: Final = (
    "What of this text is worth knowing in later conversations? Reply with one JSON object with the key 'memos', a "
    "list of objects with two keys. 'about' is a question that the memo answers, or the kind of task that it helps "
    "with, in general words. 'memo' is what to know: a fact, a preference or a piece of advice of the text, so that it "
    "is clear without it. The list is empty if the text has nothing of the kind; a question or a task alone has none."
)
HEADING: Final = "\n\n# Notes from earlier conversations\n"
ABILITY: Final = (
    "\nYou remember earlier conversations: what may matter for a message is written below it, under the heading "
    "'Notes from earlier conversations'. What users teach you is kept for later."
)


class Teachability(AgentCapability):
    """Keeps what users tell an agent, and writes what is related to a message below it.

    One question to the model for each message decides what is kept.

    Args:
        verbosity: 1 prints what is kept and found.
        reset_db: Whether to begin without memories.
        path_to_db_dir: The folder of the memories.
        recall_threshold: The greatest distance of what is found: 0 for equal texts, 2 for those without likeness.
        max_num_retrievals: The most memories for a message.
        llm_config: The model that decides; by default the agent's.
        embed: Makes vectors of texts; by default of their letters, without a model.
    """

    def __init__(
        self,
        verbosity: int | None = 0,
        reset_db: bool | None = False,
        path_to_db_dir: str | None = "./tmp/teachable_agent_db",
        recall_threshold: float | None = 1.5,
        max_num_retrievals: int | None = 10,
        llm_config: dict[str, Any] | Literal[False] | None = None,  # Any: see `OpenAIWrapper`
        *,
        embed: Embed | None = None,
    ) -> None:
        self.memo_store = MemoStore(verbosity, reset_db, path_to_db_dir, embed=embed)
        self.recall_threshold = 1.5 if recall_threshold is None else recall_threshold
        self.max_num_retrievals = 10 if max_num_retrievals is None else max_num_retrievals
        self.llm_config = llm_config
        self.analyzer: TextAnalyzerAgent | None = None

    def add_to_agent(self, agent: ConversableAgent) -> None:
        """Make an agent teachable, in asynchronous chats too.

        Raises:
            InvalidArgumentError: There is no model.
        """
        config = self.llm_config if self.llm_config is not None else agent.llm_config
        if not isinstance(config, dict) or not config:
            raise InvalidArgumentError("A teachable agent needs a model: give llm_config to Teachability or the agent.")
        self.analyzer = TextAnalyzerAgent(llm_config=_without_tools(config))
        agent.update_system_message(agent.system_message + ABILITY)
        agent.register_hook("process_last_received_message", self.process_last_received_message)
        agent.register_hook("a_process_last_received_message", self.a_process_last_received_message)

    def prepopulate_db(self) -> None:
        """Does nothing: there are no memories that every agent has."""

    def process_last_received_message(
        self, text: str | list[dict[str, Any]]
    ) -> str | list[dict[str, Any]]:  # Any: JSON
        """The message with related memories; what it teaches is kept.

        Args:
            text: The content of the message: a text, or parts, whose texts are read.
        """
        said = _text(text)
        expanded = self._expanded(text, said)
        self._keep(self._analyzer().analyze_text(said, QUESTION))
        return expanded

    async def a_process_last_received_message(
        self,
        text: str | list[dict[str, Any]],  # Any: JSON
    ) -> str | list[dict[str, Any]]:
        """As `process_last_received_message`, in the running event loop."""
        said = _text(text)
        expanded = await call_in_thread(self._expanded, text, said)
        found = await self._analyzer().a_analyze_text(said, QUESTION)
        await call_in_thread(self._keep, found)
        return expanded

    def _analyzer(self) -> TextAnalyzerAgent:
        if self.analyzer is None:
            raise InvalidArgumentError("Teachability is not added to an agent: call add_to_agent first.")
        return self.analyzer

    def _expanded(self, content: str | list[dict[str, Any]], said: str) -> str | list[dict[str, Any]]:  # Any: JSON
        found = self.memo_store.get_related_memos(said, self.max_num_retrievals, self.recall_threshold)
        if not found:
            return content
        notes = HEADING + "".join(f"- {memo}\n" for memo in dict.fromkeys(output for _, output, _ in found))
        return content + notes if isinstance(content, str) else [*content, {"type": "text", "text": notes}]

    def _keep(self, answer: str) -> None:
        for about, memo in _memos(answer):
            self.memo_store.add_input_output_pair(about, memo)


def _text(content: str | list[dict[str, Any]]) -> str:  # Any: JSON
    return content if isinstance(content, str) else "\n".join(str(part.get("text", "")) for part in content)


def _memos(answer: str) -> list[tuple[str, str]]:
    """The memos of an answer. A model may write around the JSON; what is no such JSON has none."""
    try:
        found: Any = json.loads(answer[answer.index("{") : answer.rindex("}") + 1])  # Any: what the model wrote
        return [(str(each["about"]), str(each["memo"])) for each in found["memos"] if each["about"] and each["memo"]]
    except (ValueError, LookupError, TypeError):
        return []


def _without_tools(config: dict[str, Any]) -> dict[str, Any]:  # Any: see `OpenAIWrapper`
    return {name: value for name, value in config.items() if name not in {"tools", "functions"}}
