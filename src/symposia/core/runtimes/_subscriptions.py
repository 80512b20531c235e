"""The subscriptions of a runtime: an index, so that a message costs the same among few and many of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import TypeVar

from symposia.core._agent_id import AgentId
from symposia.core._subscription import Subscription, TypePrefixSubscription, TypeSubscription
from symposia.core._topic import TopicId
from symposia.core.exceptions import RegistrationError

CACHED_ANSWERS = 4096
"""Answers kept of each sort. Topics are often named after conversations, of which there is no end."""

Key = TypeVar("Key")
Answer = TypeVar("Answer")

Entries = dict[str, dict[str, tuple[int, str]]]
"""Pattern, then subscription id, to the subscription's place in line and its agent type."""


class Subscriptions:
    """The subscriptions of a runtime, in the order in which they were added.

    The built-in sorts are found by topic type and by prefix; others are asked about each topic once.
    """

    def __init__(self) -> None:
        self._by_id: dict[str, Subscription] = {}
        self._place = count()
        self._exact: Entries = {}
        self._prefixes: Entries = {}
        self._custom: dict[str, Subscription] = {}
        self._agent_types: dict[str, tuple[str, ...]] = {}
        self._custom_agents: dict[TopicId, tuple[AgentId, ...]] = {}

    def add(self, subscription: Subscription) -> None:
        """Count on a subscription from now on.

        Raises:
            RegistrationError: It is there already.
        """
        entries, pattern = self._indexed(subscription)
        rivals = self._by_id.values() if entries is None else self._rivals(entries, pattern)
        if subscription.id in self._by_id or any(subscription == rival for rival in rivals):
            raise RegistrationError(f"{subscription!r} (id {subscription.id!r}) is already subscribed.")
        self._by_id[subscription.id] = subscription
        if entries is None:
            self._custom[subscription.id] = subscription
        else:
            agent_type = subscription.agent_type  # type: ignore[attr-defined]  # the indexed sorts have one
            entries.setdefault(pattern, {})[subscription.id] = (next(self._place), agent_type)
        self._forget_answers()

    def remove(self, id_: str) -> None:
        """Count on it no longer.

        Raises:
            RegistrationError: There is none of that id.
        """
        subscription = self._by_id.pop(id_, None)
        if subscription is None:
            raise RegistrationError(f"There is no subscription with id {id_!r}.")
        entries, pattern = self._indexed(subscription)
        if entries is None:
            del self._custom[id_]
        else:
            del entries[pattern][id_]
            if not entries[pattern]:
                del entries[pattern]
        self._forget_answers()

    def agent_types(self, topic_type: str) -> tuple[str, ...]:
        """The types of the agents that the built-in subscriptions name; their key is the topic's source."""
        found = self._agent_types.get(topic_type)
        if found is None:
            found = _remember(self._agent_types, topic_type, self._look_up(topic_type))
        return found

    def custom_agents(
        self, topic: TopicId, on_error: Callable[[Subscription, TopicId, Exception], None]
    ) -> Sequence[AgentId]:
        """The agents that subscriptions of other sorts name.

        Args:
            topic: The topic.
            on_error: Called with each subscription that raises, the topic and the error; the others are asked all the
                same.
        """
        if not self._custom:
            return ()
        found = self._custom_agents.get(topic)
        if found is not None:
            return found
        agents, failed = list[AgentId](), False
        for subscription in self._custom.values():
            try:
                if subscription.is_match(topic):
                    agents.append(subscription.map_to_agent(topic))
            except Exception as error:  # noqa: BLE001 - a program's own code
                failed = True
                on_error(subscription, topic, error)
        # An answer of a subscription that raised is not kept: it may answer the next time.
        return agents if failed else _remember(self._custom_agents, topic, tuple(agents))

    def _look_up(self, topic_type: str) -> tuple[str, ...]:
        matching = list(self._exact.get(topic_type, {}).values())
        # Each prefix of the type is looked up: that costs its length, where asking each subscription costs their
        # number.
        for length in range(len(topic_type) + 1):
            matching += self._prefixes.get(topic_type[:length], {}).values()
        return tuple(dict.fromkeys(agent_type for _, agent_type in sorted(matching)))

    def _indexed(self, subscription: Subscription) -> tuple[Entries | None, str]:
        """Where a subscription is indexed, unless it matches in its own way."""
        cls = type(subscription)
        if isinstance(subscription, TypeSubscription) and _matches_like(cls, TypeSubscription):
            return self._exact, subscription.topic_type
        if isinstance(subscription, TypePrefixSubscription) and _matches_like(cls, TypePrefixSubscription):
            return self._prefixes, subscription.topic_type_prefix
        return None, ""

    def _rivals(self, entries: Entries, pattern: str) -> list[Subscription]:
        return [self._by_id[id_] for id_ in entries.get(pattern, ())]

    def _forget_answers(self) -> None:
        self._agent_types.clear()
        self._custom_agents.clear()


def _matches_like(cls: type, built_in: type) -> bool:
    return all(getattr(cls, name) is getattr(built_in, name) for name in ("is_match", "map_to_agent"))


def _remember(answers: dict[Key, Answer], key: Key, answer: Answer) -> Answer:
    if len(answers) >= CACHED_ANSWERS:
        answers.clear()
    answers[key] = answer
    return answer
