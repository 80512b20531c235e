# From seed 004, "Multi-Agent Systems in Python", section "Full Example".
# Needs: AutoGen v0.2.

import autogen
import os

# -------------------------------------------------------
# Step 1: Configure the LLM backend
# AutoGen supports OpenAI, Azure, Anthropic, and local models.
# We use environment variables to keep secrets out of code.
# -------------------------------------------------------
config_list = [
    {
        "model": "gpt-4o",
        "api_key": os.environ.get("OPENAI_API_KEY"),
    }
]

llm_config = {
    "config_list": config_list,
    "temperature": 0.2,       # Lower temperature = more deterministic, precise code
    "cache_seed": 42,         # Reproducible results for debugging
}

# -------------------------------------------------------
# Step 2: Define the AssistantAgent (the Coder)
# This agent receives task instructions and writes code.
# It does NOT execute code itself; execution is delegated.
# -------------------------------------------------------
assistant = autogen.AssistantAgent(
    name="DataAnalystAgent",
    llm_config=llm_config,
    system_message="""
    You are an expert Python data analyst.
    When given a data task, write clean, well-commented Python code.
    Always save any generated charts as PNG files.
    Respond with ONLY the code block. Do not explain unless asked.
    When the task is complete, reply with TERMINATE.
    """,
)

# -------------------------------------------------------
# Step 3: Define the UserProxyAgent (the Executor)
# This agent proxies the human role. In NEVER mode,
# it runs fully autonomously without human input.
# Code execution is sandboxed via a local Docker container
# or the current Python environment.
# -------------------------------------------------------
user_proxy = autogen.UserProxyAgent(
    name="ExecutorAgent",
    human_input_mode="NEVER",           # Fully autonomous execution
    max_consecutive_auto_reply=10,       # Safety ceiling on auto-replies
    is_termination_msg=lambda msg: "TERMINATE" in msg.get("content", ""),
    code_execution_config={
        "work_dir": "agent_workspace",   # Code runs in this directory
        "use_docker": False,             # Set True in production for isolation
    },
    llm_config=False,                   # Executor does not use an LLM
)

# -------------------------------------------------------
# Step 4: Initiate the conversation with a concrete task
# The UserProxy sends the task to the AssistantAgent.
# AutoGen manages the back-and-forth automatically.
# -------------------------------------------------------
task = """
Generate a synthetic sales dataset with 100 rows containing:
- 'month' (Jan to Dec, repeated)
- 'product' (randomly from ['Widget A', 'Widget B', 'Widget C'])
- 'revenue' (random float between 1000 and 50000)
- 'units_sold' (random int between 10 and 500)

Then:
1. Compute total revenue and average units sold per product.
2. Plot a bar chart of total revenue by product.
3. Save the chart as 'revenue_by_product.png'.
4. Print the summary statistics to the console.
"""

user_proxy.initiate_chat(
    recipient=assistant,
    message=task,
    clear_history=True,
)

print("Agent task completed. Check agent_workspace/ for output files.")
