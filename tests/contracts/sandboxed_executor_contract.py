"""What every executor on a sandbox promises beside the contract of all executors."""

import asyncio
from pathlib import Path
from typing import Unpack

import pytest
from tests.contracts.code_executor_contract import (
    WAIT,
    CodeExecutorContract,
    OutputListener,
    file_names,
    make_folder,
    python,
    run,
    shell,
)

from symposia.core.code_executor import CodeExecutor, SandboxPolicy
from symposia.core.exceptions import InvalidArgumentError, SandboxError
from symposia.ext.code_executors import SandboxCodeExecutor, SandboxOptions

DRAW = """
import pandas
import matplotlib.pyplot as pyplot
table = pandas.DataFrame({"quarter": [1, 2, 3], "revenue": [10.0, 20.0, 60.0]})
print(table["revenue"].sum())
table.plot(x="quarter", y="revenue", kind="bar")
pyplot.savefig("revenue.png")
"""


class SandboxedExecutorContract(CodeExecutorContract):
    """Tests that hold for every executor that has a sandbox."""

    def create(self, **options: Unpack[SandboxOptions]) -> SandboxCodeExecutor:
        raise NotImplementedError

    def test_its_identity_says_what_its_code_may_use(self) -> None:
        identities = [
            self.create().effect_identity(),
            self.create(policy=SandboxPolicy(memory_bytes=2**30)).effect_identity(),
            self.create(policy=SandboxPolicy(stateful=True)).effect_identity(),
            self.create(init_command="true").effect_identity(),
            self.create(functions=[file_names]).effect_identity(),
        ]
        assert all(identities.count(each) == 1 for each in identities)
        assert self.create().idempotency == "idempotent"

    def make(
        self, work_dir: Path | None, *, timeout: float = 30, on_output: OutputListener | None = None
    ) -> SandboxCodeExecutor:
        return self.create(work_dir=work_dir, timeout=timeout, on_output=on_output)

    async def test_a_result_has_the_time_and_the_memory_of_each_block(self, executor: CodeExecutor) -> None:
        busy = "import time\nwhile time.process_time() < 0.2: pass"
        result = await run(executor, python("x = 'x' * (64 << 20)"), python(busy))
        large, long = result.blocks
        assert large.peak_memory_bytes >= 64 << 20 > long.peak_memory_bytes
        assert 0.1 < long.cpu_seconds <= long.wall_seconds + 0.1

    async def test_f44_a_plot_of_a_table_comes_back(self, executor: CodeExecutor, work_dir: Path) -> None:
        result = await run(executor, python(DRAW))
        assert (result.exit_code, result.output) == (0, "90.0\n")
        [image] = result.images
        assert image.data.startswith(b"\x89PNG\r\n")
        assert (work_dir / "revenue.png").read_bytes() == image.data

    async def test_a_bound_folder_is_read_only_below_data(self, tmp_path: Path) -> None:
        data = tmp_path / "figures"
        make_folder(data, {"sales.csv": b"quarter,revenue\n"})
        async with asyncio.timeout(WAIT), self.create(work_dir=tmp_path / "work", bind_dir=data) as executor:
            result = await run(executor, shell("cat /data/figures/sales.csv; echo changed > /data/figures/sales.csv"))
        assert result.exit_code != 0
        assert result.output.startswith("quarter,revenue\n")
        assert (data / "sales.csv").read_text() == "quarter,revenue\n"

    async def test_a_bound_folder_that_does_not_exist_is_a_mistake(self, tmp_path: Path) -> None:
        executor = self.create(work_dir=tmp_path / "work", bind_dir=tmp_path / "nowhere")
        with pytest.raises(InvalidArgumentError, match="nowhere cannot be mounted into a sandbox: it does not exist"):
            await executor.start()

    async def test_a_work_folder_that_does_not_fit_is_told(self, work_dir: Path) -> None:
        make_folder(work_dir, {"big": bytes(3 * 1024 * 1024)})
        executor = self.create(work_dir=work_dir, policy=SandboxPolicy(work_bytes=1024 * 1024))
        async with asyncio.timeout(WAIT):
            with pytest.raises(SandboxError, match=r"big cannot be put into the sandbox .*raise the limits"):
                await executor.start()

    async def test_the_init_command_runs_before_the_first_block(self, work_dir: Path) -> None:
        async with asyncio.timeout(WAIT), self.create(work_dir=work_dir, init_command="echo made > ready") as executor:
            assert (await run(executor, shell("cat ready"))).output == "made\n"

    async def test_an_init_command_that_fails_says_so(self, work_dir: Path) -> None:
        executor = self.create(work_dir=work_dir, init_command="echo cannot >&2; exit 5")
        async with asyncio.timeout(WAIT):
            with pytest.raises(SandboxError, match="init_command failed with exit code 5 and said: cannot"):
                await executor.start()

    async def test_an_init_command_that_installs_is_told_how_to_allow_packages(self, work_dir: Path) -> None:
        executor = self.create(
            work_dir=work_dir, init_command="nopip() { echo 'pip: not found' >&2; exit 127; }; nopip"
        )
        async with asyncio.timeout(WAIT):
            with pytest.raises(SandboxError, match=r"and said: pip: not found\n.*packages=\['scipy'\]"):
                await executor.start()

    async def test_a_block_that_lacks_a_package_is_told_how_to_allow_it(self, work_dir: Path) -> None:
        async with asyncio.timeout(WAIT), self.create(work_dir=work_dir) as executor:
            [block] = (await run(executor, python("import no_such_module_x"))).blocks
        [note] = block.notes
        assert note.startswith("The sandbox has no module 'no_such_module_x'.")
        assert block.output.endswith(f"{note}\n")

    @pytest.mark.parametrize("delete", [True, False])
    async def test_source_files_stay_unless_asked_to_go(self, work_dir: Path, delete: bool) -> None:
        async with asyncio.timeout(WAIT), self.create(work_dir=work_dir, delete_tmp_files=delete) as executor:
            await run(executor, python("print(1)"))
        assert bool(file_names(work_dir)) is not delete

    async def test_a_memory_bomb_is_ended_and_named(self, work_dir: Path) -> None:
        policy = SandboxPolicy(memory_bytes=128 * 1024 * 1024)
        async with asyncio.timeout(WAIT), self.create(work_dir=work_dir, policy=policy) as executor:
            result = await run(executor, python("print('before', flush=True); filled = bytearray(10**9)"))
            assert [block.status for block in result.blocks] == ["out_of_memory"]
            assert result.output.startswith("before\n")
            assert "Out of memory: the memory limit of 128 MiB was reached. Files in the work folder" in result.output
            assert (await run(executor, python("print('next')"))).output == "next\n"

    async def test_s07_a_sandbox_that_a_block_filled_is_replaced_and_the_result_says_so(self, work_dir: Path) -> None:
        policy = SandboxPolicy(work_bytes=4 * 1024 * 1024)
        async with asyncio.timeout(WAIT), self.create(work_dir=work_dir, policy=policy) as executor:
            await run(executor, python("open('kept', 'w').write('kept')"))
            full = await run(
                executor, python("with open('full', 'wb') as full:\n    while True: full.write(bytes(2**16))")
            )
            assert [block.status for block in full.blocks] == ["disk_full"]
            assert any("gets a new one" in note for note in full.blocks[0].notes)
            result = await run(executor, python("import os; print(open('kept').read(), os.listdir('/tmp'))"))
            assert result.output.startswith("kept [")

    async def test_s09_a_file_of_the_host_goes_in_whatever_stands_in_its_place(self, work_dir: Path) -> None:
        make_folder(work_dir, {"data.csv": b"old"})
        async with asyncio.timeout(WAIT), self.create(work_dir=work_dir) as executor:
            for trap in ("mkdir data.csv", "ln -s /etc data.csv", "mkfifo data.csv"):
                await run(executor, shell(f"rm -rf data.csv; {trap}"))
                (work_dir / "data.csv").write_text(f"new, after {trap}")
                assert (await run(executor, shell("cat data.csv"))).output == f"new, after {trap}"

    async def test_s11_results_are_guests_unless_they_are_trusted(self, work_dir: Path) -> None:
        change = "import os\nfor name in ('data.csv', 'Makefile', 'plot.png'): open(name, 'w').write('of the code')"
        make_folder(work_dir, {"data.csv": b"old"})
        async with asyncio.timeout(2 * WAIT):
            async with self.create(work_dir=work_dir) as executor:
                [block] = (await run(executor, python(change))).blocks
                assert (work_dir / "data.csv").read_text() == "old"
                assert (work_dir / "changed-by-code" / "data.csv").read_text() == "of the code"
                assert not (work_dir / "Makefile").exists()
                assert (work_dir / "plot.png").read_text() == "of the code"
                assert sorted(path for path, _reason in block.artifacts_skipped) == ["Makefile", "data.csv"]
                assert sorted(file.path for file in block.artifacts) == ["Makefile", "data.csv", "plot.png"]
                await executor.restart()
                assert (await run(executor, shell("cat data.csv Makefile"))).output == "of the codeof the code"
            async with self.create(work_dir=work_dir, trust_results=True) as executor:
                await run(executor, python(change))
        assert (work_dir / "data.csv").read_text() == (work_dir / "Makefile").read_text() == "of the code"

    async def test_s11_the_source_of_a_block_is_a_guest_too(self, work_dir: Path) -> None:
        make_folder(work_dir, {"mine.py": b"the host's"})
        async with asyncio.timeout(WAIT), self.create(work_dir=work_dir) as executor:
            result = await run(executor, python("# filename: mine.py\nprint('mine')"), python("import mine"))
            assert result.output == "mine\nmine\n"
            assert (work_dir / "mine.py").read_text() == "the host's"
            changed = work_dir / "changed-by-code" / "mine.py"
            assert result.code_file == str(changed)
            assert changed.read_text().endswith("print('mine')")
            hidden = await run(executor, python("# filename: .git/hooks/pre-commit\nprint('hook')"))
            assert (hidden.output, (work_dir / ".git").exists()) == ("hook\n", False)
            [(path, _reason)] = hidden.blocks[0].artifacts_skipped
            assert path == ".git/hooks/pre-commit"

    async def test_without_a_timeout_the_time_limit_of_the_policy_holds(self, work_dir: Path) -> None:
        executor = self.create(work_dir=work_dir, policy=SandboxPolicy(time_limit=1))
        async with asyncio.timeout(WAIT), executor:
            result = await run(executor, python("while True: pass"))
        assert [block.status for block in result.blocks] == ["timeout"]
        assert result.exit_code == 124

    async def test_variables_live_on_from_call_to_call_where_the_policy_says_so(self, work_dir: Path) -> None:
        policy = SandboxPolicy(stateful=True)
        async with asyncio.timeout(WAIT), self.create(work_dir=work_dir, policy=policy, timeout=1) as executor:
            await run(executor, python("x = 1"), python("x += 1"))
            assert (await run(executor, shell("echo beside"), python("print(x)"))).output == "beside\n2\n"
            ended = await run(executor, python("x = 3\nwhile True: pass"))
            assert "Variables are as before this block." in ended.blocks[0].notes
            assert ended.output.endswith(
                "Variables are as before this block.\n\nTimeout: the time limit of 1 s was reached."
            )
            assert (await run(executor, python("print(x)"))).output == "2\n"
            await executor.restart()
            assert (await run(executor, python("print('x' in globals())"))).output == "False\n"

    async def test_a_block_is_told_of_variables_that_were_lost_with_their_sandbox(self, work_dir: Path) -> None:
        policy = SandboxPolicy(stateful=True, work_bytes=4 * 1024 * 1024)
        lost = "The variables are lost. The next block begins anew."
        async with asyncio.timeout(WAIT), self.create(work_dir=work_dir, policy=policy) as executor:
            fill = python("x = 1\nwith open('full', 'wb') as full:\n    while True: full.write(bytes(2**16))")
            full = await run(executor, fill)
            assert lost in full.blocks[0].notes
            assert lost in full.output
            assert (await run(executor, python("print('x' in globals())"))).output == "False\n"

    async def test_a_block_is_told_that_variables_of_recorded_blocks_are_not_there(self, work_dir: Path) -> None:
        policy = SandboxPolicy(stateful=True)
        async with asyncio.timeout(WAIT), self.create(work_dir=work_dir, policy=policy) as executor:
            recorded = await run(executor, python("x = 1; print(x, file=open('file', 'w'))"))
        async with asyncio.timeout(WAIT), self.create(work_dir=work_dir, policy=policy) as executor:
            await executor.restore(recorded)
            result = await run(executor, python("print('x' in globals(), open('file').read())"))
            assert result.output.startswith("False 1\n\n")
            assert "their variables are not" in result.output
            assert "recorded" not in (await run(executor, python("print('next')"))).output

    def test_a_block_is_told_of_variables_that_an_earlier_event_loop_had(self, work_dir: Path) -> None:
        executor = self.create(work_dir=work_dir, policy=SandboxPolicy(stateful=True))
        asyncio.run(run(executor, python("x = 1")))
        result = asyncio.run(run(executor, python("print('x' in globals())")))
        told = "The variables of earlier blocks were lost before this block, which began anew."
        assert result.output == f"False\n\n{told}\n"
        assert told in result.blocks[0].notes
        asyncio.run(executor.stop())
