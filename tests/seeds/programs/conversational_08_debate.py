# From seed 001, "AutoGen Conversational Agents", section "Full Example: Multi-Agent Debate System".
# Needs: a model server.

import asyncio
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.teams import RoundRobinGroupChat, SelectorGroupChat
from autogen_agentchat.conditions import MaxMessageTermination, TextMentionTermination
from autogen_ext.models.anthropic import AnthropicChatCompletionClient

model = AnthropicChatCompletionClient(
    model="claude-opus-4-6",
    api_key="your-key"
)

# Create a multi-perspective debate system
def make_advocate(position: str, name: str) -> AssistantAgent:
    return AssistantAgent(
        name=name,
        system_message=f"""You are an expert advocate for the following position:
{position}

When making your case:
- Use specific evidence and data
- Acknowledge the strongest counterarguments
- Update your position when presented with compelling evidence
- Be direct: make your point in 150 words or less per turn

When you believe a final decision has been reached, say CONSENSUS: [decision].""",
        model_client=model
    )

async def run_technical_debate(question: str, positions: list[tuple[str, str]]) -> dict:
    """
    Run a structured debate between multiple positions.

    Args:
    question: The question to debate
    positions: List of (position_description, agent_name) tuples

    Returns:
    Dict with final consensus and full transcript
    """
    advocates = [make_advocate(pos, name) for pos, name in positions]

    moderator = AssistantAgent(
        name="moderator",
        system_message="""You moderate technical debates. Your role:
1. After each round, summarize key points of agreement and disagreement
2. Ask probing questions to surface hidden assumptions
3. When consensus emerges, formalize it as FINAL DECISION: [decision]
Keep debate focused and productive. Prevent repetition.""",
        model_client=model
    )

    all_participants = advocates + [moderator]
    termination = (
        TextMentionTermination("FINAL DECISION") |
        MaxMessageTermination(max_messages=24)
    )

    team = RoundRobinGroupChat(
        participants=all_participants,
        termination_condition=termination
    )

    result = await team.run(task=f"Debate: {question}")

    # Extract the final decision from the transcript
    final_decision = None
    for msg in reversed(result.messages):
        if "FINAL DECISION" in str(msg.content) or "CONSENSUS" in str(msg.content):
            final_decision = msg.content
            break

    return {
        "question": question,
        "final_decision": final_decision,
        "message_count": len(result.messages),
        "transcript": [(m.source, m.content) for m in result.messages],
        "stop_reason": result.stop_reason
    }

async def main():
    result = await run_technical_debate(
        question="Should we use Postgres with JSON columns or a dedicated document store for flexible schema data?",
        positions=[
            ("Postgres with JSONB columns is the right choice. It combines ACID guarantees, "
             "mature tooling, and flexible schema in a single system.", "postgres_advocate"),
            ("A dedicated document store (MongoDB or DynamoDB) is the right choice. "
             "Schema flexibility is a first-class concern, not an afterthought.", "docstore_advocate"),
            ("Neither extreme is correct. The decision depends on query patterns. "
             "Start with Postgres JSONB; migrate to a document store when query complexity demands it.", "pragmatist"),
        ]
    )

    print(f"\nDebate completed in {result['message_count']} messages")
    print(f"\nFinal Decision:\n{result['final_decision']}")

    # Show key moments in the debate
    print("\n=== Key Debate Moments ===")
    for source, content in result['transcript']:
        if len(content) > 50: # Skip trivial messages
            print(f"\n[{source}]: {content[:300]}...")

asyncio.run(main())
