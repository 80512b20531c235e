"""What every executor on a Jupyter kernel promises. Subclass `KernelExecutorContract` and say how to make yours."""

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.contracts.code_executor_contract import (
    LEAVE_A_CHILD_THAT_HOLDS_STDOUT,
    PNG,
    WANTED_BLOCKS,
    WRONG_BLOCKS,
    Heard,
    OutputListener,
    file_names,
    python,
    shell,
)
from tests.contracts.sandbox_contract import IGNORE_EVERY_SIGNAL

from symposia.core import CancellationToken
from symposia.core.code_executor import (
    CODE_EFFECT,
    BlockwiseCodeResult,
    CodeBlock,
    CodeExecutor,
    SandboxPolicy,
)
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError, SandboxDiedError, SandboxError

WAIT = 60.0
SHOW_A_PICTURE = f"""
from IPython.display import Image, display
display(Image(data=bytes.fromhex({PNG!r}), format="png"))
"""
SHOW_MANY = """
from IPython.display import HTML, Image, display
display(Image(data=b"a photograph", format="jpeg"))
display(HTML("<b>bold</b>"))
display({"image/png": "no base64 at all!", "text/plain": "broken"}, raw=True)
"""
PLOT = """
import matplotlib.pyplot as pyplot
pyplot.plot([1, 4, 9])
pyplot.show()
"""
PROGRESS = """
from IPython.display import display
bar = display("0 %", display_id=True)
bar.update("100 %")
"""


