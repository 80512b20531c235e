import asyncio
from collections.abc import AsyncGenerator, Collection, Sequence

from symposia.agentchat.agents._assistant._decisions import Decision, ToolUse, refusal
from symposia.agentchat.agents._assistant._tool_use import Show, Shown, use_tool
from symposia.agentchat.agents._cancellation import cancelled_by
from symposia.core import CancellationToken, FunctionCall, Image
from symposia.core.models import FunctionExecutionResult
from symposia.core.tools import ImageResultContent


class ToolRound:
    """The calls of one answer of a model, made at the same time.

    Args:
        agent: On whose behalf.
        calls: What the model asks for.
        decisions: What becomes of each.
        token: Cancelling it ends the round.
    """

    def __init__(
        self, agent: str, calls: Sequence[FunctionCall], decisions: Sequence[Decision], token: CancellationToken
    ) -> None:
        self.calls = calls
        self._agent = agent
        self._decisions = decisions
        self._token = token
        self._results: dict[int, FunctionExecutionResult] = {}
        self._images: dict[int, list[Image]] = {}

    @property
    def results(self) -> list[FunctionExecutionResult]:
        """One for each call, in their order, however the round ended: calls that were cut off are marked cancelled."""
        return [
            self._results.get(place) or refusal(call, f"The call of '{call.name}' was cancelled before it ended.")
            for place, call in enumerate(self.calls)
        ]

    @property
    def images(self) -> list[Image]:
        """The pictures in the results, in the order of the calls. In the results themselves is ``<image>`` for each."""
        return [image for place in sorted(self._images) for image in self._images[place]]

    async def events(self) -> AsyncGenerator[Shown, None]:
        """Make the calls, and yield what tools show while they run."""
        news: asyncio.Queue[Shown | asyncio.Task[None]] = asyncio.Queue()
        running = {
            asyncio.create_task(self._settle(place, decision, news.put_nowait))
            for place, decision in enumerate(self._decisions)
        }
        for task in running:
            task.add_done_callback(news.put_nowait)
        try:
            while running:
                with cancelled_by(self._token):
                    item = await news.get()
                if not isinstance(item, asyncio.Task):
                    yield item
                    continue
                running.discard(item)
                if not item.cancelled():  # a tool that cancelled itself has no result, and that is all
                    item.result()
        finally:
            await _end(running)

    async def _settle(self, place: int, decision: Decision, show: Show) -> None:
        if not isinstance(decision, ToolUse):
            self._results[place] = decision
            return
        result = await use_tool(self._agent, decision, self._token, show)
        call = decision.call
        self._results[place] = FunctionExecutionResult(
            content=result.to_text(replace_image="<image>"), name=call.name, call_id=call.id, is_error=result.is_error
        )
        self._images[place] = [piece.content for piece in result.result if isinstance(piece, ImageResultContent)]


async def _end(tasks: Collection[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
