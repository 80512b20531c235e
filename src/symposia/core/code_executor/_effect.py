"""Runs of code as effects."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, JsonValue, TypeAdapter

from symposia.core._cancellation_token import CancellationToken, cancel_and_wait
from symposia.core.code_executor._executor import CodeExecutor, check_code_blocks
from symposia.core.code_executor._results import CodeBlock, CodeResult, OutputStream
from symposia.core.effects import EffectKind, EffectRequest, effects_are_handled


class RequestedBlock(BaseModel, frozen=True, defer_build=True):
    """A block of a `CodeRequest`."""

    code: str
    language: str


class _RecordedResult(BaseModel, defer_build=True):
    """A result in a form for JSON: the name of its class, and its fields."""

    result_class: str
    result: JsonValue


class CodeRequest(EffectRequest):
    """Code is run.

    Attributes:
        executor: The value of `CodeExecutor.effect_identity`.
        blocks: The code.
    """

    kind: Literal["code"] = "code"
    executor: dict[str, JsonValue]
    blocks: list[RequestedBlock]


class _CodeResultCodec:
    """Writes results of every executor: the name of the class, and its fields."""

    def encode(self, result: CodeResult) -> JsonValue:
        fields: JsonValue = TypeAdapter(type(result)).dump_python(result, mode="json")
        return {"result_class": type(result).__qualname__, "result": fields}

    def decode(self, value: JsonValue) -> CodeResult:
        recorded = _RecordedResult.model_validate(value)
        for result_type in _with_subclasses(CodeResult):
            if result_type.__qualname__ == recorded.result_class:
                return TypeAdapter(result_type).validate_json(json.dumps(recorded.result))
        raise LookupError(
            f"No class of code results is called {recorded.result_class!r}. Import the module that defines it."
        )


CODE_EFFECT = EffectKind("code", CodeRequest, CodeResult, codec=_CodeResultCodec())


@dataclass(frozen=True, slots=True)
class CodeOutput:
    """A piece of what running code prints.

    Attributes:
        stream: Where it prints it.
        text: The piece.
    """

    stream: OutputStream
    text: str


async def execute_code(
    executor: CodeExecutor, blocks: Sequence[CodeBlock], cancellation_token: CancellationToken
) -> CodeResult:
    """Run code blocks, as an effect.

    Where a handler answers in place of the executor, the files of the recorded result are put back into its work
    folder, so that later blocks find them.

    Args:
        executor: Where the code runs.
        blocks: The code.
        cancellation_token: Cancelling it ends the code.

    Raises:
        ArgumentTypeError: `blocks` is not a list of code blocks.
    """
    check_code_blocks(blocks)
    if not effects_are_handled():
        return await executor.execute_code_blocks(list(blocks), cancellation_token)
    ran = False

    async def call() -> CodeResult:
        nonlocal ran
        ran = True
        return await executor.execute_code_blocks(list(blocks), cancellation_token)

    result = await CODE_EFFECT.perform(lambda: _request(executor, blocks), call, idempotency=executor.idempotency)
    if not ran:
        await executor.restore(result)
    return result


async def stream_code(
    executor: CodeExecutor, blocks: Sequence[CodeBlock], cancellation_token: CancellationToken
) -> AsyncGenerator[CodeOutput | CodeResult, None]:
    """Run code blocks like `execute_code`, and yield the output as it comes; the result is the last item.

    Closing the generator, like cancelling the token, ends the code. A recorded result comes without its output.

    Raises:
        ArgumentTypeError: `blocks` is not a list of code blocks.
    """
    check_code_blocks(blocks)
    ran = False

    def call() -> AsyncGenerator[CodeOutput | CodeResult, None]:
        nonlocal ran
        ran = True
        return _with_output(executor, blocks, cancellation_token)

    items = CODE_EFFECT.stream(
        lambda: _request(executor, blocks), call, result_type=CodeResult, idempotency=executor.idempotency
    )
    async with aclosing(items):
        async for item in items:
            if not ran and isinstance(item, CodeResult):
                await executor.restore(item)
            yield item


async def _with_output(
    executor: CodeExecutor, blocks: Sequence[CodeBlock], cancellation_token: CancellationToken
) -> AsyncGenerator[CodeOutput | CodeResult, None]:
    """The calls of an output listener as items of a stream, and the result as the last one.

    Executors take a listener, and are not async generators themselves: those would need this queue in each executor.
    """
    pieces: asyncio.Queue[CodeOutput | None] = asyncio.Queue()
    task = asyncio.ensure_future(
        executor.execute_with_output(
            list(blocks), cancellation_token, lambda stream, text: pieces.put_nowait(CodeOutput(stream, text))
        )
    )
    task.add_done_callback(lambda _: pieces.put_nowait(None))
    try:
        while (piece := await pieces.get()) is not None:
            yield piece
        yield await task
    finally:
        await cancel_and_wait(task)


def _request(executor: CodeExecutor, blocks: Sequence[CodeBlock]) -> CodeRequest:
    return CodeRequest(
        executor=executor.effect_identity(),
        blocks=[RequestedBlock(code=block.code, language=block.language) for block in blocks],
    )


def _with_subclasses(base: type[CodeResult]) -> list[type[CodeResult]]:
    return [base, *(each for child in base.__subclasses__() for each in _with_subclasses(child))]
