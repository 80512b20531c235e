import asyncio
import hashlib
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from tests.support.chat_agents import (
    PIXEL,
    SEEING,
    USAGE,
    RecordingHandler,
    SlowContext,
    collected,
    kinds,
    model,
    says,
    shown,
)

from symposia.agentchat.agents import ApprovalRequest, ApprovalResponse, CodeExecutorAgent
from symposia.agentchat.messages import (
    CodeExecutionEvent,
    CodeGenerationEvent,
    ModelClientStreamingChunkEvent,
    MultiModalMessage,
    OutputRejectedEvent,
    TextMessage,
)
from symposia.core import CancellationToken
from symposia.core.code_executor import (
    Artifact,
    BlockResult,
    CodeBlock,
    CodeExecutor,
    CodeResult,
    CommandLineCodeResult,
    RunStatus,
)
from symposia.core.effects import handle_effects
from symposia.core.exceptions import (
    ArgumentTypeError,
    InputEndedError,
    InvalidArgumentError,
    ModelAnswerError,
    SandboxDiedError,
)
from symposia.core.models import AssistantMessage, ModelInfo, UserMessage

WAIT = 10
PLOT = "```python\nplot()\n```"
CODE = "```python\nprint(1)\n```"
RETRY, GIVE_UP = '{"reason": "print 2", "retry": true}', '{"reason": "hopeless", "retry": false}'


class ScriptedExecutor(CodeExecutor):
    """Gives these results, one a call."""

    def __init__(self, *results: CodeResult | Exception) -> None:
        self._results = list(results)
        self.ran: list[list[CodeBlock]] = []

    async def execute_code_blocks(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken
    ) -> CodeResult:
        self.ran.append(code_blocks)
        result = self._results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def restart(self) -> None: ...


class HangingExecutor(ScriptedExecutor):
    """Starts to run and never ends."""

    def __init__(self) -> None:
        super().__init__()
        self.started = asyncio.Event()
        self.killed = asyncio.Event()

    async def execute_code_blocks(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken
    ) -> CodeResult:
        self.started.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.killed.set()
        raise AssertionError


def artifact(path: str, kind: str, data: bytes) -> Artifact:
    return Artifact(path=path, kind=kind, size=len(data), sha256=hashlib.sha256(data).hexdigest(), data=data)


def block_result(output: str, *artifacts: Artifact, exit_code: int = 0) -> BlockResult:
    status: RunStatus = "error" if exit_code else "ok"
    block = CodeBlock(code="…", language="python")
    return BlockResult(
        block=block, code_file="a.py", status=status, exit_code=exit_code, output=output, artifacts=artifacts
    )


def result(*blocks: BlockResult) -> CommandLineCodeResult:
    return CommandLineCodeResult(
        exit_code=blocks[-1].exit_code, output="".join(each.output for each in blocks), code_file="a.py", blocks=blocks
    )


PLOTTED = result(
    block_result(
        "saved\n",
        artifact("plot.png", "image/png", PIXEL.data),
        artifact("a.csv", "text/csv", b"1,2"),
        artifact("fake.png", "image/png", b"not a picture"),
    )
)


async def answer_to(agent: CodeExecutorAgent, *texts: str) -> str:
    task = [TextMessage(content=text, source="coder") for text in texts]
    return (await agent.run(task=task)).messages[-1].to_text()


async def test_code_in_messages_is_run_and_its_output_is_the_answer() -> None:
    executor = ScriptedExecutor(CodeResult(exit_code=0, output="1\n2\n"))

    answer = await answer_to(CodeExecutorAgent("runner", executor), CODE, "and\n```sh\nls\n```")

    assert answer == "1\n2\n"
    assert executor.ran == [[CodeBlock("print(1)\n", "python"), CodeBlock("ls\n", "sh")]]


@pytest.mark.parametrize(
    ("ended", "told"),
    [
        (
            CodeResult(1, "boom"),
            "The script ran, then exited with an error (POSIX exit code: 1)\nIts output was:\nboom",
        ),
        (CodeResult(0, " "), "The script ran but produced no output to console. The POSIX exit code was: 0."),
        (CodeResult(2, ""), "The script ran but produced no output to console. The POSIX exit code was: 2."),
    ],
    ids=["error", "silent", "silent error"],
)
async def test_how_code_ended_is_said_where_its_output_does_not(ended: CodeResult, told: str) -> None:
    assert (await answer_to(CodeExecutorAgent("runner", ScriptedExecutor(ended)), CODE)).startswith(told)


async def test_messages_without_code_are_answered_with_what_is_needed() -> None:
    answer = await answer_to(CodeExecutorAgent("runner", ScriptedExecutor()), "hello")

    assert answer.startswith("No code blocks found in the thread.")


