# From seed 001, "AutoGen Conversational Agents", section "Error Handling".
# Needs: a team.

import asyncio
from autogen_agentchat.base import TaskResult

async def safe_team_run(team, task: str, max_retries: int = 2) -> TaskResult:
    """Run a team with retry logic for transient failures."""
    for attempt in range(max_retries + 1):
        try:
            result = await team.run(task=task)
            return result
        except Exception as e:
            if attempt == max_retries:
                raise
            wait_time = 2 ** attempt # Exponential backoff
            print(f"Attempt {attempt + 1} failed: {e}. Retrying in {wait_time}s...")
            await asyncio.sleep(wait_time)
