"""An agent under a journal: killed at any record and run again, it says the same and does nothing twice."""

from collections.abc import Callable

import pytest
from pydantic import BaseModel
from tests.support.chat_agents import ByLength, asks_for, model, says
from tests.support.journal import Crash, Journal

from symposia.agentchat.agents import (
    ApprovalRequest,
    ApprovalResponse,
    AssistantAgent,
    BaseChatAgent,
    CodeExecutorAgent,
    UserProxyAgent,
)
from symposia.core import CancellationToken
from symposia.core.code_executor import CodeBlock, CodeExecutor, CodeResult
from symposia.core.effects import handle_effects
from symposia.core.memory import ListMemory, MemoryContent, MemoryMimeType
from symposia.core.tools import FunctionTool


class Sum(BaseModel):
    total: int


async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def assistant() -> BaseChatAgent:
    """Two tools at once, one of which is an agent, a memory, and an answer that is sent back."""
    expert = AssistantAgent("expert", model(says("four")))

    async def ask(question: str) -> str:
        return (await expert.run(task=question)).messages[-1].to_text()

    memory = ListMemory(memory_contents=[MemoryContent(content="be brief", mime_type=MemoryMimeType.TEXT)])
    calls = asks_for(("add", '{"a": 1, "b": 2}'), ("ask", '{"question": "2+2?"}'), ("add", '{"a": 1}'))
    return AssistantAgent(
        "ann",
        ByLength({3: calls, 5: says("seven"), 7: says('{"total": 7}')}),
        tools=[FunctionTool(add, "Add."), FunctionTool(ask, "Ask.", transparent=True)],
        output_content_type=Sum,
        output_retries=1,
        memory=[memory],
        max_tool_iterations=2,
    )


def streaming() -> BaseChatAgent:
    return AssistantAgent("ann", model("three words here"), model_client_stream=True)


class Calculator(CodeExecutor):
    async def execute_code_blocks(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken
    ) -> CodeResult:
        return CodeResult(exit_code=0, output=str(len(code_blocks)))

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def restart(self) -> None: ...


def approve(request: ApprovalRequest) -> ApprovalResponse:
    return ApprovalResponse(approved="print" in request.code, reason="looks fine")


def coder() -> BaseChatAgent:
    return CodeExecutorAgent(
        "coder",
        Calculator(),
        model_client=ByLength({2: says("```python\nprint(1)\n```"), 4: says("It is one.")}),
        approval_func=approve,
        stream_output=True,
    )


def person() -> BaseChatAgent:
    return UserProxyAgent("me", input_func=lambda prompt: prompt.upper())


async def run(make: Callable[[], BaseChatAgent], journal: Journal) -> list[str]:
    with handle_effects(journal):
        items = [item async for item in make().run_stream(task="go")]
    return [f"{type(item).__name__} {item.to_text()}" for item in items[-1].messages]  # type: ignore[union-attr]  # the last is the result


@pytest.mark.parametrize("make", [assistant, streaming, coder, person])
async def test_an_agent_that_is_killed_at_any_record_goes_on_where_it_was(make: Callable[[], BaseChatAgent]) -> None:
    whole = Journal()
    expected = await run(make, whole)
    assert len(whole.records) == 2 * len(whole.performed)

    for crash_at in range(len(whole.records)):
        journal = Journal(crash_at=crash_at)
        with pytest.raises((Crash, BaseExceptionGroup)):
            await run(make, journal)
        done = [record for record in journal.records if record.what != "begun"]
        journal.crash_at, journal.performed = None, []
        assert await run(make, journal) == expected
        assert len(journal.performed) == len(whole.performed) - len(done)
