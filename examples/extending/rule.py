"""A rule of one's own: the participant who has said least speaks next, for a number of turns."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.messages import TextMessage
from symposia.agentchat.teams import Decision, GroupChat, RuleContext, Speak, Stop, TeamRule, Transcript
from symposia.ext.models.replay import ReplayChatCompletionClient


class QuietestFirst(TeamRule):
    """Gives the turn to the participant with the fewest words so far; of several, to the first.

    Args:
        names: The participants.
        turns: How many turns there are.
    """

    def __init__(self, names: Sequence[str], turns: int) -> None:
        self._names = list(names)
        self._turns = turns
        self._done = 0

    async def decide(self, transcript: Transcript, context: RuleContext, /) -> Decision:
        if self._done == self._turns:
            return Stop(f"{self._turns} turns")
        self._done += 1
        words: Counter[str] = Counter()
        for message in transcript:
            words[message.source] += len(message.to_text().split())
        return Speak((min(self._names, key=lambda name: words[name]),))

    def save_state(self) -> Mapping[str, Any]:
        return {"done": self._done}

    def load_state(self, state: Mapping[str, Any], /) -> None:
        self._done = state["done"]

    def reset(self) -> None:
        self._done = 0


async def main() -> None:
    rule = QuietestFirst(["ann", "bob"], turns=3)
    said = [TextMessage(content="Good morning to you all.", source="ann")]
    print(await rule.decide(said, RuleContext()))  # a rule is tested without a team
    rule.reset()

    ann = AssistantAgent("ann", ReplayChatCompletionClient(["I talk a lot, as you know."]))
    bob = AssistantAgent("bob", ReplayChatCompletionClient(["Yes.", "Go on."]))
    result = await GroupChat([ann, bob], rule=rule).run(task="Speak.")
    for message in result.messages:
        print(f"{message.source}: {message.to_text()}")
    print(result.stop_reason)


if __name__ == "__main__":
    asyncio.run(main())