async def test_only_the_code_of_the_named_sources_is_run() -> None:
    executor = ScriptedExecutor(CodeResult(0, "1"))
    agent = CodeExecutorAgent("runner", executor, sources=["coder"])

    await agent.run(task=[TextMessage(content=CODE, source="coder"), TextMessage(content=PLOT, source="user")])

    assert executor.ran == [[CodeBlock("print(1)\n", "python")]]


async def test_f43_what_earlier_blocks_printed_is_kept_when_a_later_one_fails() -> None:
    failed = result(block_result("one\n"), block_result("Traceback: two\n", exit_code=1))
    agent = CodeExecutorAgent("runner", ScriptedExecutor(failed))

    answer = await answer_to(agent, f"{CODE}\n{CODE}\n{CODE}")

    assert "one\nTraceback: two\n" in answer
    assert "block 2 of 3" in answer


async def test_f44_pictures_that_code_made_come_back_by_name() -> None:
    answer = (await CodeExecutorAgent("runner", ScriptedExecutor(PLOTTED)).run(task=PLOT)).messages[-1]

    assert isinstance(answer, MultiModalMessage)
    assert answer.content == ["saved\n", "plot.png", PIXEL]
    assert type(answer) in CodeExecutorAgent("runner", ScriptedExecutor()).produced_message_types


async def test_a_sandbox_that_dies_is_an_error_of_its_own_type_and_the_agent_runs_again() -> None:
    executor = ScriptedExecutor(SandboxDiedError("gone"), CodeResult(0, "1"))
    agent = CodeExecutorAgent("runner", executor)

    with pytest.raises(SandboxDiedError):
        await answer_to(agent, CODE)

    assert await answer_to(agent, CODE) == "1"


async def test_a_model_writes_the_code_and_says_what_came_of_it() -> None:
    client = model(says(f"I print.\n{CODE}"), says("It is 1."))
    agent = CodeExecutorAgent("coder", ScriptedExecutor(CodeResult(0, "1\n")), model_client=client)

    run = await agent.run(task="print 1")

    assert kinds(run.messages)[1:] == ["CodeGenerationEvent", "CodeExecutionEvent", "TextMessage"]
    _, generated, executed, answer = run.messages
    assert isinstance(generated, CodeGenerationEvent)
    assert isinstance(executed, CodeExecutionEvent)
    assert generated.code_blocks == [CodeBlock("print(1)\n", "python")]
    assert generated.models_usage == answer.models_usage == USAGE
    assert executed.result.output == "1\n"
    assert answer.to_text() == "It is 1."
    assert shown(client)[1:] == [
        UserMessage(content="print 1", source="user"),
        AssistantMessage(content=f"I print.\n{CODE}", source="coder"),
        UserMessage(content="1\n", source="coder"),
    ]


async def test_an_answer_without_code_ends_the_turn() -> None:
    client = model(says("Nothing to do."))

    run = await CodeExecutorAgent("coder", ScriptedExecutor(), model_client=client).run(task="rest")

    assert kinds(run.messages)[1:] == ["TextMessage"]
    assert run.messages[-1].to_text() == "Nothing to do."


async def test_code_that_fails_is_mended_as_the_model_proposes() -> None:
    client = model(says(CODE), says(RETRY), says("```python\nprint(2)\n```"), says("It is 2."))
    executor = ScriptedExecutor(CodeResult(1, "boom"), CodeResult(0, "2\n"))
    agent = CodeExecutorAgent("coder", executor, model_client=client, max_retries_on_error=3)

    run = await agent.run(task="print")

    events = [event for event in run.messages if isinstance(event, (CodeGenerationEvent, CodeExecutionEvent))]
    assert [(type(event).__name__, event.retry_attempt) for event in events] == [
        ("CodeGenerationEvent", 0),
        ("CodeExecutionEvent", 0),
        ("CodeGenerationEvent", 0),
        ("CodeGenerationEvent", 1),
        ("CodeExecutionEvent", 1),
    ]
    assert events[2].to_text() == "Attempt number: 1\nProposed correction: print 2"
    assert run.messages[-1].to_text() == "It is 2."
    context = await agent.model_context.get_messages()
    assert context.count(UserMessage(content="print", source="user")) == 1
    assert any(isinstance(each.content, str) and each.content.endswith("print 2") for each in context)


@pytest.mark.parametrize(("decision", "retries"), [(GIVE_UP, 5), (None, 0)], ids=["given up", "no retries"])
async def test_code_that_stays_broken_is_told_in_the_models_words(decision: str | None, retries: int) -> None:
    client = model(says(CODE), *([says(decision)] if decision else []), says("It does not work."))
    agent = CodeExecutorAgent(
        "coder", ScriptedExecutor(CodeResult(1, "boom")), model_client=client, max_retries_on_error=retries
    )

    assert (await agent.run(task="print")).messages[-1].to_text() == "It does not work."


