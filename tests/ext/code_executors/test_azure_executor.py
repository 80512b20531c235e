"""The executor on Azure's dynamic sessions, against a scripted service on loopback."""

import asyncio
import base64
import json
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.contracts.code_executor_contract import (
    PNG,
    WANTED_BLOCKS,
    WRONG_BLOCKS,
    file_names,
    make_folder,
    python,
    shell,
)
from tests.support.session_service import TOKEN, SessionService

from symposia.core import CancellationToken
from symposia.core.code_executor import BlockwiseCodeResult, CodeBlock, SandboxPolicy, with_requirements
from symposia.core.exceptions import (
    ArgumentTypeError,
    InvalidArgumentError,
    SandboxDiedError,
    SandboxError,
    SandboxServiceError,
)
from symposia.ext.code_executors.azure import ACADynamicSessionsCodeExecutor, TokenProvider

WAIT = 20.0


class Token(NamedTuple):
    token: str
    expires_on: int


class Credential:
    """Gives a token, which ends after some seconds. It blocks, as those of Azure do."""

    def __init__(self, seconds: float = 3600, token: str = TOKEN) -> None:
        self.seconds = seconds
        self.token = token
        self.asked: list[tuple[str, ...]] = []

    def get_token(self, *scopes: str, claims: str | None = None, tenant_id: str | None = None, **kwargs: Any) -> Token:
        assert threading.current_thread() is not threading.main_thread()
        self.asked.append(scopes)
        return Token(self.token, int(time.time() + self.seconds))


@pytest.fixture
async def service() -> AsyncIterator[SessionService]:
    async with SessionService() as service:
        yield service


@pytest.fixture
def work_dir(tmp_path: Path) -> Path:
    return tmp_path / "work"


@pytest.fixture
async def executor(service: SessionService, work_dir: Path) -> AsyncIterator[ACADynamicSessionsCodeExecutor]:
    made = ACADynamicSessionsCodeExecutor(service.url, Credential(), work_dir=work_dir, session_id="mine")
    async with asyncio.timeout(WAIT), made as executor:
        yield executor


async def run(executor: ACADynamicSessionsCodeExecutor, *blocks: CodeBlock) -> BlockwiseCodeResult:
    return await executor.execute_code_blocks(list(blocks), CancellationToken())


async def test_variables_live_from_block_to_block_in_the_session(
    executor: ACADynamicSessionsCodeExecutor, service: SessionService
) -> None:
    result = await run(executor, python("x = 20"), python("print(x + 1)"))
    assert (result.exit_code, result.output) == (0, "21\n")
    assert (await run(executor, python("print(x + 2)"))).output == "22\n"
    assert list(service.sessions) == ["mine"]
    assert service.sessions["mine"].has_folder


async def test_it_starts_on_its_first_use_and_prepares_a_session_once(service: SessionService) -> None:
    executor = ACADynamicSessionsCodeExecutor(service.url + "/", Credential())
    async with asyncio.timeout(WAIT):
        await run(executor, python("print(1)"))
        await run(executor, python("print(2)"))
        await executor.stop()
        assert (await run(executor, python("print(3)"))).output == "3\n"
        await executor.stop()
    assert service.requests == ["POST /code/execute"] * 4
    assert not executor.work_dir.exists()


async def test_the_value_of_a_last_line_is_output_unless_it_is_suppressed(service: SessionService) -> None:
    for suppressed, output in ((False, "text\n42"), (True, "text\n")):
        executor = ACADynamicSessionsCodeExecutor(service.url, Credential(), suppress_result_output=suppressed)
        async with asyncio.timeout(WAIT), executor:
            assert (await run(executor, python("print('text')  # show"))).output == output


async def test_f43_an_error_in_the_second_block_keeps_the_first_ones_output(
    executor: ACADynamicSessionsCodeExecutor,
) -> None:
    result = await run(executor, python("print('first')"), python("print('so far'); 1 / 0"), python("print('third')"))
    assert result.exit_code == 1
    assert result.output.startswith("first\nso far\n")
    assert "third" not in result.output
    assert [block.status for block in result.blocks] == ["ok", "error"]
    assert result.blocks[1].stdout == "so far\n"
    assert "ZeroDivisionError" in (result.blocks[1].stderr or "")


