"""Checks of queues of chats, the usage of several agents, and tags in messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, cast

from symposia.v02.agentchat._summaries import LAST_MESSAGE, check_summary_method
from symposia.v02.agentchat.agent import Agent

__all__ = ["consolidate_chat_info", "gather_usage_summary", "parse_tags_from_content"]


def consolidate_chat_info(
    chat_info: dict[str, Any] | list[dict[str, Any]],  # Any: the arguments of `initiate_chat`
    uniform_sender: Agent | None = None,
) -> None:
    """Check that each chat has a sender and a recipient, and can be summarized as it says.

    Args:
        chat_info: A chat, or several.
        uniform_sender: The sender of those without one.

    Raises:
        AssertionError: A chat has not.
    """
    for each in [chat_info] if isinstance(chat_info, dict) else chat_info:
        if uniform_sender is None and "sender" not in each:
            raise AssertionError("sender must be provided.")
        if "recipient" not in each:
            raise AssertionError("recipient must be provided.")
        sender = each.get("sender", uniform_sender)
        check_summary_method(each.get("summary_method", LAST_MESSAGE), sender, each["recipient"])


def gather_usage_summary(agents: Iterable[Agent]) -> dict[str, dict[str, Any]]:
    """The tokens and the cost of several agents' models, together.

    Args:
        agents: The agents. Those without a model count nothing.

    Returns:
        `usage_including_cached_inference` and `usage_excluding_cached_inference`: for each, `total_cost` and the usage
        by model.
    """
    clients = [client for agent in agents if (client := getattr(agent, "client", None)) is not None]
    return {
        "usage_including_cached_inference": _sum([client.total_usage_summary for client in clients]),
        "usage_excluding_cached_inference": _sum([client.actual_usage_summary for client in clients]),
    }


def _sum(summaries: Sequence[dict[str, Any] | None]) -> dict[str, Any]:
    total: dict[str, Any] = {"total_cost": 0}
    for summary in summaries:
        for key, value in (summary or {}).items():
            if key == "total_cost":
                total[key] += value
                continue
            of_model: dict[str, float] = total.setdefault(key, dict.fromkeys(value, 0))
            for figure, amount in value.items():
                of_model[figure] = of_model.get(figure, 0) + amount
    return total


_ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*(?:'([^']*)'|"([^"]*)"|([^\s>]+))""")


def parse_tags_from_content(tag: str, content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tags of one kind in a message: ``<img url>`` or ``<img src='url' width=3>``.

    Args:
        tag: The name of the tag.
        content: A text, or a list of parts, of which those with a text are read.

    Returns:
        For each, `tag`, its `attr` by name, and the `match` of the regular expression. A value without a name is the
        attribute `src`.
    """
    if isinstance(content, str):
        return _tags_in(tag, content)
    texts = [cast("str", part["text"]) for part in content if part.get("type") == "text"]
    return [found for text in texts for found in _tags_in(tag, text)]


def _tags_in(tag: str, text: str) -> list[dict[str, Any]]:
    return [
        {"tag": tag, "attr": _attributes(match.group(1)), "match": match}
        for match in re.finditer(rf"<{re.escape(tag)}\s+([^>]*?)\s*/?>", text)
    ]


def _attributes(text: str) -> dict[str, str]:
    named = {name: single or double or bare for name, single, double, bare in _ATTRIBUTE.findall(text)}
    rest = _ATTRIBUTE.sub("", text).strip()
    return {"src": rest, **named} if rest else named
