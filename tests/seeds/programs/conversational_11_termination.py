# From seed 001, "AutoGen Conversational Agents", section "Termination Conditions".
# Needs: nothing.

from autogen_agentchat.conditions import (
    MaxMessageTermination,
    TextMentionTermination,
    TokenUsageTermination,
    TimeoutTermination
)
from datetime import timedelta

# Combine termination conditions with | (OR) and & (AND)
termination = (
    TextMentionTermination("TASK COMPLETE") | # Stop if any agent says this
    MaxMessageTermination(max_messages=20) | # Stop after 20 messages
    TimeoutTermination(timedelta(minutes=5)) # Stop after 5 minutes
)
