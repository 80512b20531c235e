# From seed 002, "Framework Deep Dive: AutoGen", section "UserProxyAgent".
# Needs: somebody who types.

from autogen_agentchat.agents import UserProxyAgent
# Human-in-the-loop agent
human = UserProxyAgent(
    name="User",
    description="A human user who provides requirements and feedback"
)
