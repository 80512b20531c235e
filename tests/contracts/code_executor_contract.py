"""What every command line code executor promises. Subclass `CodeExecutorContract` and say how to make yours."""

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.sandbox_contract import IGNORE_EVERY_SIGNAL

from symposia.core import CancellationToken
from symposia.core.code_executor import CODE_EFFECT, CodeBlock, CodeExecutor, CommandLineCodeResult, OutputStream
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError, SandboxDiedError, UsageError

WAIT = 30.0
PNG = "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
COUNT_FOR_EVER = """
import time
print("counting", flush=True)
number = 0
while True:
    number += 1
    with open("count", "w") as file:
        file.write(str(number))
    time.sleep(0.02)
"""
IS_IT_STILL_COUNTING = """
import time
before = open("count").read()
time.sleep(0.3)
print(open("count").read() != before)
"""
LEAVE_A_CHILD_THAT_HOLDS_STDOUT = """
import os, time
if os.fork() == 0:
    time.sleep(600)
print("done", flush=True)
"""
WRONG_BLOCKS: list[Any] = [
    "print(1)",
    ["print(1)"],
    CodeBlock(code="print(1)", language="python"),
    {"code": "print(1)", "language": "python"},
    [CodeBlock(code="print(1)", language="python"), {"code": "print(2)", "language": "python"}],
    None,
]
WANTED_BLOCKS = r"give a list of blocks, such as \[CodeBlock\(code='print\(1\)', language='python'\)\]"

OutputListener = Callable[[OutputStream, str], None]


def python(code: str) -> CodeBlock:
    return CodeBlock(code=code, language="python")


def shell(code: str) -> CodeBlock:
    return CodeBlock(code=code, language="sh")


class Heard:
    """An output listener that can be waited on."""

    def __init__(self) -> None:
        self.text = ""
        self.something = asyncio.Event()

    def __call__(self, _stream: OutputStream, text: str) -> None:
        self.text += text
        self.something.set()


