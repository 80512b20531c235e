# From seed 002, "Framework Deep Dive: AutoGen", section "Error Handling".
# Needs: a team.

import asyncio
from autogen_agentchat.base import TaskResult
async def run_with_retry(
    team,
    task: str,
    max_retries: int = 3
) -> TaskResult:
    for attempt in range(max_retries):
        try:
            result = await asyncio.wait_for(
                team.run(task=task),
                timeout=600 # 10 minute timeout
            )
            return result
        except asyncio.TimeoutError:
            if attempt == max_retries - 1:
                raise
            await asyncio.sleep(2 ** attempt) # Exponential backoff
    raise RuntimeError("Max retries exceeded")
