"""An agent that suggests criteria for a task."""

from __future__ import annotations

from typing import ClassVar

from symposia.v02.agentchat.contrib.agent_eval._prompted_agent import PromptedAgent

__all__ = ["CriticAgent"]


class CriticAgent(PromptedAgent):
    """Suggests criteria by which answers to a task are assessed."""

    DEFAULT_NAME: ClassVar[str] = "critic"
    DEFAULT_DESCRIPTION: ClassVar[str] = "Suggests criteria by which answers to a task are assessed."
    DEFAULT_SYSTEM_MESSAGE: ClassVar[str] = """\
You set up the criteria by which answers to a task are assessed. You are given the task, with an answer that is a
success and one that is a failure.

Choose criteria that tell such answers apart, that do not overlap, and that somebody else would judge alike. Give each
of them several grades, from the worst to the best.

Answer with a JSON array and nothing else. Each item is an object of this form:
{"name": TEXT, "description": TEXT, "accepted_values": [TEXT, …]}
"description" says what is assessed, and "accepted_values" has the grades.
"""
