# From seed 001, "AutoGen Conversational Agents", section "UserProxyAgent".
# Needs: Docker, where its coroutine is run.

from autogen_agentchat.agents import UserProxyAgent
from autogen_agentchat.base import TaskResult

# Human proxy - asks for human input at each turn
human_proxy = UserProxyAgent(
    name="human_user",
    input_func=input # Built-in: asks human via terminal
)

# Automated proxy - no human required
from autogen_agentchat.agents import CodeExecutorAgent
from autogen_ext.code_executors.docker import DockerCommandLineCodeExecutor

async def create_code_executor():
    """Create a Docker-based code executor."""
    executor = DockerCommandLineCodeExecutor(
        image="python:3.11-slim",
        work_dir="/workspace",
        timeout=60
    )
    await executor.start()
    return executor

# Code executor agent - automatically runs code blocks from assistant
# In production: use Docker for isolation
