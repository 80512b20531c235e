# From seed 001, "AutoGen Conversational Agents", section "AutoGen v0.2 to v0.4 Migration": the part for v0.2, which is a
# comment there.

from autogen import AssistantAgent, UserProxyAgent
assistant = AssistantAgent(name="assistant", llm_config={"model": "gpt-4"})
user_proxy = UserProxyAgent(name="user_proxy", human_input_mode="NEVER")
user_proxy.initiate_chat(assistant, message="Your task here")
