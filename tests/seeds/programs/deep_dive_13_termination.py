# From seed 002, "Framework Deep Dive: AutoGen", section "Termination Conditions".
# Needs: deep_dive_07, and a list `agents`; as it stands, SelectorGroupChat gets no model client.

from autogen_agentchat.conditions import (
    TextMentionTermination,
    MaxMessageTermination,
    TimeoutTermination,
    HandoffTermination
)
# Combine conditions with OR
combined = (
    TextMentionTermination("TERMINATE") |
    MaxMessageTermination(20) |
    TimeoutTermination(300) # 5 minutes
)
team = SelectorGroupChat(
    agents,
    termination_condition=combined
)
