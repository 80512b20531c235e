# From seed 001, "AutoGen Conversational Agents", section "Streaming".
# Needs: conversational_01 and 03, a model server.

async def run_with_streaming(question: str):
    """Run a team with real-time streaming output."""
    team = RoundRobinGroupChat(
        participants=[assistant, critic],
        termination_condition=MaxMessageTermination(6)
    )

    print("Streaming team conversation:\n")
    async for event in team.run_stream(task=question):
        from autogen_agentchat.messages import TextMessage, ToolCallResultMessage
        from autogen_agentchat.base import TaskResult

        if isinstance(event, TextMessage):
            # Stream individual tokens as they arrive
            print(f"\n[{event.source}]: ", end="")
            print(event.content, end="", flush=True)

        elif isinstance(event, ToolCallResultMessage):
            print(f"\n[Tool Result]: {str(event.content)[:200]}")

        elif isinstance(event, TaskResult):
            print(f"\n\n=== Task complete. Stop reason: {event.stop_reason} ===")