async def test_f44_an_image_comes_back_and_its_name_is_made_up_here(
    executor: ACADynamicSessionsCodeExecutor, service: SessionService, work_dir: Path
) -> None:
    encoded = base64.b64encode(bytes.fromhex(PNG)).decode()
    service.value = {"type": "image", "format": "../png", "base64_data": encoded}
    result = await run(executor, python("'show'"))
    [image] = result.images
    assert (image.kind, image.data) == ("image/png", bytes.fromhex(PNG))
    assert file_names(work_dir) == [image.path]
    assert result.output == ""


async def test_an_image_over_the_cap_is_left_behind_and_named(service: SessionService, work_dir: Path) -> None:
    service.value = {"type": "image", "format": "png", "base64_data": base64.b64encode(bytes(101)).decode()}
    policy = SandboxPolicy(artifact_bytes=100)
    executor = ACADynamicSessionsCodeExecutor(service.url, Credential(), work_dir=work_dir, policy=policy)
    async with asyncio.timeout(WAIT), executor:
        result = await run(executor, python("'show'"))
    assert [reason for _, reason in result.blocks[0].artifacts_skipped] == ["too large"]
    assert file_names(work_dir) == []


async def test_f55_output_is_cut_to_head_and_tail(service: SessionService) -> None:
    policy = SandboxPolicy(output_kept_bytes=1000)
    executor = ACADynamicSessionsCodeExecutor(service.url, Credential(), policy=policy)
    async with asyncio.timeout(WAIT), executor:
        result = await run(executor, python("print('x' * 5000)"))
    assert "[... 4001 bytes cut ...]" in result.output
    assert len(result.output) < 1100


@pytest.mark.parametrize("block", [shell("ls"), CodeBlock("1", "javascript")], ids=lambda block: block.language)
async def test_an_unknown_language_is_told_to_its_author(
    executor: ACADynamicSessionsCodeExecutor, block: CodeBlock
) -> None:
    result = await run(executor, python("print('first')"), block)
    assert result.exit_code == 1
    assert result.output.startswith(f"first\nunknown language {block.language}\n")


@pytest.mark.parametrize("way", ["token", "task"])
async def test_f39_a_block_that_is_cancelled_leaves_its_session(
    executor: ACADynamicSessionsCodeExecutor, service: SessionService, way: str
) -> None:
    token = CancellationToken()
    running = asyncio.ensure_future(executor.execute_code_blocks([python("'for ever'")], token))
    await service.waiting.wait()
    token.cancel() if way == "token" else running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await service.left.wait()
    assert (await run(executor, python("print('next')"))).output == "next\n"
    assert len(service.sessions) == 2


async def test_f41_f54_a_block_at_its_limit_is_left_and_the_next_one_gets_a_new_session(
    service: SessionService,
) -> None:
    executor = ACADynamicSessionsCodeExecutor(service.url, Credential(), timeout=1, session_id="mine")
    async with asyncio.timeout(WAIT), executor:
        result = await run(executor, python("print('first'); x = 1"), python("'for ever'"))
        assert result.exit_code == 124
        assert result.output.startswith(
            "first\n\nTimeout: the time limit of 1 s was reached.\nThe next block runs in a new session"
        )
        assert result.blocks[1].ending == "exit status 124: ended at the time limit of 1 s"
        assert (await run(executor, python("x"))).exit_code == 1
    assert len(service.sessions) == 2


async def test_stopping_tells_the_caller_of_the_block_that_runs(service: SessionService) -> None:
    executor = ACADynamicSessionsCodeExecutor(service.url, Credential())
    async with asyncio.timeout(WAIT):
        running = asyncio.ensure_future(run(executor, python("'for ever'")))
        await service.waiting.wait()
        await executor.stop()
        with pytest.raises(SandboxDiedError, match="stopped before the blocks had ended"):
            await running


