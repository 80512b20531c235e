from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage


class Conversation:
    """What was said in a team, and what of it each participant has yet to hear.

    Attributes:
        transcript: Everything so far; only ever appended to.
        turns: How many turns the run under way has taken.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.transcript: list[BaseAgentEvent | BaseChatMessage] = []
        self.turns = 0
        self._unheard: dict[str, list[BaseChatMessage]] = {name: [] for name in names}

    @property
    def names(self) -> list[str]:
        """Who takes part."""
        return list(self._unheard)

    def knows(self, names: Iterable[str]) -> bool:
        """Whether all of them take part."""
        return all(name in self._unheard for name in names)

    def say(self, messages: Sequence[BaseChatMessage], *, author: str | None = None) -> None:
        """Let everybody but the author hear `messages` before their next turn."""
        for name, waiting in self._unheard.items():
            if name != author:
                waiting.extend(messages)

    def unheard(self, name: str) -> Sequence[BaseChatMessage]:
        """What a participant has yet to hear; a copy, so that it may be kept while others go on speaking."""
        return tuple(self._unheard[name])

    def heard(self, name: str, messages: Sequence[BaseChatMessage]) -> None:
        """A participant has heard `messages`, which `unheard` gave."""
        del self._unheard[name][: len(messages)]

    def load(
        self,
        transcript: Sequence[BaseAgentEvent | BaseChatMessage],
        *,
        turns: int,
        unheard: Mapping[str, Sequence[BaseChatMessage]],
    ) -> None:
        """Go on from another conversation."""
        self.transcript[:] = transcript
        self.turns = turns
        self._unheard = {name: list(unheard[name]) for name in self._unheard}

    def reset(self) -> None:
        """Forget everything."""
        self.transcript.clear()
        self.turns = 0
        for waiting in self._unheard.values():
            waiting.clear()
