"""The speaker that a model chooses: the templates of the question, and the names in the answer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from symposia.v02._code_text import content_str
from symposia.v02.agentchat.agent import Agent

MESSAGE_TEMPLATE: Final = """These roles take part in a conversation:
{roles}

Read the conversation that follows, and decide which role continues it best. The roles are {agentlist}."""
PROMPT_TEMPLATE: Final = (
    "Which of the roles {agentlist} speaks next? Answer with the name of one role, and nothing else."
)
MULTIPLE_TEMPLATE: Final = (
    "Your answer names several roles, and has to name one. If you spoke as a role yourself, name that role. If you "
    "called one of them the next, name that one. Otherwise, name the one that you mentioned first. Write the name "
    "exactly as it is in {agentlist}, and nothing else."
)
NONE_TEMPLATE: Final = (
    "Your answer names no role. If you spoke as a role yourself, name that role. If you called one the next, name that "
    "one. Write exactly one of the names {agentlist}, with the same capital and small letters, and nothing else."
)
INTRODUCTION: Final = "Welcome. These participants work on the tasks of this conversation together:"


def roles_text(agents: Sequence[Agent]) -> str:
    """A line for each agent: its name and its description."""
    return "\n".join(f"{agent.name}: {agent.description}".strip() for agent in agents)


def filled(template: str, agents: Sequence[Agent]) -> str:
    """A template with `{roles}` and `{agentlist}`."""
    return template.format(roles=roles_text(agents), agentlist=str([agent.name for agent in agents]))


def mentioned_agents(content: str | list[dict[str, object]] | None, agents: Sequence[Agent]) -> Counter[str]:
    """How often a text names each agent. Underscores of a name may be spaces, or escaped as in Markdown.

    Args:
        content: The content of a message.
        agents: The agents.
    """
    text = content_str(content)
    counts = Counter({agent.name: len(_pattern(agent.name).findall(text)) for agent in agents})
    return +counts


def _pattern(name: str) -> re.Pattern[str]:
    forms = {name, name.replace("_", " "), name.replace("_", r"\_")}
    either = "|".join(re.escape(form) for form in sorted(forms))
    return re.compile(rf"(?<!\w)(?:{either})(?!\w)")