async def test_restarting_uses_a_new_session(executor: ACADynamicSessionsCodeExecutor, service: SessionService) -> None:
    await run(executor, python("x = 1"))
    await executor.restart()
    assert (await run(executor, python("x"))).exit_code == 1
    assert len(service.sessions) == 2


async def test_files_go_into_the_session_and_come_back(
    executor: ACADynamicSessionsCodeExecutor, service: SessionService, work_dir: Path
) -> None:
    token = CancellationToken()
    make_folder(work_dir / "data", {"numbers.txt": b"1 4 9"})
    await executor.upload_files(["data/numbers.txt"], token)
    service.sessions["mine"].files["made.bin"] = b"\xff\x00"
    assert await executor.get_file_list(token) == ["numbers.txt", "made.bin"]
    assert await executor.download_files(["made.bin", "numbers.txt"], token) == [
        str(work_dir / "made.bin"),
        str(work_dir / "numbers.txt"),
    ]
    assert (work_dir / "made.bin").read_bytes() == b"\xff\x00"
    assert (work_dir / "numbers.txt").read_bytes() == b"1 4 9"


async def test_files_that_are_not_there_are_named(executor: ACADynamicSessionsCodeExecutor) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.txt does not exist in /"):
        await executor.upload_files(["none.txt"], CancellationToken())
    with pytest.raises(FileNotFoundError, match=r"none\.txt does not exist in the session"):
        await executor.download_files(["none.txt"], CancellationToken())


async def test_f53_a_name_of_the_session_leads_nowhere_outside_the_work_folder(
    executor: ACADynamicSessionsCodeExecutor, service: SessionService, tmp_path: Path
) -> None:
    service.sessions["mine"].files["../escaped"] = b"out"
    with pytest.raises(ValueError, match="leaves the work folder"):
        await executor.download_files(["../escaped"], CancellationToken())
    assert file_names(tmp_path) == ["work"]


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@with_requirements(python_packages=["a-package-that-no-session-has"], global_imports=["math"])
def area(radius: float) -> float:
    """The area of a circle."""
    return math.pi * radius**2  # type: ignore[name-defined]  # noqa: F821 - imported where it runs


async def test_functions_are_defined_in_each_new_session(service: SessionService) -> None:
    executor = ACADynamicSessionsCodeExecutor(service.url, Credential(), functions=[add], functions_module="mine")
    async with asyncio.timeout(WAIT), executor:
        assert (await run(executor, python("print(add(1, 2))\nimport mine; print(mine.add(3, 4))"))).output == "3\n7\n"
        await executor.restart()
        assert (await run(executor, python("from mine import add; print(add(5, 6))"))).output == "11\n"


def test_functions_are_described_to_a_model() -> None:
    executor = ACADynamicSessionsCodeExecutor("http://x", Credential(), functions=[add], functions_module="mine")
    assert (executor.functions, executor.functions_module) == ((add,), "mine")
    assert "Add two numbers" in executor.format_functions_for_prompt()


async def test_a_function_whose_package_the_session_lacks_is_named(service: SessionService) -> None:
    executor = ACADynamicSessionsCodeExecutor(service.url, Credential(), functions=[area])
    async with asyncio.timeout(WAIT):
        assert "pytest" in await executor.get_available_packages(CancellationToken())
        with pytest.raises(InvalidArgumentError, match="functions need a-package-that-no-session-has"):
            await run(executor, python("print(1)"))
        await executor.stop()


async def test_a_token_is_asked_for_in_a_thread_and_again_before_it_ends(service: SessionService) -> None:
    for seconds, times in ((3600, 1), (200, 3)):
        credential = Credential(seconds)
        provider: TokenProvider = credential
        async with asyncio.timeout(WAIT), ACADynamicSessionsCodeExecutor(service.url, provider) as executor:
            await run(executor, python("print(1)"), python("print(2)"))
        assert credential.asked == [("https://dynamicsessions.io/.default",)] * times


