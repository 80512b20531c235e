"""A condition of one's own: it ends a run when an agent says again what was said before."""

import asyncio
from dataclasses import dataclass, field

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.conditions import Messages, StatefulCondition
from symposia.agentchat.messages import TextMessage
from symposia.agentchat.teams import RoundRobinGroupChat
from symposia.ext.models.replay import ReplayChatCompletionClient


@dataclass
class Said:
    texts: list[str] = field(default_factory=list[str])


class RepetitionTermination(StatefulCondition[Said]):
    """Ends a run when a text comes again, whatever its case."""

    def __init__(self) -> None:
        super().__init__(Said)  # the state is reset, saved and loaded with the team

    async def look(self, messages: Messages) -> str | None:
        for message in messages:
            if isinstance(message, TextMessage):
                text = message.content.casefold()
                if text in self.state.texts:
                    return f"{message.source} repeats: {message.content}"
                self.state.texts.append(text)
        return None


async def main() -> None:
    model = ReplayChatCompletionClient(["Tea.", "Coffee.", "Tea!", "coffee."])
    agents = [AssistantAgent("ann", model), AssistantAgent("bob", model)]
    team = RoundRobinGroupChat(agents, termination_condition=RepetitionTermination())
    result = await team.run(task="What do we serve?")
    print(result.stop_reason)


if __name__ == "__main__":
    asyncio.run(main())
