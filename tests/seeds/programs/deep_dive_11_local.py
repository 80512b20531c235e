# From seed 002, "Framework Deep Dive: AutoGen", section "Local Execution (Development Only)".
# Needs: nothing.

from autogen_ext.code_executors.local import LocalCommandLineCodeExecutor
# Only use in development with trusted code
local_executor = LocalCommandLineCodeExecutor(
    timeout=60,
    work_dir="./scratch"
)
