# From seed 002, "Framework Deep Dive: AutoGen", section "Memory and Context Management".
# Needs: deep_dive_02.

from autogen_agentchat.agents import AssistantAgent
# Agents maintain conversation context within a team run
# For long conversations, consider summarization
summarizer = AssistantAgent(
    name="Summarizer",
    model_client=model_client,
    system_message="""Periodically summarize the conversation
to keep context manageable. Focus on key decisions and
outstanding action items."""
)
