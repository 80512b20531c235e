# From seed 001, "AutoGen Conversational Agents", section "AutoGen v0.2 to v0.4 Migration".
# Needs: `import asyncio` of conversational_03, a model server.

# ─── v0.2 (DO NOT USE FOR NEW CODE) ──────────────────────────────────────────
# from autogen import AssistantAgent, UserProxyAgent
# assistant = AssistantAgent(name="assistant", llm_config={"model": "gpt-4"})
# user_proxy = UserProxyAgent(name="user_proxy", human_input_mode="NEVER")
# user_proxy.initiate_chat(assistant, message="Your task here")

# ─── v0.4 equivalent ──────────────────────────────────────────────────────────
from autogen_agentchat.agents import AssistantAgent, UserProxyAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_ext.models.anthropic import AnthropicChatCompletionClient

model_client = AnthropicChatCompletionClient(model="claude-opus-4-6")

assistant = AssistantAgent(
    name="assistant",
    model_client=model_client,
    system_message="You are a helpful assistant."
)

termination = MaxMessageTermination(max_messages=10)
team = RoundRobinGroupChat([assistant], termination_condition=termination)

async def run():
    result = await team.run(task="Your task here")
    print(result.messages[-1].content)

asyncio.run(run())