class CodeExecutorContract:
    """Tests that hold for every executor, with or without a sandbox."""

    def make(
        self, work_dir: Path | None, *, timeout: float = 30, on_output: OutputListener | None = None
    ) -> CodeExecutor:
        raise NotImplementedError

    @pytest.fixture
    def work_dir(self, tmp_path: Path) -> Path:
        return tmp_path / "work"

    @pytest.fixture
    async def executor(self, work_dir: Path) -> AsyncIterator[CodeExecutor]:
        async with asyncio.timeout(WAIT), self.make(work_dir) as executor:
            yield executor

    async def test_what_a_block_prints_is_its_output(self, executor: CodeExecutor) -> None:
        result = await run(executor, python("print(1 + 1)"))
        assert (result.exit_code, result.output) == (0, "2\n")

    async def test_it_starts_on_its_first_use(self, work_dir: Path) -> None:
        executor = self.make(work_dir)
        try:
            assert (await run(executor, python("print('up')"))).output == "up\n"
        finally:
            await executor.stop()

    async def test_the_source_of_a_block_is_kept_in_the_work_folder(
        self, executor: CodeExecutor, work_dir: Path
    ) -> None:
        result = await run(executor, python("# filename: mine.py\nprint('kept')"))
        assert result.code_file == str(work_dir / "mine.py")
        assert (work_dir / "mine.py").read_text() == "# filename: mine.py\nprint('kept')"

    async def test_a_source_is_named_from_the_root_though_its_work_folder_is_not(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        async with asyncio.timeout(WAIT), self.make(Path("work")) as executor:
            result = await run(executor, python("# filename: mine.py\nprint('kept')"))
        assert result.code_file == str(tmp_path / "work" / "mine.py")

    async def test_a_block_can_import_a_file_that_an_earlier_one_named(self, executor: CodeExecutor) -> None:
        result = await run(
            executor, python("# filename: answers.py\nanswer = 42"), python("import answers; print(answers.answer)")
        )
        assert result.output == "42\n"

    async def test_a_named_file_may_be_in_a_folder_of_its_own(self, executor: CodeExecutor, work_dir: Path) -> None:
        assert (await run(executor, python("# filename: deep/er/mine.py\nprint('in')"))).output == "in\n"
        assert (work_dir / "deep" / "er" / "mine.py").exists()

    async def test_a_file_whose_name_begins_with_a_dash_is_no_option(self, executor: CodeExecutor) -> None:
        assert (await run(executor, python("# filename: --version\nprint('mine')"))).output == "mine\n"

    @pytest.mark.parametrize("name", ["../mine.py", "/tmp/mine.py", "a/../../mine.py", "..", "."])
    async def test_a_file_name_outside_the_work_folder_is_refused(
        self, executor: CodeExecutor, work_dir: Path, name: str
    ) -> None:
        result = await run(executor, python(f"# filename: {name}\nprint('out')"))
        assert (result.exit_code, result.output) == (1, "Filename is not in the workspace")
        assert result.code_file is None
        assert not (work_dir.parent / "mine.py").exists()

    @pytest.mark.parametrize("language", ["python", "Python", "py", "python3"])
    async def test_python_has_several_names(self, executor: CodeExecutor, language: str) -> None:
        assert (await run(executor, CodeBlock(code="print('py')", language=language))).output == "py\n"

    @pytest.mark.parametrize("language", ["sh", "shell", "bash", "BASH"])
    async def test_shells_have_several_names(self, executor: CodeExecutor, language: str) -> None:
        assert (await run(executor, CodeBlock(code="echo $((6 * 7))", language=language))).output == "42\n"

    @pytest.mark.parametrize("language", ["javascript", "js", "JavaScript"])
    async def test_javascript_runs_where_node_is(self, executor: CodeExecutor, language: str) -> None:
        has_node = (await run(executor, shell("command -v node"))).exit_code == 0
        named = CodeBlock(code="// filename: three.js\nmodule.exports = 3;", language=language)
        result = await run(executor, named, CodeBlock(code="console.log(require('./three.js'))", language=language))
        if has_node:
            assert (result.exit_code, result.output) == (0, "3\n")
        else:
            assert result.exit_code != 0
            assert "Node.js" in result.output or "node is not installed" in result.output

    async def test_bash_blocks_run_in_bash(self, executor: CodeExecutor) -> None:
        result = await run(executor, CodeBlock(code="[[ a == a ]] && echo ${BASH_VERSION:+bash}", language="bash"))
        assert result.output == "bash\n"

    async def test_an_unknown_language_is_told_to_its_author(self, executor: CodeExecutor) -> None:
        result = await run(executor, CodeBlock(code="1", language="ruby"))
        assert result.exit_code == 1
        assert "unknown language ruby" in result.output
        assert "python" in result.output

    @pytest.mark.parametrize("given", WRONG_BLOCKS, ids=repr)
    async def test_what_is_not_a_list_of_blocks_is_told_with_what_is(
        self, executor: CodeExecutor, given: list[CodeBlock]
    ) -> None:
        token = CancellationToken()
        with pytest.raises(ArgumentTypeError, match=WANTED_BLOCKS):
            await executor.execute_code_blocks(given, token)
        with pytest.raises(ArgumentTypeError, match=WANTED_BLOCKS):
            await executor.execute_with_output(given, token, Heard())

    async def test_a_list_without_blocks_is_a_mistake(self, executor: CodeExecutor) -> None:
        with pytest.raises(InvalidArgumentError, match="No code blocks"):
            await run(executor)

    def test_a_timeout_below_a_second_is_a_mistake(self, work_dir: Path) -> None:
        with pytest.raises(InvalidArgumentError, match="Timeout must be greater than or equal to 1"):
            self.make(work_dir, timeout=0)

    async def test_the_exit_code_of_a_block_is_the_result(self, executor: CodeExecutor) -> None:
        assert (await run(executor, shell("exit 3"))).exit_code == 3

    async def test_stderr_follows_stdout(self, executor: CodeExecutor) -> None:
        result = await run(executor, python("import sys; print('e', file=sys.stderr); print('o')"))
        assert result.output == "o\ne\n"

    async def test_what_an_exception_says_is_output(self, executor: CodeExecutor) -> None:
        result = await run(executor, python("raise ValueError('no such luck')"))
        assert result.exit_code == 1
        assert "ValueError: no such luck" in result.output

    async def test_a_block_sees_the_files_of_the_work_folder(self, work_dir: Path) -> None:
        make_folder(work_dir, {"before.txt": b"before "})
        async with asyncio.timeout(WAIT), self.make(work_dir) as executor:
            make_folder(work_dir / "sub", {"after.txt": b"after"})
            result = await run(executor, shell("cat before.txt sub/after.txt"))
        assert result.output == "before after"

    async def test_what_a_block_writes_is_in_the_work_folder(self, executor: CodeExecutor, work_dir: Path) -> None:
        result = await run(executor, shell("mkdir made; echo hello > made/file.txt; printf '\\377' > raw"))
        assert (work_dir / "made" / "file.txt").read_text() == "hello\n"
        assert (work_dir / "raw").read_bytes() == b"\xff"
        assert sorted(artifact.path for artifact in result.artifacts) == ["made/file.txt", "raw"]

    async def test_files_stay_between_calls(self, executor: CodeExecutor) -> None:
        await run(executor, shell("echo one > list.txt"))
        await run(executor, shell("echo two >> list.txt"))
        assert (await run(executor, shell("cat list.txt"))).output == "one\ntwo\n"

    async def test_the_host_may_change_a_file_between_calls(self, executor: CodeExecutor, work_dir: Path) -> None:
        await run(executor, shell("echo theirs > file.txt"))
        (work_dir / "file.txt").write_text("ours")
        assert (await run(executor, shell("cat file.txt"))).output == "ours"

    async def test_calls_of_several_tasks_run_one_after_another(self, executor: CodeExecutor) -> None:
        count = "import os\nn = int(open('n').read()) if os.path.exists('n') else 0\nopen('n', 'w').write(str(n + 1))"
        await asyncio.gather(*(run(executor, python(count)) for _ in range(5)))
        assert (await run(executor, shell("cat n"))).output == "5"

    async def test_output_is_received_as_it_comes(self, work_dir: Path) -> None:
        heard = Heard()
        async with asyncio.timeout(WAIT), self.make(work_dir, on_output=heard) as executor:
            running = asyncio.ensure_future(run(executor, python(COUNT_FOR_EVER)))
            await heard.something.wait()
            assert not running.done()
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
        assert heard.text.strip() == "counting"

    async def test_the_output_of_one_call_is_passed_on_to_its_caller_alone(self, work_dir: Path) -> None:
        always, first, second = Heard(), Heard(), Heard()
        async with asyncio.timeout(WAIT), self.make(work_dir, on_output=always) as executor:
            for said, listener in (("one", first), ("two", second)):
                await executor.execute_with_output([python(f"print('{said}')")], CancellationToken(), listener)
        assert (first.text, second.text, always.text) == ("one\n", "two\n", "one\ntwo\n")

    async def test_listeners_receive_the_whole_output_that_ends_inside_a_character(self, work_dir: Path) -> None:
        heard = Heard()
        async with asyncio.timeout(WAIT), self.make(work_dir, on_output=heard) as executor:
            result = await run(executor, python(r"import sys; sys.stdout.buffer.write(b'end \xc3')"))
        assert heard.text == result.output == "end \ufffd"

    async def test_the_files_of_a_recorded_result_are_there_for_the_next_block(self, work_dir: Path) -> None:
        async with asyncio.timeout(2 * WAIT):
            async with self.make(work_dir) as executor:
                made = "# filename: mine.py\nopen('made.png', 'wb').write(bytes.fromhex('89504e47'))\nanswer = 42"
                recorded = CODE_EFFECT.decode_result(CODE_EFFECT.encode_result(await run(executor, python(made))))
            async with self.make(work_dir.parent / "another") as executor:
                await run(executor, python("print('a sandbox runs already')"))
                await executor.restore(recorded)
                result = await run(executor, python("import mine; print(mine.answer, open('made.png', 'rb').read())"))
        assert result.output == "42 b'\\x89PNG'\n"
        assert (work_dir.parent / "another" / "made.png").exists()

    def test_two_that_run_code_alike_have_one_identity(self, work_dir: Path) -> None:
        assert self.make(work_dir).effect_identity() == self.make(work_dir.parent).effect_identity()
        assert self.make(work_dir).effect_identity() != self.make(work_dir, timeout=7).effect_identity()
        assert json.loads(json.dumps(self.make(work_dir).effect_identity())) == self.make(work_dir).effect_identity()

    async def test_restarting_keeps_the_work_folder(self, executor: CodeExecutor) -> None:
        await run(executor, shell("echo kept > file.txt"))
        await executor.restart()
        assert (await run(executor, shell("cat file.txt"))).output == "kept\n"

    async def test_it_works_again_after_it_was_stopped(self, executor: CodeExecutor) -> None:
        await executor.stop()
        await executor.stop()
        assert (await run(executor, python("print('again')"))).output == "again\n"

    async def test_each_event_loop_in_turn_may_use_it_and_its_end_closes_what_runs(self, work_dir: Path) -> None:
        executor = self.make(work_dir)

        def one_after_another() -> list[str]:
            blocks = [python("open('loops.txt', 'a').write('x')\nprint(open('loops.txt').read())")]
            return [asyncio.run(run(executor, *blocks)).output.splitlines()[0] for _ in range(2)]

        async with asyncio.timeout(WAIT):
            assert await asyncio.to_thread(one_after_another) == ["x", "xx"]
            await executor.stop()

    async def test_two_event_loops_at_the_same_time_are_a_mistake(self, executor: CodeExecutor) -> None:
        await run(executor, python("print(1)"))
        with pytest.raises(UsageError, match="in use in another event loop"):
            await asyncio.to_thread(lambda: asyncio.run(run(executor, python("print(2)"))))
        assert (await run(executor, python("print(3)"))).output == "3\n"
        await executor.stop()
        async with asyncio.timeout(WAIT):
            result = await asyncio.to_thread(lambda: asyncio.run(run(executor, python("print(4)"))))
        assert result.output == "4\n"

    async def test_stopping_ends_the_block_that_runs_and_tells_its_caller(self, work_dir: Path) -> None:
        heard = Heard()
        executor = self.make(work_dir, on_output=heard)
        async with asyncio.timeout(WAIT):
            running = asyncio.ensure_future(run(executor, python(COUNT_FOR_EVER)))
            await heard.something.wait()
            waiting = asyncio.ensure_future(run(executor, python("print('never')")))
            await asyncio.sleep(0)
            await executor.stop()
            for call in (running, waiting):
                with pytest.raises(SandboxDiedError, match="stopped before the blocks had ended"):
                    await call

    async def test_a_work_folder_of_its_own_is_removed_with_it(self) -> None:
        executor = self.make(None)
        async with asyncio.timeout(WAIT), executor:
            result = await run(executor, python("print('own')"))
            assert result.code_file is not None
            folder = Path(result.code_file).parent
            assert folder.is_dir()
        assert not folder.exists()

    @pytest.mark.parametrize("way", ["token", "task"])
    async def test_f39_a_cancelled_block_is_killed(self, work_dir: Path, way: str) -> None:
        heard, token = Heard(), CancellationToken()
        async with asyncio.timeout(WAIT), self.make(work_dir, on_output=heard) as executor:
            running = asyncio.ensure_future(executor.execute_code_blocks([python(COUNT_FOR_EVER)], token))
            await heard.something.wait()
            token.cancel() if way == "token" else running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            assert (
                await run(executor, python("open('count', 'w').write('0')"), python(IS_IT_STILL_COUNTING))
            ).output == "False\n"

    async def test_f40_f54_a_block_that_ignores_every_signal_is_killed_at_the_limit(self, work_dir: Path) -> None:
        async with asyncio.timeout(WAIT), self.make(work_dir, timeout=1) as executor:
            await run(executor, python("pass"))
            started = time.monotonic()
            result = await run(executor, python(IGNORE_EVERY_SIGNAL))
            assert time.monotonic() - started < 3
            assert (result.exit_code, result.output) == (124, "deaf\n\nTimeout: the time limit of 1 s was reached.")
            assert (await run(executor, python("print('next')"))).output == "next\n"

    async def test_f40_a_child_that_holds_stdout_delays_no_result(self, executor: CodeExecutor) -> None:
        started = time.monotonic()
        result = await run(executor, python(LEAVE_A_CHILD_THAT_HOLDS_STDOUT))
        assert (result.exit_code, result.output) == (0, "done\n")
        assert time.monotonic() - started < 10

    async def test_f41_a_block_that_times_out_keeps_its_partial_output(self, work_dir: Path) -> None:
        async with asyncio.timeout(WAIT), self.make(work_dir, timeout=1) as executor:
            result = await run(executor, python("print('so far'); import time; time.sleep(600)"))
        assert (result.exit_code, result.output) == (124, "so far\n\nTimeout: the time limit of 1 s was reached.")
        [block] = result.blocks
        assert (block.status, block.ended_by) == ("timeout", "the time limit of 1 s")
        assert block.ending == "exit status 124: ended at the time limit of 1 s"

    async def test_f42_a_block_sees_nothing_of_the_hosts_environment(
        self, work_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SOME_API_KEY", "a-secret")
        async with asyncio.timeout(WAIT), self.make(work_dir) as executor:
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
        assert result.blocks[0].output == "first\n"

    async def test_f44_a_picture_comes_back(self, executor: CodeExecutor, work_dir: Path) -> None:
        result = await run(executor, python(f"open('plot.png', 'wb').write(bytes.fromhex('{PNG}'))"))
        [image] = result.images
        assert (image.path, image.kind, image.data) == ("plot.png", "image/png", bytes.fromhex(PNG))
        assert image.sha256 == hashlib.sha256(image.data).hexdigest()
        assert (work_dir / "plot.png").read_bytes() == image.data

    async def test_f53_a_link_at_the_next_scripts_name_leads_the_host_nowhere(
        self, executor: CodeExecutor, tmp_path: Path
    ) -> None:
        victim = tmp_path / "victim"
        victim.write_text("untouched")
        code = "print('next')"
        name = f"tmp_code_{hashlib.sha256(code.encode()).hexdigest()}.py"
        trap = f"import os\nfor name in ({name!r}, 'mine.py'):\n    os.symlink({str(victim)!r}, name)"
        assert (await run(executor, python(trap))).exit_code == 0
        assert (await run(executor, python(code))).output == "next\n"
        assert (await run(executor, python("# filename: mine.py\nprint('mine')"))).output == "mine\n"
        assert victim.read_text() == "untouched"

    async def test_f53_a_link_in_the_place_of_a_folder_leads_the_host_nowhere(
        self, executor: CodeExecutor, tmp_path: Path
    ) -> None:
        outside = tmp_path / "outside"
        make_folder(outside, {})
        await run(executor, python(f"import os; os.symlink({str(outside)!r}, 'folder')"))
        await run(executor, python("# filename: folder/mine.py\nprint('mine')"))
        assert file_names(outside) == []

    async def test_f55_too_much_output_is_cut_and_ends_the_block(self, executor: CodeExecutor) -> None:
        started = time.monotonic()
        result = await run(executor, python("while True: print('x' * 65536)"))
        assert [block.status for block in result.blocks] == ["output_limit"]
        assert result.exit_code != 0
        assert len(result.output) < 2 * 1024 * 1024
        assert "bytes cut" in result.output
        assert time.monotonic() - started < 10

    async def test_f55_bytes_that_are_not_utf8_are_replaced(self, executor: CodeExecutor) -> None:
        result = await run(executor, python("import sys; sys.stdout.buffer.write(b'caf\\xe9\\n')"))
        assert result.output == "caf\ufffd\n"


def make_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)


def file_names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


async def run(executor: CodeExecutor, *blocks: CodeBlock) -> CommandLineCodeResult:
    result = await executor.execute_code_blocks(list(blocks), CancellationToken())
    assert isinstance(result, CommandLineCodeResult)
    return result
