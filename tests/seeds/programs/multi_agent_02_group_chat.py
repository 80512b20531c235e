# From seed 004, "Multi-Agent Systems in Python", section "Extending to GroupChat".
# Needs: AutoGen v0.2, multi_agent_01.

# Add a ReviewerAgent that critiques the code before execution
reviewer = autogen.AssistantAgent(
    name="ReviewerAgent",
    llm_config=llm_config,
    system_message="""
    You are a senior Python code reviewer.
    Review code for correctness, efficiency, and security.
    If the code is acceptable, reply: 'APPROVED: proceed.'
    If not, explain what to fix clearly and concisely.
    """,
)

# GroupChat lets all three agents communicate in a round-table fashion
group_chat = autogen.GroupChat(
    agents=[user_proxy, assistant, reviewer],
    messages=[],
    max_round=15,
    speaker_selection_method="auto",   # AutoGen selects next speaker by context
)

manager = autogen.GroupChatManager(
    groupchat=group_chat,
    llm_config=llm_config,
)

# Kick off the group workflow
user_proxy.initiate_chat(
    recipient=manager,
    message=task,
    clear_history=True,
)
