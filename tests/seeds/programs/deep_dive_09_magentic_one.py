# From seed 002, "Framework Deep Dive: AutoGen", section "MagenticOneGroupChat".
# Needs: MagenticOneGroupChat, a model server.

from autogen_agentchat.teams import MagenticOneGroupChat
from autogen_ext.models.openai import OpenAIChatCompletionClient
async def main():
    model_client = OpenAIChatCompletionClient(model="gpt-4o")
    # MagenticOne includes specialized agents:
    # - Orchestrator (manages the workflow)
    # - WebSurfer (browses the web)
    # - FileSurfer (navigates local files)
    # - Coder (writes and debugs code)
    # - ComputerTerminal (executes commands)
    team = MagenticOneGroupChat(
        model_client=model_client
    )
    result = await team.run(
        task="Research the top 3 AI frameworks and save a comparison to report.md"
    )
