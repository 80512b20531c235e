# From seed 001, "AutoGen Conversational Agents", section "SelectorGroupChat".
# Needs: conversational_01 and 03, a model server.

from autogen_agentchat.teams import SelectorGroupChat

frontend_expert = AssistantAgent(
    name="frontend_expert",
    system_message="You are a frontend engineer. Speak when frontend concerns are relevant.",
    model_client=model_client
)

backend_expert = AssistantAgent(
    name="backend_expert",
    system_message="You are a backend engineer. Speak when backend/API concerns are relevant.",
    model_client=model_client
)

security_expert = AssistantAgent(
    name="security_expert",
    system_message="You are a security engineer. Speak when security or auth concerns arise.",
    model_client=model_client
)

product_manager = AssistantAgent(
    name="product_manager",
    system_message="""You are the PM. You ask clarifying questions and
synthesize the team's input into a decision. End with DECISION REACHED when consensus is clear.""",
    model_client=model_client
)

termination = TextMentionTermination("DECISION REACHED") | MaxMessageTermination(15)

# Selector picks the most relevant expert for each turn
architecture_team = SelectorGroupChat(
    participants=[frontend_expert, backend_expert, security_expert, product_manager],
    model_client=model_client, # Used by selector to pick next speaker
    termination_condition=termination,
    selector_prompt="""Given the conversation history, select the next participant
who has the most relevant expertise for the current topic. Return only the name
of the participant, nothing else."""
)

async def architecture_review(proposal: str):
    result = await architecture_team.run(
        task=f"Review this architecture proposal as a team:\n\n{proposal}"
    )
    return result
