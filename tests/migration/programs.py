"""Programs for AutoGen 0.2 of the kinds that are rewritten to the interface of 0.4."""

CODING = """\
from autogen import AssistantAgent, UserProxyAgent

assistant = AssistantAgent(name="assistant", llm_config={"model": "gpt-4", "cache_seed": None})
user_proxy = UserProxyAgent(
    name="user_proxy",
    human_input_mode="NEVER",
    is_termination_msg=lambda x: "DONE" in x["content"],
    code_execution_config={"work_dir": "w", "use_docker": False},
)
user_proxy.initiate_chat(assistant, message="Your task here")
"""

ASKING = """\
import autogen

config = {"config_list": [{"model": "gpt-4", "api_key": "x"}], "cache_seed": None}
a = autogen.AssistantAgent("a", llm_config=config)
u = autogen.UserProxyAgent(
    "u", human_input_mode="NEVER", code_execution_config=False, max_consecutive_auto_reply=2
)


def ask(question):
    \"\"\"Ask.\"\"\"
    result = u.initiate_chat(a, message=question, silent=True)
    return result.summary


print(ask("hi"))
"""

TOOLS = """\
import asyncio
from typing import Annotated

from autogen import ConversableAgent, UserProxyAgent, register_function

llm_config = {"config_list": [{"model": "gpt-4o"}], "cache_seed": None}
bot = ConversableAgent(
    "bot", llm_config=llm_config, human_input_mode="NEVER", system_message="Say TERMINATE."
)
user = UserProxyAgent(
    "user",
    human_input_mode="NEVER",
    is_termination_msg=lambda m: (m.get("content") or "").rstrip().endswith("TERMINATE"),
    code_execution_config=False,
)


@user.register_for_execution()
@bot.register_for_llm(description="Adds.")
def add(a: Annotated[int, "one"], b: int) -> int:
    return a + b


def mul(a: int, b: int) -> int:
    return a * b


register_function(mul, caller=bot, executor=user, name="mul", description="Multiplies.")


async def main():
    result = await user.a_initiate_chat(bot, message="2+2?")
    print("said:", result.summary)


asyncio.run(main())
"""

TWO_MODELS = """\
from autogen import ConversableAgent

cathy = ConversableAgent(
    "cathy",
    system_message="You are Cathy.",
    llm_config={"config_list": [{"model": "gpt-4", "temperature": 0.9}], "cache_seed": None},
    human_input_mode="NEVER",
)
joe = ConversableAgent(
    "joe",
    system_message="You are Joe.",
    llm_config={"config_list": [{"model": "gpt-4", "temperature": 0.7}], "cache_seed": None},
    human_input_mode="NEVER",
    is_termination_msg=lambda msg: "good bye" in msg["content"].lower(),
)
result = joe.initiate_chat(cathy, message="Tell me a joke.", max_turns=2)
print(result.chat_history[-1]["content"])
"""

IN_TURNS = """\
import autogen

llm_config = {"config_list": [{"model": "gpt-4"}], "cache_seed": None}
user = autogen.UserProxyAgent(
    "user", human_input_mode="NEVER", code_execution_config={"work_dir": "x", "use_docker": False}
)
a = autogen.AssistantAgent("a", llm_config=llm_config)
b = autogen.AssistantAgent("b", llm_config=llm_config)
chat = autogen.GroupChat([user, a, b], messages=[], max_round=5, speaker_selection_method="round_robin")
manager = autogen.GroupChatManager(groupchat=chat, llm_config=llm_config)
user.initiate_chat(manager, message="go")
"""

SELECTED = IN_TURNS.replace(', speaker_selection_method="round_robin"', "")

BY_CALLS = """\
from autogen import ConversableAgent

bot = ConversableAgent("bot", llm_config={"model": "gpt-4o", "cache_seed": None})
user = ConversableAgent(
    "user",
    llm_config=False,
    is_termination_msg=lambda msg: msg.get("content") is not None and "TERMINATE" in msg["content"],
    human_input_mode="NEVER",
)


def add(a: int, b: int) -> int:
    return a + b


def mul(a: int, b: int) -> int:
    return a * b


# What the model is told.
bot.register_for_llm(name="add", description="Adds.")(add)
bot.register_for_llm(description="Multiplies.")(mul)
user.register_for_execution(name="add")(add)
user.register_for_execution()(mul)
user.initiate_chat(bot, message="2+2?")
"""

STREAMED = ASKING.replace('"cache_seed": None', '"cache_seed": None, "stream": True')

SILENT_IN_TURNS = IN_TURNS.replace('{"work_dir": "x", "use_docker": False}', "False")

TRANSITIONS = """\
import autogen

llm_config = {"model": "gpt-4", "cache_seed": None}
a = autogen.AssistantAgent("a", llm_config=llm_config)
b = autogen.AssistantAgent("b", llm_config=llm_config)
c = autogen.AssistantAgent("c", llm_config=llm_config)
chat = autogen.GroupChat(
    agents=[a, b, c],
    messages=[],
    max_round=5,
    allowed_or_disallowed_speaker_transitions={a: [b, c], b: [c], c: [a]},
    speaker_transitions_type="allowed",
)
manager = autogen.GroupChatManager(groupchat=chat, llm_config=llm_config)
a.initiate_chat(manager, message="go")
"""

FORBIDDEN = TRANSITIONS.replace("{a: [b, c], b: [c], c: [a]}", "{a: [a], b: [a, b], c: [b, c]}").replace(
    '"allowed",', '"disallowed",'
)
