# From seed 001, "AutoGen Conversational Agents", section "AssistantAgent".
# Needs: a model server that speaks Anthropic Messages.

from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.anthropic import AnthropicChatCompletionClient

# Initialize the model client
model_client = AnthropicChatCompletionClient(
    model="claude-opus-4-6",
    api_key="your-anthropic-key",
    max_tokens=4096
)

# Define tools
from autogen_agentchat.tools import FunctionTool

async def search_web(query: str) -> str:
    """Search the web for information."""
    # Real implementation would call a search API
    return f"Search results for '{query}': [result 1, result 2, result 3]"

async def run_python(code: str) -> str:
    """Execute Python code and return the output."""
    import subprocess, sys, tempfile, os
    with tempfile.NamedTemporaryFile(mode='w', suffix='.py', delete=False) as f:
        f.write(code)
        tmpfile = f.name
    try:
        result = subprocess.run(
            [sys.executable, tmpfile],
            capture_output=True, text=True, timeout=30
        )
        return result.stdout if result.returncode == 0 else f"Error: {result.stderr}"
    finally:
        os.unlink(tmpfile)

search_tool = FunctionTool(search_web, description="Search the web for information")
code_tool = FunctionTool(run_python, description="Execute Python code")

# Create the assistant
assistant = AssistantAgent(
    name="research_assistant",
    system_message="""You are a research assistant with access to web search and
code execution. When asked to research a topic:
1. Search for current information from multiple angles
2. Use code to analyze or verify numerical claims when appropriate
3. Synthesize findings into a clear, structured response
4. Flag anything you are uncertain about""",
    model_client=model_client,
    tools=[search_tool, code_tool]
)
