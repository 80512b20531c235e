"""An agent that assesses answers."""

from __future__ import annotations

from typing import ClassVar

from symposia.v02.agentchat.contrib.agent_eval._prompted_agent import PromptedAgent

__all__ = ["QuantifierAgent"]


class QuantifierAgent(PromptedAgent):
    """Assesses an answer to a task by criteria."""

    DEFAULT_NAME: ClassVar[str] = "quantifier"
    DEFAULT_DESCRIPTION: ClassVar[str] = "Assesses an answer to a task by given criteria."
    DEFAULT_SYSTEM_MESSAGE: ClassVar[str] = """\
You assess an answer to a task by criteria. You are given the task, the criteria as a JSON array, and the answer.

Give the grade of each criterion, which is one of its "accepted_values". Of a criterion with "sub_criteria", give an
object with the grade of each of those. Judge by what the answer says, and not by its length.

Answer with one JSON object, whose keys are the names of the criteria, and nothing else.
"""
