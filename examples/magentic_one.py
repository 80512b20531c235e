"""Magentic-One: an orchestrator plans, instructs a coder and a terminal, plans anew where they are stuck, and answers.

The code really runs, in the best sandbox of this machine. Needs no key: the models' answers are scripted. For a real
model, give the team another client.
"""

import asyncio
import json

from symposia.agentchat.agents import CodeExecutorAgent
from symposia.agentchat.teams import MagenticOneGroupChat
from symposia.agentchat.ui import Console
from symposia.ext.agents.magentic_one import MagenticOneCoderAgent
from symposia.ext.code_executors import create_default_code_executor
from symposia.ext.models.replay import ReplayChatCompletionClient


def judgement(speaker: str, instruction: str, reason: str, *, done: bool = False, progress: bool = True) -> str:
    """How the orchestrator's model judges the work before each turn."""
    answers = {
        "is_request_satisfied": done,
        "is_in_loop": False,
        "is_progress_being_made": progress,
        "next_speaker": speaker,
        "instruction_or_question": instruction,
    }
    return json.dumps({key: {"reason": reason, "answer": answer} for key, answer in answers.items()})


answers = [
    "Known\n- Friday the 13th, years 2001 to 2100\nOpen\n- how many: run code\nDone when\n- the number was computed",
    "1. Coder writes a program that counts them.\n2. ComputerTerminal runs it.",
    judgement("Coder", "Write a program that counts them.", "The program is missing."),
    judgement("ComputerTerminal", "Run the program.", "The program is there."),
    judgement("Coder", "Correct it.", "The program failed: it reads a file that nobody made.", progress=False),
    "Known\n- there is no calendar.csv (ComputerTerminal)\nOpen\n- the number: run code",
    "1. Coder writes a program that computes the weekdays.\n2. ComputerTerminal runs it.",
    judgement("Coder", "Compute the weekdays, without a file.", "There is a new plan."),
    judgement("ComputerTerminal", "Run the program.", "The program needs no file."),
    judgement("Coder", "", "The number was computed.", done=True),
    "There are 172 Fridays the 13th from 2001 to 2100.",
]
programs = [
    """\
```python
from pathlib import Path

if not Path("calendar.csv").exists():
    raise SystemExit("calendar.csv is not there")
```""",
    """\
```python
from datetime import date

months = [(year, month) for year in range(2001, 2101) for month in range(1, 13)]
print(sum(date(year, month, 13).weekday() == 4 for year, month in months))
```""",
]


def review(plan: str) -> str:
    """Approve the plan. With `plan_review=input` a person does it at the terminal."""
    print(f"---------- plan_review ----------\n{plan.strip()}\nyes")
    return "yes"


async def main() -> None:
    """Let the team count."""
    orchestrator = ReplayChatCompletionClient([*answers])
    async with create_default_code_executor() as executor:
        coder = MagenticOneCoderAgent("Coder", ReplayChatCompletionClient([*programs]))
        terminal = CodeExecutorAgent("ComputerTerminal", executor)
        team = MagenticOneGroupChat([coder, terminal], orchestrator, max_stalls=1, plan_review=review)
        result = await Console(team.run_stream(task="How many Fridays the 13th are there from 2001 to 2100?"))
    print(f"---------- {result.stop_reason} ----------")


if __name__ == "__main__":
    asyncio.run(main())
