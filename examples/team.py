"""Two agents take turns until one of them is satisfied. Needs no key: the model's answers are scripted."""

import asyncio

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.conditions import TextMentionTermination
from symposia.agentchat.teams import RoundRobinGroupChat
from symposia.agentchat.ui import Console
from symposia.ext.models.replay import ReplayChatCompletionClient

model = ReplayChatCompletionClient(["Small services, one job each.", "Say why.", "They deploy alone.", "APPROVE"])
writer = AssistantAgent("writer", model, system_message="You explain things in one sentence.")
editor = AssistantAgent("editor", model, system_message="You ask for more, or say APPROVE.")
team = RoundRobinGroupChat([writer, editor], termination_condition=TextMentionTermination("APPROVE"))

if __name__ == "__main__":
    asyncio.run(Console(team.run_stream(task="What are microservices?")))
