# From seed 002, "Framework Deep Dive: AutoGen", section "CodeExecutorAgent".
# Needs: Docker, where its agent is run.

from autogen_agentchat.agents import CodeExecutorAgent
from autogen_ext.code_executors.docker import DockerCommandLineCodeExecutor
# Create code executor (Docker recommended for safety)
code_executor = DockerCommandLineCodeExecutor(
    image="python:3.11-slim",
    timeout=60
)
executor_agent = CodeExecutorAgent(
    name="CodeRunner",
    code_executor=code_executor,
    description="Executes Python code and returns results"
)
