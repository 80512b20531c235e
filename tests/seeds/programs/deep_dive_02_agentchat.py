# From seed 002, "Framework Deep Dive: AutoGen", section "AgentChat Layer".
# Needs: a model server that speaks OpenAI Chat Completions.

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_ext.models.openai import OpenAIChatCompletionClient
# Create a model client
model_client = OpenAIChatCompletionClient(model="gpt-4o")
# Create an agent
assistant = AssistantAgent(
    name="Assistant",
    model_client=model_client,
    system_message="You are a helpful AI assistant."
)