REFUSALS: list[tuple[tuple[int, object], str]] = [
    ((400, {"error": {"code": "BadRequest", "message": "The pool is full."}}), r"status 400: The pool is full\."),
    ((500, "no JSON of the service"), "status 500: .*no JSON of the service"),
    ((200, {"properties": {}}), "answered without the code's status"),
    ((200, ["nothing"]), "answered without the code's status"),
]


@pytest.mark.parametrize(("refusal", "words"), REFUSALS, ids=["refused", "broken", "empty", "list"])
async def test_what_the_service_says_is_in_the_error(
    service: SessionService, refusal: tuple[int, object], words: str
) -> None:
    service.refusal = refusal
    executor = ACADynamicSessionsCodeExecutor(service.url, Credential())
    async with asyncio.timeout(WAIT):
        with pytest.raises(SandboxServiceError, match=words) as caught:
            await run(executor, python("print(1)"))
        await executor.stop()
    assert isinstance(caught.value, ConnectionError)


async def test_a_wrong_credential_is_told(service: SessionService) -> None:
    executor = ACADynamicSessionsCodeExecutor(service.url, Credential(token="wrong"))
    async with asyncio.timeout(WAIT):
        with pytest.raises(SandboxServiceError, match=r"status 401: the token is wrong\. Check the credential\."):
            await executor.start()
        await executor.stop()


async def test_a_service_that_is_not_there_is_told() -> None:
    executor = ACADynamicSessionsCodeExecutor("http://127.0.0.1:1", Credential())
    async with asyncio.timeout(WAIT):
        with pytest.raises(SandboxError, match=r"The session pool at http://127\.0\.0\.1:1 cannot be reached"):
            await executor.start()
        await executor.stop()


@pytest.mark.parametrize("given", WRONG_BLOCKS, ids=repr)
async def test_what_is_not_a_list_of_blocks_is_told_with_what_is(
    executor: ACADynamicSessionsCodeExecutor, given: list[CodeBlock]
) -> None:
    with pytest.raises(ArgumentTypeError, match=WANTED_BLOCKS):
        await executor.execute_code_blocks(given, CancellationToken())


def test_wrong_arguments_are_refused_at_once() -> None:
    with pytest.raises(InvalidArgumentError, match="Timeout must be greater than or equal to 1"):
        ACADynamicSessionsCodeExecutor("http://x", Credential(), timeout=0)
    with pytest.raises(InvalidArgumentError, match="Module name must be a valid Python identifier"):
        ACADynamicSessionsCodeExecutor("http://x", Credential(), functions_module="a b")


def test_two_that_run_code_alike_have_one_identity(work_dir: Path) -> None:
    identity = ACADynamicSessionsCodeExecutor("http://x", Credential()).effect_identity()
    assert identity == ACADynamicSessionsCodeExecutor("http://x", Credential(), work_dir=work_dir).effect_identity()
    assert identity != ACADynamicSessionsCodeExecutor("http://x", Credential(), functions=[add]).effect_identity()
    assert TOKEN not in json.dumps(identity)


async def test_every_block_is_a_line_of_the_audit_log(service: SessionService, tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"
    async with asyncio.timeout(WAIT), ACADynamicSessionsCodeExecutor(service.url, Credential(), audit_log=log) as made:
        await run(made, python("print('a secret')"))
        await run(made, python("1 / 0"))
    lines = [json.loads(line) for line in (await asyncio.to_thread(log.read_text)).splitlines()]
    assert [(line["sandbox"], line["language"], line["status"], line["exit_code"]) for line in lines] == [
        ("azure", "python", "ok", 0),
        ("azure", "python", "error", 1),
    ]
    assert "secret" not in json.dumps(lines)


async def test_no_block_runs_where_it_cannot_be_recorded(service: SessionService, work_dir: Path) -> None:
    log = work_dir / "audit.jsonl"
    executor = ACADynamicSessionsCodeExecutor(service.url, Credential(), work_dir=work_dir, audit_log=log)
    with pytest.raises(InvalidArgumentError, match="give a file elsewhere"):
        await run(executor, python("1"))
    await executor.stop()
