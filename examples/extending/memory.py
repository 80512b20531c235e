"""A memory of one's own: it tells the model only what shares a word with the newest message."""

import asyncio
import re
from typing import Any

from symposia.agentchat.agents import AssistantAgent
from symposia.core import CancellationToken
from symposia.core.memory import Memory, MemoryContent, MemoryMimeType, MemoryQueryResult, UpdateContextResult
from symposia.core.model_context import ChatCompletionContext
from symposia.core.models import SystemMessage
from symposia.ext.models.replay import ReplayChatCompletionClient


def words(text: str) -> set[str]:
    return {word for word in re.findall(r"\w+", text.casefold()) if len(word) > 3}


class KeywordMemory(Memory):
    """Finds texts by their words of more than three letters."""

    def __init__(self) -> None:
        self._contents: list[MemoryContent] = []

    async def update_context(self, model_context: ChatCompletionContext) -> UpdateContextResult:
        messages = await model_context.get_messages()
        found = await self.query(str(messages[-1].content) if messages else "")
        if found.results:
            facts = "\n".join(f"- {each.content}" for each in found.results)
            await model_context.add_message(SystemMessage(content=f"You know:\n{facts}"))
        return UpdateContextResult(memories=found)

    async def query(
        self, query: str | MemoryContent, cancellation_token: CancellationToken | None = None, **kwargs: Any
    ) -> MemoryQueryResult:
        wanted = words(str(query.content) if isinstance(query, MemoryContent) else query)
        return MemoryQueryResult(results=[each for each in self._contents if words(str(each.content)) & wanted])

    async def add(self, content: MemoryContent, cancellation_token: CancellationToken | None = None) -> None:
        self._contents.append(content)

    async def clear(self) -> None:
        self._contents.clear()

    async def close(self) -> None:
        pass


async def main() -> None:
    memory = KeywordMemory()
    for fact in ("The Danube is 2,857 km long.", "Vienna has 23 districts."):
        await memory.add(MemoryContent(content=fact, mime_type=MemoryMimeType.TEXT))

    model = ReplayChatCompletionClient(["2,857 km."])
    guide = AssistantAgent("guide", model, memory=[memory])
    async for item in guide.run_stream(task="How long is the Danube?"):
        print(type(item).__name__)
    print(model.create_calls[0]["messages"][-1].content)


if __name__ == "__main__":
    asyncio.run(main())
