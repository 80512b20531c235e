"""An agent that runs code shows the output as it comes, and answers with what the code made."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from tests.support.chat_agents import RecordingHandler, collected, kinds, model, says
from tests.support.journal import Journal

from symposia.agentchat.agents import (
    ApprovalRequest,
    ApprovalResponse,
    BlockReport,
    CodeExecution,
    CodeExecutorAgent,
)
from symposia.agentchat.messages import BaseChatMessage, CodeOutputEvent, ExecutionMessage, StopMessage, TextMessage
from symposia.agentchat.teams import RoundRobinGroupChat
from symposia.core import CancellationToken
from symposia.core.code_executor import (
    Artifact,
    BlockResult,
    CodeBlock,
    CodeExecutor,
    CodeOutput,
    CodeResult,
    CommandLineCodeResult,
    OutputListener,
    stream_code,
)
from symposia.core.effects import handle_effects
from symposia.core.exceptions import InvalidArgumentError

WAIT = 10
CODE = "```python\nprint(1)\n```"


class TalkingExecutor(CodeExecutor):
    """Passes on what it prints piece by piece, and waits for `go_on` between the two pieces."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.ended = asyncio.Event()
        self.restored: list[CodeResult] = []

    async def execute_code_blocks(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken
    ) -> CodeResult:
        return await self.execute_with_output(code_blocks, cancellation_token, lambda _stream, _text: None)

    async def execute_with_output(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken, on_output: OutputListener
    ) -> CodeResult:
        try:
            on_output("stdout", "one")
            await self.go_on.wait()
            on_output("stderr", "two")
            return CodeResult(exit_code=0, output="onetwo")
        finally:
            self.ended.set()

    async def restore(self, result: CodeResult) -> None:
        self.restored.append(result)

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def restart(self) -> None: ...


class SilentExecutor(TalkingExecutor):
    """As executors are written that do not know of output."""

    async def execute_code_blocks(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken
    ) -> CodeResult:
        return CodeResult(exit_code=0, output="done")

    execute_with_output = CodeExecutor.execute_with_output


@dataclass
class Reports:
    """A report that makes a stop message of an execution, and keeps the execution."""

    made: list[CodeExecution] = field(default_factory=list[CodeExecution])

    @property
    def message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (StopMessage,)

    def message(self, execution: CodeExecution) -> BaseChatMessage:
        self.made.append(execution)
        return StopMessage(content=execution.refusal or f"{len(execution.blocks)} blocks", source=execution.source)


def told(text: str) -> list[TextMessage]:
    return [TextMessage(content=text, source="coder")]


async def test_output_is_shown_while_the_code_runs() -> None:
    executor = TalkingExecutor()
    agent = CodeExecutorAgent("runner", executor, stream_output=True)
    pieces: list[CodeOutputEvent] = []
    async with asyncio.timeout(WAIT):
        async for item in agent.run_stream(task=told(CODE)):
            if isinstance(item, CodeOutputEvent):
                assert not executor.ended.is_set() or item.content == "two"
                pieces.append(item)
                executor.go_on.set()
            last = item
    assert [(piece.stream, piece.content, piece.source) for piece in pieces] == [
        ("stdout", "one", "runner"),
        ("stderr", "two", "runner"),
    ]
    assert len({piece.full_message_id for piece in pieces}) == 1
    assert kinds(last.messages) == ["TextMessage", "TextMessage"]  # type: ignore[union-attr]  # the last is the result


async def test_output_is_not_shown_unless_it_is_asked_for() -> None:
    executor = TalkingExecutor()
    executor.go_on.set()
    items = await collected(CodeExecutorAgent("runner", executor).run_stream(task=told(CODE)))
    assert kinds(items) == ["TextMessage", "TextMessage", "TaskResult"]


async def test_an_executor_that_passes_no_output_on_works_all_the_same() -> None:
    agent = CodeExecutorAgent("runner", SilentExecutor(), stream_output=True)
    items = await collected(agent.run_stream(task=told(CODE)))
    assert kinds(items) == ["TextMessage", "TextMessage", "TaskResult"]
    assert items[1].to_text() == "done"  # type: ignore[union-attr]  # a message


async def test_output_is_shown_through_a_team_and_is_no_part_of_its_result() -> None:
    executor = TalkingExecutor()
    executor.go_on.set()
    team = RoundRobinGroupChat([CodeExecutorAgent("runner", executor, stream_output=True)], max_turns=1)
    items = await collected(team.run_stream(task=CODE))
    assert kinds(items)[1:3] == ["CodeOutputEvent", "CodeOutputEvent"]
    assert kinds(items[-1].messages) == ["TextMessage", "TextMessage"]  # type: ignore[union-attr]  # the result


async def test_a_model_that_writes_the_code_shows_its_output_too() -> None:
    executor = TalkingExecutor()
    executor.go_on.set()
    agent = CodeExecutorAgent("ann", executor, model_client=model(says(CODE), says("It is one.")), stream_output=True)
    items = await collected(agent.run_stream(task="go"))
    assert kinds(items) == [
        "TextMessage",
        "CodeGenerationEvent",
        "CodeOutputEvent",
        "CodeOutputEvent",
        "CodeExecutionEvent",
        "TextMessage",
        "TaskResult",
    ]


