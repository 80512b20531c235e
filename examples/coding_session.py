"""A session with a coder: two tasks one after the other, in one sandbox, whose files stay. Needs no key.

The model's words are scripted, and the code really runs.
"""

import asyncio

from symposia.agentchat.agents import AssistantAgent, CodeExecutorAgent
from symposia.agentchat.conditions import MaxMessageTermination, TextMentionTermination
from symposia.agentchat.messages import TextMessage
from symposia.agentchat.teams import SelectorGroupChat
from symposia.ext.code_executors import create_default_code_executor
from symposia.ext.models.replay import ReplayChatCompletionClient

ANSWERS = [
    """```python
import csv

with open("sales.csv", "w") as file:
    csv.writer(file).writerows([("tea", 3), ("rum", 5)])
print("2 rows written")
```""",
    "The file is there. DONE",
    """```python
print(max(open("sales.cvs")))
```""",
    """```python
import csv

print(max(csv.reader(open("sales.csv")), key=lambda row: int(row[1])))
```""",
    "Rum sells best, with 5. DONE",
]
TASKS = ["Write a file with the sales.", "What sells best?"]


async def main() -> None:
    model = ReplayChatCompletionClient(ANSWERS)
    coder = AssistantAgent(
        "coder",
        model,
        description="Writes Python.",
        system_message="You write Python, and say DONE when its output answers the task.",
    )
    async with create_default_code_executor() as executor:
        runner = CodeExecutorAgent("runner", executor, sources=["coder"])
        team = SelectorGroupChat(
            [coder, runner],
            model,
            selector_func=lambda messages: "runner" if messages[-1].source == "coder" else "coder",
            termination_condition=TextMentionTermination("DONE") | MaxMessageTermination(12),
        )
        for task in TASKS:  # the team remembers the first task, and the sandbox its file
            result = await team.run(task=task)
            for message in result.messages:
                if isinstance(message, TextMessage):
                    *_, last = message.content.strip().removesuffix("```").strip().splitlines()
                    print(f"{message.source}: {last}")
            print("--", result.stop_reason)


if __name__ == "__main__":
    asyncio.run(main())
