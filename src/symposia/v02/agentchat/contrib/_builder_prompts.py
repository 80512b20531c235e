"""What an `AgentBuilder` asks its model, and what its agents are told."""

from __future__ import annotations

from typing import Final

NAMES: Final = """Put together a group of experts for a task.

The task: {task}

At most {max_agents} experts are needed, and fewer are better. None of them executes programs or calls functions: that
is done for them. Answer with their names alone, separated by commas. A name says the field of its expert, in letters
and underscores, such as Chess_Player.
"""

SYSTEM_MESSAGE: Final = """Write the instructions of an expert, who works on a task in a group.

The task: {task}
The expert: {position}
{default_sys_msg}
Say what this expert knows and can do, which part of the task is theirs, and what they leave to others. Say that they
check what others claim, and answer with TERMINATE when the whole task is done. Address the expert as "you", in at most
ten sentences. Answer with the instructions alone.
"""

DESCRIPTION: Final = """Describe an expert in one sentence, for those who choose who speaks next.

The expert: {position}
Their instructions: {sys_msg}

Answer with the sentence alone.
"""

CODING: Final = """A group of experts works on a task.

The task: {task}

Do they have to run programs for it, as to compute something, to read files or to reach the Internet? Answer with YES or
NO alone.
"""

SELECTION: Final = """Choose the experts of a group for a task.

The task: {task}

These experts can be chosen:
{agent_list}

At most {max_agents} are needed, and fewer are better. Answer with their names alone, separated by commas.
"""

FUNCTION: Final = """A function is given to one expert of a group.

The function {function_name}: {function_description}

The experts:
{agent_details}

Who of them needs it most? Answer with the name alone.
"""

FUNCTION_NOTE: Final = """{agent_sys_message}

You can call the function {function_name}: {function_description}
"""

GROUP: Final = """You are {name}, one of several experts in a group chat about a task.

- The message of each expert begins with their name. Say what you think of it where it is about your field, also when it
  is wrong.
- Another one runs programs: those in ```python and ```sh blocks, each in full, with the results printed. Wait for what
  it prints, and do not guess it.
- When the task is done, and checked, answer with TERMINATE.

{sys_msg}
"""

PROXY_REPLY: Final = """There is no program here to be run.
If the task is done, let another expert check the result, and answer with TERMINATE if it is right. If it is not, go on.
"""

PROXY_DESCRIPTION: Final = (
    "Computer_terminal runs the programs in ```python and ```sh blocks, and says what they print. It does nothing "
    "else, and is to speak right after a message with such a block."
)
