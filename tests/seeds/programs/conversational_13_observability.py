# From seed 001, "AutoGen Conversational Agents", section "Observability".
# Needs: a team.

from autogen_agentchat.base import TaskResult

async def traced_team_run(team, task: str) -> TaskResult:
    """Run with comprehensive logging."""
    import logging, time
    logger = logging.getLogger(__name__)
    start = time.time()

    result = await team.run(task=task)
    elapsed = time.time() - start

    logger.info({
            "event": "team_run_complete",
            "task": task[:100],
            "message_count": len(result.messages),
            "stop_reason": result.stop_reason,
            "elapsed_seconds": round(elapsed, 2),
            "agents": [m.source for m in result.messages]
        })

    return result
