# From seed 001, "AutoGen Conversational Agents", section "Swarm".
# Needs: conversational_01 and 03, a model server.

from autogen_agentchat.teams import Swarm
from autogen_agentchat.messages import HandoffMessage

# Swarm agents can hand off to each other
triage_agent = AssistantAgent(
    name="triage",
    system_message="""You triage incoming support requests. Classify the request and hand off to:
- 'billing' for payment/subscription issues
- 'technical' for product bugs or technical questions
- 'escalation' for angry customers or complex multi-issue cases

Always hand off - do not try to resolve requests yourself.""",
    model_client=model_client,
    handoffs=["billing", "technical", "escalation"]
)

billing_agent = AssistantAgent(
    name="billing",
    system_message="""You handle billing and subscription support.
Resolve billing questions. If the issue requires technical knowledge, hand off to 'technical'.""",
    model_client=model_client,
    handoffs=["technical", "escalation"]
)

technical_agent = AssistantAgent(
    name="technical",
    system_message="""You resolve technical support questions with specific instructions.
If the customer is unsatisfied or the issue is unresolvable, hand off to 'escalation'.""",
    model_client=model_client,
    handoffs=["escalation"]
)

escalation_agent = AssistantAgent(
    name="escalation",
    system_message="""You handle escalated cases. You have authority to offer refunds and credits.
Resolve with empathy and a concrete resolution. End with RESOLVED when the case is closed.""",
    model_client=model_client
)

termination = TextMentionTermination("RESOLVED") | MaxMessageTermination(20)

support_swarm = Swarm(
    participants=[triage_agent, billing_agent, technical_agent, escalation_agent],
    termination_condition=termination
)

async def handle_support_ticket(ticket: str):
    result = await support_swarm.run(task=ticket)
    return result
