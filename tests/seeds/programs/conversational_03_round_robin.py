# From seed 001, "AutoGen Conversational Agents", section "RoundRobinGroupChat".
# Needs: conversational_01, a model server.

from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_agentchat.conditions import MaxMessageTermination, TextMentionTermination

# Create the agents
critic = AssistantAgent(
    name="critic",
    system_message="""You are a rigorous technical critic. When given a solution or proposal:
1. Identify the weakest assumptions
2. Find edge cases that were not considered
3. Propose specific improvements
4. Be concise - one focused critique per turn""",
    model_client=model_client
)

defender = AssistantAgent(
    name="defender",
    system_message="""You defend and improve technical proposals under critique.
When criticized:
1. Acknowledge valid points explicitly
2. Counter invalid points with evidence
3. Propose specific improvements to address valid criticism
4. Revise the proposal when warranted
End with FINAL PROPOSAL when you believe the proposal is ready.""",
    model_client=model_client
)

# Termination: stop when defender says FINAL PROPOSAL or after 10 messages
termination = (
    TextMentionTermination("FINAL PROPOSAL") |
    MaxMessageTermination(max_messages=10)
)

# Round-robin: critic → defender → critic → defender...
debate_team = RoundRobinGroupChat(
    participants=[critic, defender],
    termination_condition=termination
)

import asyncio

async def run_debate(proposal: str):
    result = await debate_team.run(
        task=f"Evaluate and improve this technical proposal:\n\n{proposal}"
    )
    # Print the full conversation
    for message in result.messages:
        print(f"\n[{message.source}]: {message.content}")
    return result

asyncio.run(run_debate("""
API Design Proposal: All endpoints should accept both JSON and GraphQL queries,
with automatic schema generation from Pydantic models and response caching at 5 minutes.
"""))