async def test_a_decision_that_cannot_be_read_is_an_error_that_names_the_agent_and_the_answer_is_kept() -> None:
    client = model(says(CODE), says("perhaps"))
    agent = CodeExecutorAgent(
        "coder", ScriptedExecutor(CodeResult(1, "boom")), model_client=client, max_retries_on_error=1
    )

    items: list[object] = []

    async def read() -> None:
        async for item in agent.run_stream(task="print"):
            items.append(item)  # noqa: PERF401 - a comprehension that fails has no items

    with pytest.raises(ModelAnswerError, match=r"Agent 'coder'.*RetryDecision"):
        await read()
    assert isinstance(rejected := items[-1], OutputRejectedEvent)
    assert (rejected.content, rejected.models_usage) == ("perhaps", USAGE)


async def test_f44_a_model_that_sees_is_shown_the_pictures_and_they_come_with_its_words() -> None:
    client = model(says(PLOT), says("A dot."), info=SEEING)
    agent = CodeExecutorAgent("coder", ScriptedExecutor(PLOTTED), model_client=client)

    run = await agent.run(task="plot")

    assert shown(client)[-1] == UserMessage(content=["saved\n", "plot.png", PIXEL], source="coder")
    assert isinstance(answer := run.messages[-1], MultiModalMessage)
    assert answer.content == ["A dot.", "plot.png", PIXEL]
    assert isinstance(event := run.messages[2], CodeExecutionEvent)
    assert isinstance(event.result, CommandLineCodeResult)
    assert [each.path for each in event.result.artifacts] == ["plot.png", "a.csv", "fake.png"]


async def test_the_models_words_are_streamed() -> None:
    agent = CodeExecutorAgent(
        "coder", ScriptedExecutor(CodeResult(0, "1")), model_client=model(CODE, "It is 1."), model_client_stream=True
    )

    items = await collected(agent.run_stream(task="print"))

    pieces = [item.content for item in items if isinstance(item, ModelClientStreamingChunkEvent)]
    assert "".join(pieces) == f"{CODE}It is 1."


def in_thread(seen: list[ApprovalRequest], *, approved: bool) -> Callable[[ApprovalRequest], ApprovalResponse]:
    def approve(request: ApprovalRequest) -> ApprovalResponse:
        assert threading.current_thread() is not threading.main_thread()
        seen.append(request)
        return ApprovalResponse(approved=approved, reason="because")

    return approve


async def test_code_runs_only_if_it_is_approved() -> None:
    seen: list[ApprovalRequest] = []
    executor = ScriptedExecutor(CodeResult(0, "1"))

    denied = await answer_to(CodeExecutorAgent("a", executor, approval_func=in_thread(seen, approved=False)), CODE)
    allowed = await answer_to(CodeExecutorAgent("a", executor, approval_func=in_thread(seen, approved=True)), CODE)

    assert denied == "Code execution was not approved. Reason: because"
    assert allowed == "1"
    assert len(executor.ran) == 1
    assert [request.code for request in seen] == ["```python\nprint(1)\n```"] * 2


@pytest.mark.parametrize(("reply", "refusal"), [("yes", None), (True, None), ("not now", " Reason: not now"), ("", "")])
async def test_any_function_that_asks_a_person_approves_code(reply: str | bool, refusal: str | None) -> None:
    seen: list[str] = []
    executor = ScriptedExecutor(CodeResult(0, "1"))

    def ask(question: str) -> str | bool:
        seen.append(question)
        return reply

    said = await answer_to(CodeExecutorAgent("a", executor, approval_func=ask), CODE)

    assert seen == ["May this code run?\n\n```python\nprint(1)\n```\n"]
    assert said == ("1" if refusal is None else f"Code execution was not approved.{refusal}")
    assert len(executor.ran) == (refusal is None)


async def test_functions_without_annotations_are_given_what_autogen_gives() -> None:
    seen: list[object] = []
    executor = ScriptedExecutor(CodeResult(0, "1"))

    agent = CodeExecutorAgent("a", executor, approval_func=lambda request: not seen.append(request))
    assert await answer_to(agent, CODE) == "1"
    assert seen == [ApprovalRequest(code="```python\nprint(1)\n```", context=[])]


async def test_code_that_is_changed_while_a_person_thinks_is_not_what_runs() -> None:
    executor = ScriptedExecutor(CodeResult(0, "1"))
    blocks = [CodeBlock(code="print(1)", language="python")]

    def ask(question: str) -> bool:
        blocks[0].code = "print(2)"
        blocks.append(CodeBlock(code="print(3)", language="python"))
        return True

    await CodeExecutorAgent("a", executor, approval_func=ask).execute_code_block(blocks, CancellationToken())
    assert executor.ran == [[CodeBlock(code="print(1)", language="python")]]


