"""Executors whose sandboxes start in the background, before the first block."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.support.slow_sandboxes import SlowSandboxes

from symposia.agentchat.agents import BaseChatAgent, CodeExecutorAgent, MessageFilterAgent, MessageFilterConfig
from symposia.agentchat.base import ChatAgent, Response
from symposia.agentchat.conditions import MaxMessageTermination
from symposia.agentchat.messages import BaseChatMessage, TextMessage
from symposia.agentchat.teams import RoundRobinGroupChat
from symposia.core import CancellationToken
from symposia.core.code_executor import CodeBlock, ExecutionObserver, ObservedCodeExecutor
from symposia.core.exceptions import SandboxUnavailableError
from symposia.core.models import LLMMessage
from symposia.ext.code_executors import SandboxCodeExecutor
from symposia.ext.models.replay import ReplayChatCompletionClient

WAIT = 10
BLOCK = [CodeBlock(code="1", language="python")]
CODE = "```python\n1\n```"


class Planner(BaseChatAgent):
    """Answers with code when an event is set."""

    def __init__(self, may_answer: asyncio.Event) -> None:
        super().__init__("planner", "Plans.")
        self._may_answer = may_answer

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (TextMessage,)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        await self._may_answer.wait()
        return Response(chat_message=TextMessage(content=CODE, source=self.name))

    async def on_reset(self, cancellation_token: CancellationToken) -> None: ...


async def test_a_block_waits_for_the_start_that_was_begun_and_makes_no_other() -> None:
    sandboxes = SlowSandboxes()
    async with asyncio.timeout(WAIT):
        executor = SandboxCodeExecutor(sandboxes)
        await executor.start_ahead()
        await executor.start_ahead()
        await sandboxes.begun.wait()
        running = asyncio.ensure_future(executor.execute_code_blocks(BLOCK, CancellationToken()))
        sandboxes.gate.set()
        assert (await running).exit_code == 0
        await executor.stop()
    assert sandboxes.starts == 1
    assert [each.closed for each in sandboxes.sandboxes] == [True]


async def test_a_start_ahead_that_fails_raises_nothing_and_the_first_block_makes_it_again() -> None:
    sandboxes = SlowSandboxes()
    sandboxes.error = SandboxUnavailableError("No engine.")
    sandboxes.gate.set()
    async with asyncio.timeout(WAIT):
        executor = SandboxCodeExecutor(sandboxes)
        await executor.start_ahead()
        with pytest.raises(SandboxUnavailableError, match="No engine"):
            await executor.execute_code_blocks(BLOCK, CancellationToken())
        assert sandboxes.starts == 2
        sandboxes.error = None
        assert (await executor.execute_code_blocks(BLOCK, CancellationToken())).exit_code == 0
        await executor.stop()


async def test_stopping_ends_a_start_ahead() -> None:
    sandboxes = SlowSandboxes()
    async with asyncio.timeout(WAIT):
        executor = SandboxCodeExecutor(sandboxes)
        await executor.start_ahead()
        await executor.stop()
    assert (sandboxes.open_starts, sandboxes.sandboxes) == (0, [])


async def test_a_cancelled_block_leaves_the_start_ahead_to_the_next_one() -> None:
    sandboxes = SlowSandboxes()
    async with asyncio.timeout(WAIT):
        executor = SandboxCodeExecutor(sandboxes)
        await executor.start_ahead()
        await sandboxes.begun.wait()
        token = CancellationToken()
        running = asyncio.ensure_future(executor.execute_code_blocks(BLOCK, token))
        await asyncio.sleep(0)
        token.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        sandboxes.gate.set()
        assert (await executor.execute_code_blocks(BLOCK, CancellationToken())).exit_code == 0
        await executor.stop()
    assert sandboxes.starts == 1


@pytest.mark.parametrize("opened", [False, True], ids=["while it starts", "when it has started"])
def test_the_end_of_the_event_loop_ends_what_was_started_ahead(*, opened: bool) -> None:
    kept: list[SlowSandboxes] = []

    async def begin() -> None:
        kept.append(sandboxes := SlowSandboxes())
        executor = SandboxCodeExecutor(sandboxes)
        await executor.start_ahead()
        await sandboxes.begun.wait()
        if opened:
            sandboxes.gate.set()
            await executor.start()

    asyncio.run(begin())
    assert kept[0].open_starts == 0
    assert [each.closed for each in kept[0].sandboxes] == ([True] if opened else [])


def test_an_executor_of_another_event_loop_raises_at_its_first_block_and_not_before() -> None:
    sandboxes = SlowSandboxes()
    sandboxes.gate.set()
    executor = SandboxCodeExecutor(sandboxes)
    other = asyncio.new_event_loop()
    try:
        other.run_until_complete(executor.start())
        asyncio.run(executor.start_ahead())
    finally:
        other.run_until_complete(executor.stop())
        other.close()
    assert sandboxes.starts == 1


def alone(agent: CodeExecutorAgent) -> ChatAgent:
    return agent


def filtered(agent: CodeExecutorAgent) -> ChatAgent:
    return MessageFilterAgent("filtered", agent, MessageFilterConfig(per_source=[]))


@pytest.mark.parametrize("wrap", [alone, filtered])
async def test_in_a_team_the_sandbox_starts_while_others_speak(wrap: Callable[[CodeExecutorAgent], ChatAgent]) -> None:
    sandboxes = SlowSandboxes()
    async with asyncio.timeout(WAIT):
        executor = SandboxCodeExecutor(sandboxes)
        observed = ObservedCodeExecutor(executor, ExecutionObserver())
        agent = wrap(CodeExecutorAgent("executor", observed))
        planner = Planner(may_answer=sandboxes.begun)
        team = RoundRobinGroupChat([planner, agent], termination_condition=MaxMessageTermination(3))
        running = asyncio.ensure_future(team.run(task="Add."))
        await sandboxes.begun.wait()
        sandboxes.gate.set()
        await running
        await executor.stop()
    assert sandboxes.starts == 1


async def test_a_run_without_a_turn_starts_nothing() -> None:
    sandboxes = SlowSandboxes()
    async with asyncio.timeout(WAIT):
        agent = CodeExecutorAgent("executor", SandboxCodeExecutor(sandboxes))
        team = RoundRobinGroupChat([agent], termination_condition=MaxMessageTermination(1))
        await team.run(task="Add.")
    assert sandboxes.starts == 0


async def test_a_cancelled_run_leaves_the_start_to_the_owner_of_the_executor() -> None:
    sandboxes = SlowSandboxes()
    async with asyncio.timeout(WAIT):
        executor = SandboxCodeExecutor(sandboxes)
        planner = Planner(may_answer=asyncio.Event())
        team = RoundRobinGroupChat([planner, CodeExecutorAgent("executor", executor)])
        running = asyncio.ensure_future(team.run(task="Add."))
        await sandboxes.begun.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await executor.stop()
    assert (sandboxes.open_starts, sandboxes.sandboxes) == (0, [])


async def test_the_sandbox_of_an_agent_that_writes_code_starts_while_its_model_is_asked() -> None:
    sandboxes = SlowSandboxes()

    answers = [CODE, "Done."]

    async def create(_messages: Sequence[LLMMessage]) -> str:
        await sandboxes.begun.wait()
        return answers.pop(0)

    async with asyncio.timeout(WAIT):
        executor = SandboxCodeExecutor(sandboxes)
        agent = CodeExecutorAgent("coder", executor, model_client=ReplayChatCompletionClient(create))
        running = asyncio.ensure_future(agent.run(task="Add."))
        await sandboxes.begun.wait()
        sandboxes.gate.set()
        await running
        await executor.stop()
    assert sandboxes.starts == 1


@pytest.mark.parametrize("delete", [False, True])
async def test_the_source_of_a_block_that_is_to_be_deleted_is_not_left_where_no_sandbox_starts(
    tmp_path: Path, delete: bool
) -> None:
    sandboxes = SlowSandboxes()
    sandboxes.error = SandboxUnavailableError("No engine.")
    sandboxes.gate.set()
    executor = SandboxCodeExecutor(sandboxes, work_dir=tmp_path, delete_tmp_files=delete)
    async with asyncio.timeout(WAIT):
        with pytest.raises(SandboxUnavailableError, match="No engine"):
            await executor.execute_code_blocks(BLOCK, CancellationToken())
    left = await asyncio.to_thread(lambda: list(tmp_path.iterdir()))
    assert len(left) == (0 if delete else 1)
