"""The kernel alone: an actor that answers requests, and one that listens to a topic."""

import asyncio
from dataclasses import dataclass

from symposia.core import (
    AgentId,
    MessageContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    TopicId,
    TypeSubscription,
    message_handler,
)


@dataclass
class Add:
    """Put so many items into the basket."""

    items: int


class Basket(RoutedAgent):
    """Counts items, one basket a customer."""

    def __init__(self) -> None:
        super().__init__("A basket.")
        self._items = 0

    @message_handler
    async def on_add(self, message: Add, ctx: MessageContext) -> int:
        """Add items; answer with how many there are."""
        self._items += message.items
        await self.publish_message(f"{ctx.sender or 'The program'} added {message.items}", TopicId("log", "shop"))
        return self._items


class Log(RoutedAgent):
    """Prints what is published."""

    @message_handler
    async def on_line(self, message: str, ctx: MessageContext) -> None:
        """Print a line."""
        print(f"{ctx.topic_id}: {message}")


async def main() -> None:
    runtime = SingleThreadedAgentRuntime()
    await Basket.register(runtime, "basket", Basket)
    await Log.register(runtime, "log", lambda: Log("A log."))
    await runtime.add_subscription(TypeSubscription("log", "log"))
    runtime.start()
    for customer, items in (("Ada", 2), ("Ada", 3), ("Bob", 1)):
        print(customer, "has", await runtime.send_message(Add(items), AgentId("basket", customer)))
    await runtime.stop_when_idle()
    await runtime.close()


if __name__ == "__main__":
    asyncio.run(main())