@pytest.mark.parametrize("by", ["token", "task", "closing"])
async def test_ending_the_run_ends_the_code(by: str) -> None:
    executor, token = TalkingExecutor(), CancellationToken()
    agent = CodeExecutorAgent("runner", executor, stream_output=True)
    stream = agent.run_stream(task=told(CODE), cancellation_token=token)
    async with asyncio.timeout(WAIT):
        await anext(stream)
        assert isinstance(await anext(stream), CodeOutputEvent)
        if by == "closing":
            await stream.aclose()
        else:
            waiting = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(0)
            token.cancel() if by == "token" else waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        await executor.ended.wait()


async def test_a_recorded_run_comes_without_output_and_its_files_are_restored() -> None:
    journal = Journal()
    executor = TalkingExecutor()
    executor.go_on.set()
    answers: list[str] = []
    for shown in (2, 0):
        with handle_effects(journal):
            agent = CodeExecutorAgent("runner", executor, stream_output=True)
            items = await collected(agent.run_stream(task=told(CODE)))
        assert kinds(items).count("CodeOutputEvent") == shown
        answers.append(items[-2].to_text())  # type: ignore[union-attr]  # a message
    assert answers == ["onetwo", "onetwo"]
    assert journal.performed == ["agent:runner code"]
    assert executor.restored == [CodeResult(exit_code=0, output="onetwo")]


async def test_streamed_code_is_an_effect_also_without_an_agent() -> None:
    executor, handler = TalkingExecutor(), RecordingHandler()
    executor.go_on.set()
    with handle_effects(handler):
        items = [item async for item in stream_code(executor, [CodeBlock("1", "python")], CancellationToken())]
    assert items == [CodeOutput("stdout", "one"), CodeOutput("stderr", "two"), CodeResult(0, "onetwo")]
    assert handler.seen == [" code"]


# Reports


async def test_a_report_makes_the_answer_of_the_executors_own_result() -> None:
    reports, executor = Reports(), TalkingExecutor()
    executor.go_on.set()
    agent = CodeExecutorAgent("runner", executor, report=reports)
    answer = (await agent.run(task=told(f"{CODE}\n{CODE}"))).messages[-1]
    assert answer == StopMessage(id=answer.id, created_at=answer.created_at, content="2 blocks", source="runner")
    [execution] = reports.made
    assert execution.result == CodeResult(exit_code=0, output="onetwo")
    assert agent.produced_message_types == (StopMessage,)


async def test_a_report_is_told_that_there_was_no_code_and_that_a_block_was_cut_off() -> None:
    reports = Reports()
    agent = CodeExecutorAgent("runner", TalkingExecutor(), report=reports)
    for text, is_cut_off in (("no code", False), ("```python\nprint(", True)):
        await agent.run(task=told(text))
        assert (reports.made[-1].blocks, reports.made[-1].result) == ([], None)
        assert reports.made[-1].is_cut_off is is_cut_off


async def test_a_report_is_told_why_code_was_not_approved() -> None:
    def refuse(request: ApprovalRequest) -> ApprovalResponse:
        return ApprovalResponse(approved=False, reason=f"not {len(request.code)} characters")

    reports = Reports()
    agent = CodeExecutorAgent("runner", TalkingExecutor(), approval_func=refuse, report=reports)
    answer = (await agent.run(task=told(CODE))).messages[-1]
    assert answer.to_text() == reports.made[0].refusal == "not 22 characters"
    assert reports.made[0].result is None


async def test_a_block_report_gives_the_results_with_the_files_block_by_block() -> None:
    file = Artifact(path="a.txt", kind="text/plain", size=1, sha256="0" * 64, data=b"1")
    made = BlockResult(
        block=CodeBlock("1", "python"), code_file=None, status="ok", exit_code=0, output="1", artifacts=(file,)
    )

    class Making(SilentExecutor):
        async def execute_code_blocks(
            self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken
        ) -> CodeResult:
            return CommandLineCodeResult.of([made])

    agent = CodeExecutorAgent("runner", Making(), report=BlockReport())
    answer = (await agent.run(task=told(CODE))).messages[-1]
    assert isinstance(answer, ExecutionMessage)
    assert (answer.source, answer.runs, answer.files, answer.remark) == ("runner", (made,), (file,), "")
    assert agent.produced_message_types == (ExecutionMessage,)


async def test_a_block_report_takes_the_result_of_any_executor() -> None:
    agent = CodeExecutorAgent("runner", SilentExecutor(), report=BlockReport())
    answer = (await agent.run(task=told(f"{CODE}\n{CODE}"))).messages[-1]
    assert isinstance(answer, ExecutionMessage)
    [run] = answer.runs
    assert (run.block.code, run.status, run.output) == ("print(1)\n\nprint(1)\n", "ok", "done")


async def test_a_block_report_says_why_nothing_ran() -> None:
    def refuse(_request: ApprovalRequest) -> ApprovalResponse:
        return ApprovalResponse(approved=False, reason="too risky")

    agent = CodeExecutorAgent(
        "runner",
        SilentExecutor(),
        approval_func=refuse,
        report=BlockReport(no_code="Write code.", cut_off="Write less."),
    )
    remarks = [
        (await agent.run(task=told(text))).messages[-1].to_text() for text in ("no code", "```python\nprint(", CODE)
    ]
    assert remarks == ["Write code.", "Write less.", "Code execution was not approved. Reason: too risky"]


def test_a_report_beside_a_model_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="has a model_client, which answers itself, and a report"):
        CodeExecutorAgent("runner", TalkingExecutor(), model_client=model(), report=Reports())
