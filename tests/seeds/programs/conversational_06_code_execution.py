# From seed 001, "AutoGen Conversational Agents", section "Code Execution: The Killer Feature".
# Needs: conversational_01, a model server.

from autogen_agentchat.agents import AssistantAgent, CodeExecutorAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_agentchat.conditions import MaxMessageTermination, TextMentionTermination
from autogen_ext.code_executors.local import LocalCommandLineCodeExecutor
import asyncio, tempfile

async def run_coding_session():
    # Local code executor (use Docker for production)
    work_dir = tempfile.mkdtemp()
    executor = LocalCommandLineCodeExecutor(work_dir=work_dir, timeout=60)

    code_executor_agent = CodeExecutorAgent(
        name="code_runner",
        code_executor=executor
    )

    coding_assistant = AssistantAgent(
        name="coding_assistant",
        system_message="""You are a Python data analysis expert.
When given a data analysis task:
1. Write Python code to solve it (always in ```python code blocks)
2. The code will be automatically executed and results returned to you
3. Interpret the results and write more code if needed
4. When the analysis is complete, write ANALYSIS COMPLETE and summarize findings

Always write clean, well-commented code. Handle errors gracefully.""",
        model_client=model_client
    )

    termination = (
        TextMentionTermination("ANALYSIS COMPLETE") |
        MaxMessageTermination(20)
    )

    team = RoundRobinGroupChat(
        participants=[coding_assistant, code_executor_agent],
        termination_condition=termination
    )

    task = """Analyze this dataset and find trends:

sales_data = {
"Q1_2024": {"revenue": 1200000, "customers": 340, "churn_rate": 0.08},
"Q2_2024": {"revenue": 1350000, "customers": 380, "churn_rate": 0.07},
"Q3_2024": {"revenue": 1180000, "customers": 350, "churn_rate": 0.11},
"Q4_2024": {"revenue": 1580000, "customers": 430, "churn_rate": 0.06}
}

Calculate: revenue per customer per quarter, identify the outlier quarter,
and project Q1 2025 revenue with 95% confidence interval."""

    result = await team.run(task=task)

    print("\n=== Coding Session Transcript ===")
    for msg in result.messages:
        print(f"\n[{msg.source}]")
        print(msg.content[:500])

    return result

asyncio.run(run_coding_session())
