# From seed 002, "Framework Deep Dive: AutoGen", section "RoundRobinGroupChat".
# Needs: a model server.

import asyncio
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_agentchat.conditions import TextMentionTermination
from autogen_ext.models.openai import OpenAIChatCompletionClient
async def main():
    model_client = OpenAIChatCompletionClient(model="gpt-4o")
    # Create specialized agents
    writer = AssistantAgent(
        name="Writer",
        model_client=model_client,
        system_message="""You are a technical writer.
Write clear, concise content."""
    )
    editor = AssistantAgent(
        name="Editor",
        model_client=model_client,
        system_message="""You are an editor.
Review content for clarity and accuracy.
Say TERMINATE when satisfied."""
    )
    # Create team with termination condition
    termination = TextMentionTermination("TERMINATE")
    team = RoundRobinGroupChat(
        [writer, editor],
        termination_condition=termination,
        max_turns=6
    )
    # Run the team
    result = await team.run(
        task="Write a brief explanation of microservices architecture."
    )
    print(result.messages[-1].content)
asyncio.run(main())
