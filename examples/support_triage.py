"""Support by handoff: triage, specialists with tools, and a colleague who is a person. Models and lines are recorded.

With a key, `symposia support --model M` lets you talk with the same team.
"""

import asyncio

from symposia.agentchat.agents import UserProxyAgent
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, HandoffMessage, TextMessage
from symposia.core.effects import HumanQuestion
from symposia.presets import recorded_model
from symposia.presets.support import AGENTS, COLLEAGUE, Shop, bundled_support, converse, support_team


def show(message: BaseAgentEvent | BaseChatMessage) -> None:
    """Print answers and handovers."""
    match message:
        case HandoffMessage():
            print(f"[{message.source} hands over to {message.target}]")
        case TextMessage():
            print(f"{message.source}: {message.content}")
        case _:
            pass


async def main() -> None:
    """Play a customer's case, and look at the orders afterwards."""
    recorded = bundled_support()
    lines = iter(recorded.lines)

    async def read() -> str | None:
        line = next(lines, None)
        print(f"customer: {line}" if line else "")
        return line

    async def ask_colleague(question: HumanQuestion) -> str:
        answer = next(lines)
        print(f"colleague: {answer}" if question.approval_of is None else f"colleague: {question} {answer}")
        return answer

    models = {agent: recorded_model(recorded.reply, agent) for agent in AGENTS}
    shop = Shop.bundled(ask_colleague)
    team = support_team(models, shop, UserProxyAgent(COLLEAGUE, input_func=ask_colleague))
    await converse(team, read, show)
    for order in shop.orders.values():
        print(f"{order.number}: {order.refunded:.2f} of {order.paid:.2f} EUR paid back")


if __name__ == "__main__":
    asyncio.run(main())
