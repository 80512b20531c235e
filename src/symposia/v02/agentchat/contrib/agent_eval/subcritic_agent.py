"""An agent that divides criteria."""

from __future__ import annotations

from typing import ClassVar

from symposia.v02.agentchat.contrib.agent_eval._prompted_agent import PromptedAgent

__all__ = ["SubCriticAgent"]


class SubCriticAgent(PromptedAgent):
    """Divides criteria into finer ones."""

    DEFAULT_NAME: ClassVar[str] = "subcritic"
    DEFAULT_DESCRIPTION: ClassVar[str] = "Divides the criteria of the critic into finer ones."
    DEFAULT_SYSTEM_MESSAGE: ClassVar[str] = """\
You refine the criteria by which answers to a task are assessed. You are given the task and an array of criteria.

Where a criterion has several sides, divide it into sub-criteria that do not overlap and stay within its subject. A
criterion that is fine enough stays as it is.

Answer with a JSON array of all criteria, divided or not, and nothing else. Each item is an object of this form:
{"name": TEXT, "description": TEXT, "accepted_values": [TEXT, …], "sub_criteria": [ITEM, …]}
A criterion with sub-criteria has an empty array of "accepted_values"; each of its sub-criteria is such an item itself.
"""