class KernelExecutorContract:
    """Tests that hold for every executor on a kernel of Python."""

    def make(
        self,
        output_dir: Path | None,
        *,
        timeout: float = 30,
        policy: SandboxPolicy | None = None,
        on_output: OutputListener | None = None,
        audit_log: Path | None = None,
    ) -> CodeExecutor:
        raise NotImplementedError

    @pytest.fixture
    def output_dir(self, tmp_path: Path) -> Path:
        return tmp_path / "shown"

    @pytest.fixture
    async def executor(self, output_dir: Path) -> AsyncIterator[CodeExecutor]:
        async with asyncio.timeout(WAIT), self.make(output_dir) as executor:
            yield executor

    async def test_variables_and_imports_live_from_block_to_block_and_from_call_to_call(
        self, executor: CodeExecutor
    ) -> None:
        await run(executor, python("import math; radius = 2"), python("area = math.pi * radius ** 2"))
        assert (await run(executor, python("print(round(area, 2))"))).output == "12.57\n"

    async def test_the_value_of_a_last_line_is_output(self, executor: CodeExecutor) -> None:
        result = await run(executor, python("print('a')\n2 + 3"), python("x = 1"), python("[x]"))
        assert result.output == "a\n\n5\n\n[1]"

    async def test_stdout_and_stderr_are_apart(self, executor: CodeExecutor) -> None:
        result = await run(executor, python("import sys; print('o'); print('e', file=sys.stderr); print('p')"))
        [block] = result.blocks
        assert (block.stdout, block.stderr) == ("o\np\n", "e\n")
        assert result.output in ("o\np\n\ne\n", "e\n\no\np\n")  # the kernel sends each when it likes

    async def test_what_an_exception_says_is_output_without_colours(self, executor: CodeExecutor) -> None:
        result = await run(executor, python("raise ValueError('no such luck')"))
        assert result.exit_code == 1
        assert result.output.endswith("ValueError: no such luck")
        assert "\x1b" not in result.output
        assert result.blocks[0].stderr == result.output

    async def test_it_starts_on_its_first_use_and_again_after_it_was_stopped(self, output_dir: Path) -> None:
        executor = self.make(output_dir)
        async with asyncio.timeout(WAIT):
            try:
                assert (await run(executor, python("print('up')"))).output == "up\n"
                await executor.stop()
                await executor.stop()
                assert (await run(executor, python("print('again')"))).output == "again\n"
            finally:
                await executor.stop()

    async def test_restarting_forgets_the_variables(self, executor: CodeExecutor) -> None:
        await run(executor, python("x = 1"))
        await executor.restart()
        assert "NameError" in (await run(executor, python("x"))).output

    @pytest.mark.parametrize("language", ["python", "Python", "py", "python3", "ipython", ""])
    async def test_python_has_several_names(self, executor: CodeExecutor, language: str) -> None:
        assert (await run(executor, CodeBlock(code="print('py')", language=language))).output == "py\n"

    async def test_a_shell_block_is_run_by_a_shell(self, executor: CodeExecutor) -> None:
        assert (await run(executor, shell("echo $((6 * 7))"))).output == "42\n"
        failed = await run(executor, shell("echo before; exit 3"))
        assert failed.exit_code == 1
        assert failed.output.startswith("before\n")

    async def test_an_unknown_language_is_told_to_its_author_and_what_ran_before_is_kept(
        self, executor: CodeExecutor
    ) -> None:
        result = await run(executor, python("print('first')"), CodeBlock(code="1", language="ruby"))
        assert result.exit_code == 1
        assert result.output.startswith("first\n\nunknown language ruby\nName the block as one of: python")

    @pytest.mark.parametrize("given", WRONG_BLOCKS, ids=repr)
    async def test_what_is_not_a_list_of_blocks_is_told_with_what_is(
        self, output_dir: Path, given: list[CodeBlock]
    ) -> None:
        with pytest.raises(ArgumentTypeError, match=WANTED_BLOCKS):
            await self.make(output_dir).execute_code_blocks(given, CancellationToken())

    async def test_a_list_without_blocks_is_a_mistake(self, output_dir: Path) -> None:
        with pytest.raises(InvalidArgumentError, match="No code blocks"):
            await run(self.make(output_dir))

    def test_a_timeout_below_a_second_is_a_mistake(self, output_dir: Path) -> None:
        with pytest.raises(InvalidArgumentError, match="Timeout must be greater than or equal to 1"):
            self.make(output_dir, timeout=0)

    async def test_calls_of_several_tasks_run_one_after_another(self, executor: CodeExecutor) -> None:
        await run(executor, python("n = 0; import time"))
        count = "now = n; time.sleep(0.01); n = now + 1"
        await asyncio.gather(*(run(executor, python(count)) for _ in range(5)))
        assert (await run(executor, python("n"))).output == "5"

    async def test_output_is_received_as_it_comes(self, output_dir: Path) -> None:
        always, heard = Heard(), Heard()
        async with asyncio.timeout(WAIT), self.make(output_dir, on_output=always) as executor:
            blocks = [python("import time; print('counting', flush=True); time.sleep(600)")]
            running = asyncio.ensure_future(executor.execute_with_output(blocks, CancellationToken(), heard))
            await heard.something.wait()
            assert not running.done()
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
        assert heard.text.strip() == always.text.strip() == "counting"

    async def test_stopping_ends_the_block_that_runs_and_tells_its_caller(self, output_dir: Path) -> None:
        heard = Heard()
        executor = self.make(output_dir, on_output=heard)
        async with asyncio.timeout(WAIT):
            running = asyncio.ensure_future(run(executor, python("print('up', flush=True)\nwhile True: pass")))
            await heard.something.wait()
            await executor.stop()
            with pytest.raises(SandboxDiedError, match="stopped before the blocks had ended"):
                await running

    @pytest.mark.parametrize("way", ["token", "task"])
    async def test_f39_a_cancelled_block_is_interrupted_and_the_variables_stay(
        self, output_dir: Path, way: str
    ) -> None:
        heard, token = Heard(), CancellationToken()
        endless = "n = 0\nprint('up', flush=True)\nwhile True: n += 1"
        async with asyncio.timeout(WAIT), self.make(output_dir, on_output=heard) as executor:
            running = asyncio.ensure_future(executor.execute_code_blocks([python(endless)], token))
            await heard.something.wait()
            token.cancel() if way == "token" else running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            stopped = python("first = n; import time; time.sleep(0.2); print(n == first)")
            assert (await run(executor, stopped)).output == "True\n"

    async def test_f40_a_child_that_holds_stdout_delays_no_result(self, executor: CodeExecutor) -> None:
        started = time.monotonic()
        result = await run(executor, python(LEAVE_A_CHILD_THAT_HOLDS_STDOUT))
        assert (result.exit_code, result.output) == (0, "done\n")
        assert time.monotonic() - started < 10

    async def test_f40_f54_a_block_that_ignores_every_signal_is_killed_at_the_limit(self, output_dir: Path) -> None:
        async with asyncio.timeout(WAIT), self.make(output_dir, timeout=2) as executor:
            await run(executor, python("x = 1"))
            started = time.monotonic()
            result = await run(executor, python(IGNORE_EVERY_SIGNAL))
            assert time.monotonic() - started < 10
            assert result.exit_code == 124
            assert result.output.startswith("deaf\n\nTimeout: the time limit of 2 s was reached.\n")
            assert "variables and imports are gone" in result.output
            assert "NameError" in (await run(executor, python("x"))).output

    async def test_f41_a_block_that_times_out_keeps_its_output_and_its_variables(self, output_dir: Path) -> None:
        async with asyncio.timeout(WAIT), self.make(output_dir, timeout=1) as executor:
            result = await run(executor, python("x = 1; print('so far'); import time; time.sleep(600)"))
            assert (result.exit_code, result.output) == (124, "so far\n\nTimeout: the time limit of 1 s was reached.")
            [block] = result.blocks
            assert (block.status, block.ended_by) == ("timeout", "the time limit of 1 s")
            assert (await run(executor, python("x"))).output == "1"

    async def test_f42_a_block_sees_nothing_of_the_hosts_environment(
        self, output_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SOME_API_KEY", "a-secret")
        async with asyncio.timeout(WAIT), self.make(output_dir) as executor:
            result = await run(executor, shell("env"))
        assert result.exit_code == 0
        assert "SOME_API_KEY" not in result.output
        assert "a-secret" not in result.output

    async def test_f43_an_error_in_the_second_block_keeps_the_first_ones_output(self, executor: CodeExecutor) -> None:
        result = await run(executor, python("print('first')"), python("1 / 0"), python("print('third')"))
        assert result.exit_code == 1
        assert result.output.startswith("first\n")
        assert "ZeroDivisionError" in result.output
        assert "third" not in result.output
        assert [block.status for block in result.blocks] == ["ok", "error"]

    async def test_f44_a_picture_that_is_shown_comes_back(self, executor: CodeExecutor, output_dir: Path) -> None:
        result = await run(executor, python(SHOW_A_PICTURE))
        [image], [file] = result.images, files_of(result)
        assert (image.kind, image.data) == ("image/png", bytes.fromhex(PNG))
        assert file == output_dir / image.path
        assert file.read_bytes() == image.data

    async def test_f44_a_plot_comes_back(self, executor: CodeExecutor) -> None:
        result = await run(executor, python(PLOT))
        [image] = result.images
        assert image.data.startswith(b"\x89PNG\r\n")

    async def test_photographs_and_web_pages_come_back_and_what_cannot_is_named(self, executor: CodeExecutor) -> None:
        result = await run(executor, python(SHOW_MANY))
        shown = {artifact.kind: artifact.data for artifact in result.artifacts}
        assert shown == {"image/jpeg": b"a photograph", "text/html": b"<b>bold</b>"}
        assert result.blocks[0].artifacts_skipped == ((".png", "not in base64"),)
        assert result.output.endswith("broken")

    async def test_files_over_the_caps_are_left_behind_and_named(self, output_dir: Path) -> None:
        policy = SandboxPolicy(artifacts=2, artifact_bytes=100)
        show = "from IPython.display import HTML, display\n[display(HTML('x' * n)) for n in (60, 60, 30, 5)];"
        async with asyncio.timeout(WAIT), self.make(output_dir, policy=policy) as executor:
            result = await run(executor, python(show))
        assert [artifact.size for artifact in result.artifacts] == [60, 30]
        assert result.blocks[0].artifacts_skipped == ((".html", "too large"), (".html", "too many files"))

    async def test_the_latest_state_of_a_progress_bar_is_output(self, executor: CodeExecutor) -> None:
        assert (await run(executor, python(PROGRESS))).output == "'100 %'"

    async def test_a_kernel_that_dies_is_told_and_replaced(self, executor: CodeExecutor) -> None:
        result = await run(executor, python("x = 1"), python("import os; os._exit(3)"))
        assert [block.status for block in result.blocks] == ["ok", "crashed"]
        assert result.exit_code != 0
        assert "The kernel died in the middle of the block" in result.output
        assert "NameError" in (await run(executor, python("x"))).output

    async def test_a_block_that_quits_ends_well_and_the_next_one_gets_a_new_kernel(
        self, executor: CodeExecutor
    ) -> None:
        assert (await run(executor, python("x = 1\nquit()"))).exit_code == 0
        assert "NameError" in (await run(executor, python("x"))).output

    async def test_a_block_that_asks_for_input_fails_instead_of_waiting(self, executor: CodeExecutor) -> None:
        result = await run(executor, python("input('Name? ')"))
        assert result.exit_code == 1
        assert "NotImplementedError" in result.output

    async def test_f55_too_much_output_is_cut_and_ends_the_block(self, executor: CodeExecutor) -> None:
        started = time.monotonic()
        result = await run(executor, python("while True: print('x' * 65536)"))
        assert [block.status for block in result.blocks] == ["output_limit"]
        assert result.exit_code != 0
        assert len(result.output) < 2 * 1024 * 1024
        assert "Too much output" in result.output
        assert time.monotonic() - started < 40  # a Jupyter server takes ten seconds to pass on a hundred megabytes
        assert (await run(executor, python("print('next')"))).output == "next\n"

    async def test_f55_half_a_character_is_replaced(self, executor: CodeExecutor) -> None:
        assert (await run(executor, python(r"print('caf\udce9')"))).output in ("caf\ufffd\n", "caf?\n")

    async def test_f53_a_block_has_no_say_in_where_the_host_writes(
        self, executor: CodeExecutor, tmp_path: Path
    ) -> None:
        picture = base64.b64encode(b"picture").decode()
        named = f"display({{'image/png': {picture!r}}}, raw=True, metadata={{'filename': '../escaped.png'}})"
        result = await run(executor, python(f"from IPython.display import display\n{named}"))
        assert [artifact.data for artifact in result.artifacts] == [b"picture"]
        assert file_names(tmp_path) == ["shown"]

    async def test_the_files_of_a_recorded_result_are_there_again(self, output_dir: Path, tmp_path: Path) -> None:
        async with asyncio.timeout(2 * WAIT):
            async with self.make(output_dir) as executor:
                result = await run(executor, python(SHOW_A_PICTURE))
            recorded = CODE_EFFECT.decode_result(CODE_EFFECT.encode_result(result))
            assert isinstance(recorded, type(result))
            assert (files_of(recorded), list(recorded.blocks)) == (files_of(result), list(result.blocks))
            another = self.make(tmp_path / "another")
            await another.restore(recorded)
        assert file_names(tmp_path / "another") == [each.name for each in files_of(result)]

    def test_two_that_run_code_alike_have_one_identity(self, output_dir: Path, tmp_path: Path) -> None:
        identity = self.make(output_dir).effect_identity()
        assert identity == self.make(tmp_path).effect_identity() == json.loads(json.dumps(identity))
        assert identity != self.make(output_dir, timeout=7).effect_identity()
        assert identity != self.make(output_dir, policy=SandboxPolicy(artifacts=1)).effect_identity()

    async def test_a_temporary_folder_is_removed_if_nothing_is_in_it(self) -> None:
        executor = self.make(None)
        async with asyncio.timeout(WAIT):
            async with executor:
                await run(executor, python("x = 1"))
            assert not output_folder(executor).exists()
            async with executor:
                [file] = files_of(await run(executor, python(SHOW_A_PICTURE)))
            assert file.parent == output_folder(executor)
            assert file.exists()
            file.unlink()
            file.parent.rmdir()

    async def test_every_block_is_a_line_of_the_audit_log(self, output_dir: Path, tmp_path: Path) -> None:
        log = tmp_path / "audit.jsonl"
        async with self.make(output_dir, timeout=1, audit_log=log) as executor:
            for code in ("print('a secret')", "1 / 0", "while True: pass"):
                await executor.execute_code_blocks([python(code)], CancellationToken())
        lines = [json.loads(line) for line in (await asyncio.to_thread(log.read_text)).splitlines()]
        assert [(line["status"], line["exit_code"], line["ended_by"]) for line in lines] == [
            ("ok", 0, ""),
            ("error", 1, ""),
            ("timeout", 124, "the time limit of 1 s"),
        ]
        assert lines[0]["code_sha256"] == hashlib.sha256(b"print('a secret')").hexdigest()
        assert {line["executor"] for line in lines} == {type(executor).__name__}
        assert "secret" not in json.dumps(lines)

    async def test_no_block_runs_where_it_cannot_be_recorded(self, output_dir: Path, tmp_path: Path) -> None:
        logs = {
            output_dir / "audit.jsonl": (InvalidArgumentError, "give a file elsewhere"),
            tmp_path / "missing" / "audit.jsonl": (SandboxError, "cannot be written"),
        }
        for log, (error, said) in logs.items():
            executor = self.make(output_dir, audit_log=log)
            with pytest.raises(error, match=said):
                await executor.execute_code_blocks([python("1")], CancellationToken())
            await executor.stop()


def output_folder(executor: CodeExecutor) -> Path:
    folder: object = getattr(executor, "output_dir", None)
    assert isinstance(folder, Path)
    return folder


def files_of(result: BlockwiseCodeResult) -> list[Path]:
    files: list[Path] = getattr(result, "output_files", [])
    return files


async def run(executor: CodeExecutor, *blocks: CodeBlock) -> BlockwiseCodeResult:
    result = await executor.execute_code_blocks(list(blocks), CancellationToken())
    assert isinstance(result, BlockwiseCodeResult)
    return result
