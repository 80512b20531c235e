"""An assistant with a skill: it reads the skill when a question needs it, and runs the skill's script in a sandbox."""

import asyncio
import json
from pathlib import Path

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.messages import ToolCallExecutionEvent
from symposia.core import FunctionCall
from symposia.core.models import CreateResult, ModelInfo, RequestUsage
from symposia.ext.models.replay import ReplayChatCompletionClient

SKILLS = Path(__file__).parent / "skills"
ABLE = ModelInfo(vision=False, function_calling=True, json_output=True, family="unknown", structured_output=True)


def calls(tool: str, /, **arguments: object) -> CreateResult:
    call = FunctionCall(id=tool, name=tool, arguments=json.dumps(arguments))
    return CreateResult(finish_reason="function_calls", content=[call], usage=RequestUsage(50, 10), cached=False)


async def main() -> None:
    model = ReplayChatCompletionClient(
        [
            calls("read_skill", name="loan-plan"),
            calls("run_skill_script", skill="loan-plan", path="scripts/plan.py", arguments=["200000", "3.6", "25"]),
            "You pay 1,012.01 euros a month, and 103,601.63 euros of interest in all.",
        ],
        model_info=ABLE,
    )
    advisor = AssistantAgent("advisor", model, skills=SKILLS)
    result = await advisor.run(task="A loan of 200,000 euros at 3.6 % for 25 years: what do I pay?")
    for message in result.messages:
        if isinstance(message, ToolCallExecutionEvent):
            print(message.content[0].content.splitlines()[0])
    print(result.messages[-1].to_text())
    await advisor.close()


if __name__ == "__main__":
    asyncio.run(main())
