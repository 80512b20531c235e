# From seed 002, "Framework Deep Dive: AutoGen", section "Streaming Responses".
# Needs: deep_dive_02, and agents `agent1` and `agent2`.

from autogen_agentchat.ui import Console
async def main():
    team = RoundRobinGroupChat([agent1, agent2])
    # Console helper streams output
    await Console(team.run_stream(task="Your task here"))
