# From seed 002, "Framework Deep Dive: AutoGen", section "Swarm Pattern".
# Needs: deep_dive_06, a model server.

from autogen_agentchat.teams import Swarm
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.messages import HandoffMessage
async def main():
    model_client = OpenAIChatCompletionClient(model="gpt-4o")
    # First-line support agent
    support = AssistantAgent(
        name="Support",
        model_client=model_client,
        handoffs=["Billing", "Technical"],
        system_message="""You are first-line support.
For billing questions, handoff to Billing.
For technical issues, handoff to Technical."""
    )
    billing = AssistantAgent(
        name="Billing",
        model_client=model_client,
        handoffs=["Support"],
        system_message="""You handle billing questions.
Handoff back to Support if issue is resolved."""
    )
    technical = AssistantAgent(
        name="Technical",
        model_client=model_client,
        handoffs=["Support"],
        system_message="""You handle technical issues.
Handoff back to Support if issue is resolved."""
    )
    # Swarm starts with first agent
    team = Swarm(
        [support, billing, technical],
        termination_condition=TextMentionTermination("RESOLVED")
    )
    result = await team.run(
        task="I'm having trouble with my subscription billing."
    )
