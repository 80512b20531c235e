"""Checks that what is given as an agent of AutoGen 0.2 is one."""

from __future__ import annotations

from symposia.core.exceptions import ArgumentTypeError


def check_agent(owner: str, given: object) -> None:
    """Raise an error for what is no agent of AutoGen 0.2. What receives messages is taken for one.

    Args:
        owner: Whose agent it is, for the error: ``The recipient of a chat``.
        given: What was given as the agent.

    Raises:
        ArgumentTypeError: It is an agent or a team of AutoGen 0.4, a group chat, or anything else.
    """
    if hasattr(given, "receive"):
        return
    if hasattr(given, "run_stream"):
        what = f"{_named(given)} of AutoGen 0.4"
        advice = "Give to_conversable(…) of it, from symposia.v02.agentchat.conversion."
    elif hasattr(given, "agents"):
        what = _named(given)
        advice = "Give a GroupChatManager of it."
    else:
        what = repr(given)
        advice = "Give a ConversableAgent."
    raise ArgumentTypeError(f"{owner} has to be an agent of AutoGen 0.2, not {what}. {advice}")


def _named(given: object) -> str:
    name = type(given).__name__
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"
