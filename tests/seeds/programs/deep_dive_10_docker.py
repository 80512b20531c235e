# From seed 002, "Framework Deep Dive: AutoGen", section "Docker Execution (Recommended)".
# Needs: deep_dive_02, Docker, a model server.

from autogen_ext.code_executors.docker import DockerCommandLineCodeExecutor
from autogen_agentchat.agents import AssistantAgent, CodeExecutorAgent
# Secure Docker-based execution
docker_executor = DockerCommandLineCodeExecutor(
    image="python:3.11-slim",
    timeout=120,
    work_dir="/workspace"
)
# Coder agent generates code
coder = AssistantAgent(
    name="Coder",
    model_client=model_client,
    system_message="""You write Python code to solve problems.
Always include proper error handling.
Format code in markdown code blocks."""
)
# Executor runs the code safely
executor = CodeExecutorAgent(
    name="Executor",
    code_executor=docker_executor
)
# Team them together
team = RoundRobinGroupChat(
    [coder, executor],
    max_turns=10
)