async def test_no_code_runs_if_the_person_cannot_be_asked() -> None:
    def ask(question: str) -> str:
        raise EOFError

    executor = ScriptedExecutor(CodeResult(0, "1"))
    with pytest.raises(InputEndedError, match="agent 'a'"):
        await answer_to(CodeExecutorAgent("a", executor, approval_func=ask), CODE)
    assert executor.ran == []


@pytest.mark.parametrize("given", ["print(1)", ["print(1)"]], ids=repr)
@pytest.mark.parametrize("approved", [True, False])
async def test_an_agent_that_is_given_a_text_as_code_says_that_blocks_are_wanted(approved: bool, given: Any) -> None:
    executor, seen = ScriptedExecutor(), list[ApprovalRequest]()
    for agent in (
        CodeExecutorAgent("a", executor, approval_func=in_thread(seen, approved=approved)),
        CodeExecutorAgent("a", executor),
    ):
        with pytest.raises(ArgumentTypeError, match=r"'print\(1\)': give a list of blocks, such as \[CodeBlock\("):
            await agent.execute_code_block(given, CancellationToken())
    assert (executor.ran, seen) == ([], [])


async def test_an_approval_function_sees_how_a_model_came_to_its_code() -> None:
    seen: list[ApprovalRequest] = []

    async def approve(request: ApprovalRequest) -> ApprovalResponse:
        seen.append(request)
        return ApprovalResponse(approved=False, reason="too risky")

    client = model(says(CODE), says("I may not."))
    run = await CodeExecutorAgent("a", ScriptedExecutor(), model_client=client, approval_func=approve).run(task="go")

    assert seen[0].context == [UserMessage(content="go", source="user"), AssistantMessage(content=CODE, source="a")]
    assert isinstance(event := run.messages[2], CodeExecutionEvent)
    assert (event.result.exit_code, event.result.output) == (1, "Code execution was not approved. Reason: too risky")
    assert shown(client)[-1] == UserMessage(content=event.result.output, source="a")


async def test_executions_and_approvals_are_effects() -> None:
    handler = RecordingHandler()
    agent = CodeExecutorAgent("a", ScriptedExecutor(CodeResult(0, "1")), approval_func=in_thread([], approved=True))

    with handle_effects(handler):
        await agent.run(task=CODE)

    assert handler.seen == ["agent:a human", "agent:a code"]


@pytest.mark.parametrize("by_token", [True, False], ids=["token", "task"])
@pytest.mark.parametrize("with_model", [True, False], ids=["model", "no model"])
async def test_cancelling_reaches_the_code_and_the_agent_can_go_on(by_token: bool, with_model: bool) -> None:
    executor, token = HangingExecutor(), CancellationToken()
    client = model(says(CODE), says("Never mind.")) if with_model else None
    agent = CodeExecutorAgent("a", executor, model_client=client, model_context=SlowContext())

    async with asyncio.timeout(WAIT):
        run = asyncio.create_task(agent.run(task=CODE, cancellation_token=token))
        await executor.started.wait()
        _ = token.cancel() if by_token else run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        await executor.killed.wait()

    if client is not None:
        assert (await agent.run()).messages[-1].to_text() == "Never mind."
        assert shown(client)[-1] == UserMessage(content="The code was stopped before it ended.", source="a")


@pytest.mark.parametrize(
    ("with_model", "retries", "told"),
    [(False, 1, "needs a model_client"), (True, 1, "structured output"), (False, -1, "cannot be less than 0")],
)
def test_retries_that_cannot_be_decided_on_are_refused(with_model: bool, retries: int, told: str) -> None:
    plain = ModelInfo(vision=False, function_calling=True, json_output=True, family="unknown", structured_output=False)
    client = model(info=plain) if with_model else None

    with pytest.raises(InvalidArgumentError, match=told):
        CodeExecutorAgent("a", ScriptedExecutor(), model_client=client, max_retries_on_error=retries)


async def test_the_conversation_of_an_agent_that_writes_code_is_saved_and_reset() -> None:
    def agent(*answers: str) -> CodeExecutorAgent:
        return CodeExecutorAgent("a", ScriptedExecutor(), model_client=model(*map(says, answers)))

    first, second = agent("hi"), agent()
    await first.run(task="hello")
    await second.load_state(await first.save_state())
    conversation: Sequence[object] = await second.model_context.get_messages()
    await second.on_reset(CancellationToken())

    assert conversation == await first.model_context.get_messages()
    assert await second.model_context.get_messages() == []
