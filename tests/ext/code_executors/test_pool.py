"""Sandboxes that are started ahead: in memory, and for real in every kind of sandbox."""

import asyncio
import gc
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from tests.contracts.sandbox_contract import all_gone, leave_process
from tests.support.docker_engine import Engine
from tests.support.sandboxes import require_in_loop

from symposia.core import CancellationToken
from symposia.core.code_executor import CodeBlock, Sandbox, SandboxBackend, SandboxMount, SandboxPolicy, SandboxResult
from symposia.core.exceptions import InvalidArgumentError, SandboxDiedError, SandboxUnavailableError, UsageError
from symposia.ext.code_executors import SandboxCodeExecutor, SandboxPool
from symposia.ext.code_executors._pool import shares
from symposia.ext.code_executors._sandbox import base_python
from symposia.ext.code_executors._sandbox._zygotes import ZYGOTES
from symposia.ext.code_executors.bubblewrap import BubblewrapBackend
from symposia.ext.code_executors.docker import DockerBackend
from symposia.ext.code_executors.namespaces import NamespaceBackend
from symposia.testing.sandboxes import FakeSandbox, FakeSandboxBackend, printed

LOOK = "import os; print(os.path.exists('secret'))"
POLICY, OTHER = SandboxPolicy(), SandboxPolicy(stateful=True)


class MortalSandbox(FakeSandbox):
    """A sandbox that can die."""

    died = False

    async def get(self, path: str) -> bytes:
        if self.died:
            raise SandboxDiedError("It has died.")
        return await super().get(path)


class Backend(FakeSandboxBackend):
    """Starts sandboxes when the test lets it.

    Attributes:
        gate: Starts wait until it is set.
        error: Raised by starts.
        begun: Starts that have begun.
        most_at_once: Most starts that ran at the same time.
    """

    def __init__(self, *, opened: bool = True) -> None:
        super().__init__(self._nothing)
        self.made: list[MortalSandbox] = []
        self.gate = asyncio.Event()
        if opened:
            self.gate.set()
        self.error: Exception | None = None
        self.begun = self.most_at_once = self._now = 0

    async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> MortalSandbox:
        self.begun += 1
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            await self.gate.wait()
        finally:
            self._now -= 1
        if self.error:
            raise self.error
        self.made.append(MortalSandbox(self._nothing, policy, mounts))
        return self.made[-1]

    async def _nothing(self, code: str) -> SandboxResult:
        return printed("")


async def settled() -> None:
    """Let every task go on as far as it can without time passing."""
    for _ in range(20):
        await asyncio.sleep(0)


async def until_made(backend: Backend, number: int) -> None:
    async with asyncio.timeout(10):
        while len(backend.made) < number:  # noqa: ASYNC110 - timers of the pool, of a few milliseconds
            await asyncio.sleep(0.001)


@pytest.fixture(autouse=True)
async def no_task_is_left() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    await settled()
    assert not asyncio.all_tasks() - before - {asyncio.current_task()}


class TestStartsAhead:
    async def test_a_sandbox_that_was_prepared_is_handed_out(self) -> None:
        backend = Backend()
        async with SandboxPool(backend) as pool:
            pool.prepare(POLICY)
            await settled()
            [prepared] = backend.made
            assert await pool.create(POLICY) is prepared

    async def test_prepare_returns_while_the_sandbox_starts_and_create_waits_for_it(self) -> None:
        backend = Backend(opened=False)
        async with SandboxPool(backend) as pool:
            pool.prepare(POLICY)
            creating = asyncio.ensure_future(pool.create(POLICY))
            await settled()
            assert backend.begun == 1
            backend.gate.set()
            assert await creating is backend.made[0]

    async def test_another_is_started_after_each_create(self) -> None:
        backend = Backend()
        async with SandboxPool(backend) as pool:
            owned = [await pool.create(POLICY)]
            await settled()
            owned.append(await pool.create(POLICY))
            await settled()
            assert owned == backend.made[:2]
            assert len(backend.made) == 3

    async def test_two_callers_never_get_the_same_sandbox(self) -> None:
        backend = Backend()
        async with SandboxPool(backend, size=3, starts=2) as pool:
            sandboxes = await asyncio.gather(*(pool.create(POLICY) for _ in range(20)))
        assert len({id(sandbox) for sandbox in sandboxes}) == 20

    async def test_a_sandbox_that_was_used_is_never_handed_out_again(self) -> None:
        backend = Backend()
        async with SandboxPool(backend) as pool:
            used = await pool.create(POLICY)
            await used.close()
            assert await pool.create(POLICY) is not used

    async def test_a_sandbox_ahead_has_the_policy_that_is_asked_for(self) -> None:
        backend = Backend()
        async with SandboxPool(backend) as pool:
            pool.prepare(POLICY)
            await settled()
            sandbox = await pool.create(OTHER)
            assert isinstance(sandbox, MortalSandbox)
            assert sandbox.policy == OTHER

    async def test_a_sandbox_with_mounts_is_started_when_it_is_asked_for(
        self, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        backend = Backend()
        mount = SandboxMount(source=tmp_path_factory.getbasetemp(), target="/data/x")
        async with SandboxPool(backend) as pool:
            sandbox = await pool.create(POLICY, mounts=[mount])
            await settled()
            assert backend.made == [sandbox]
            assert backend.made[0].mounts == (mount,)

    async def test_the_name_is_that_of_the_backend_that_was_chosen(self) -> None:
        backend = Backend()
        backend.name = "auto"
        async with SandboxPool(backend) as pool:
            assert pool.name == "auto"
            backend.name = "docker"
            await pool.create(POLICY)
            assert pool.name == "docker"

    async def test_an_executor_takes_it_as_its_backend(self) -> None:
        backend = Backend()
        async with SandboxPool(backend) as pool:
            async with SandboxCodeExecutor(pool) as executor:
                result = await executor.execute_code_blocks([CodeBlock("pass", "python")], CancellationToken())
            assert result.exit_code == 0
            assert [sandbox.closed for sandbox in backend.made] == [True, False]


class TestBounds:
    async def test_no_more_are_ahead_than_its_size(self) -> None:
        backend = Backend()
        async with SandboxPool(backend, size=3) as pool:
            for policy in (POLICY, OTHER, POLICY):
                pool.prepare(policy)
                await settled()
            assert sum(not sandbox.closed for sandbox in backend.made) == 3

    async def test_no_more_start_at_once_than_allowed(self) -> None:
        backend = Backend(opened=False)
        async with SandboxPool(backend, size=8, starts=3) as pool:
            pool.prepare(POLICY)
            creating = asyncio.gather(*(pool.create(POLICY) for _ in range(10)))
            await settled()
            assert backend.begun == 3
            backend.gate.set()
            await creating
            await settled()
            assert backend.most_at_once == 3
            assert len(backend.made) == 18

    async def test_policies_share_the_pool_and_the_last_ones_asked_for_stay(self) -> None:
        assert shares([POLICY], 3) == {POLICY: 3}
        assert shares([POLICY, OTHER], 3) == {POLICY: 2, OTHER: 1}
        assert shares([], 3) == {}
        backend = Backend()
        async with SandboxPool(backend) as pool:
            pool.prepare(POLICY)
            await settled()
            pool.prepare(OTHER)
            await settled()
            assert [sandbox.closed for sandbox in backend.made] == [True, False]

    @pytest.mark.parametrize("name", ["size", "starts", "idle_seconds", "check_seconds"])
    async def test_a_number_that_is_not_above_zero_is_refused(self, name: str) -> None:
        with pytest.raises(InvalidArgumentError, match=name):
            SandboxPool(Backend(), **{name: 0})


class TestReplaces:
    async def test_a_sandbox_that_died_is_not_handed_out(self) -> None:
        backend = Backend()
        async with SandboxPool(backend) as pool:
            pool.prepare(POLICY)
            await settled()
            backend.made[0].died = True
            assert await pool.create(POLICY) is backend.made[1]
            assert backend.made[0].closed

    async def test_a_sandbox_that_died_while_it_waited_is_replaced(self) -> None:
        backend = Backend()
        async with SandboxPool(backend, check_seconds=0.001) as pool:
            pool.prepare(POLICY)
            await until_made(backend, 1)
            backend.made[0].died = True
            await until_made(backend, 2)
            assert await pool.create(POLICY) is backend.made[1]
            assert backend.made[0].closed

    async def test_a_sandbox_that_waits_too_long_is_replaced(self) -> None:
        backend = Backend()
        async with SandboxPool(backend, idle_seconds=0.01) as pool:
            pool.prepare(POLICY)
            await until_made(backend, 3)
            assert backend.made[0].closed
            assert not backend.made[-1].closed


class TestErrors:
    async def test_the_error_of_a_start_is_raised_where_it_is_waited_for(self) -> None:
        backend = Backend(opened=False)
        backend.error = SandboxUnavailableError("There is no engine.")
        async with SandboxPool(backend) as pool:
            pool.prepare(POLICY)
            creating = asyncio.ensure_future(pool.create(POLICY))
            await settled()
            backend.gate.set()
            with pytest.raises(SandboxUnavailableError, match="no engine"):
                await creating

    async def test_a_start_that_failed_is_logged_once_and_made_again_by_create(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        backend = Backend()
        backend.error = SandboxUnavailableError("There is no engine.")
        async with SandboxPool(backend) as pool:
            with caplog.at_level(logging.WARNING, "symposia"):
                pool.prepare(POLICY)
                await settled()
            assert [record.getMessage() for record in caplog.records] == [
                "A sandbox could not be started ahead: There is no engine."
            ]
            assert backend.begun == 1
            with pytest.raises(SandboxUnavailableError, match="no engine"):
                await pool.create(POLICY)
            backend.error = None
            assert await pool.create(POLICY) is backend.made[0]

    async def test_a_pool_that_is_closed_says_so(self) -> None:
        pool = SandboxPool(Backend())
        await pool.close()
        await pool.close()
        with pytest.raises(UsageError, match="closed"):
            await pool.create(POLICY)
        with pytest.raises(UsageError, match="closed"):
            pool.prepare(POLICY)

    def test_another_event_loop_is_refused_with_what_to_do(self) -> None:
        pool = SandboxPool(FakeSandboxBackend(lambda _code: asyncio.sleep(0, printed(""))))
        asyncio.run(_create_and_drop(pool))
        with pytest.raises(UsageError, match="a SandboxPool in each event loop"):
            asyncio.run(_create_and_drop(pool))


async def _create_and_drop(pool: SandboxPool) -> None:
    await pool.create(POLICY)


class TestEnds:
    async def test_closing_ends_what_waits_and_not_what_was_handed_out(self) -> None:
        backend = Backend()
        async with SandboxPool(backend, size=2) as pool:
            owned = await pool.create(POLICY)
            await settled()
        assert [sandbox.closed for sandbox in backend.made] == [False, True, True]
        assert backend.made[0] is owned

    async def test_closing_ends_what_starts(self) -> None:
        backend = Backend(opened=False)
        pool = SandboxPool(backend)
        pool.prepare(POLICY)
        await settled()
        await pool.close()
        assert (backend.begun, backend.made) == (1, [])

    async def test_a_caller_that_waits_gets_its_sandbox_although_the_pool_is_closed(self) -> None:
        backend = Backend(opened=False)
        pool = SandboxPool(backend)
        pool.prepare(POLICY)
        creating, closing = asyncio.ensure_future(pool.create(POLICY)), asyncio.ensure_future(pool.close())
        await settled()
        backend.gate.set()
        assert await creating is backend.made[0]
        await closing
        assert not backend.made[0].closed
        assert len(backend.made) == 1

    async def test_a_sandbox_whose_caller_is_cancelled_goes_to_the_next(self) -> None:
        backend = Backend(opened=False)
        async with SandboxPool(backend) as pool:
            pool.prepare(POLICY)
            creating = asyncio.ensure_future(pool.create(POLICY))
            await settled()
            creating.cancel()
            await settled()
            backend.gate.set()
            assert await pool.create(POLICY) is backend.made[0]

    @pytest.mark.parametrize("steps", range(12))
    async def test_no_sandbox_is_lost_wherever_the_caller_is_cancelled(self, steps: int) -> None:
        backend = Backend()
        pool = SandboxPool(backend, size=2)
        owned: list[Sandbox] = []
        creating = asyncio.ensure_future(pool.create(POLICY))
        for _ in range(steps):
            await asyncio.sleep(0)
        creating.cancel()
        with suppress(asyncio.CancelledError):
            owned.append(await creating)
        await pool.close()
        assert [sandbox for sandbox in backend.made if not sandbox.closed] == owned

    def test_a_pool_that_nobody_closed_ends_with_its_event_loop(self) -> None:
        sandboxes = FakeSandboxBackend(lambda _code: asyncio.sleep(0, printed("")))

        async def main() -> None:
            pool = SandboxPool(sandboxes)
            await pool.create(POLICY)
            await settled()

        asyncio.run(main())
        assert [sandbox.closed for sandbox in sandboxes.sandboxes] == [False, True]


class PoolOfRealSandboxes:
    """What a pool promises, over a kind of sandbox that isolates code."""

    def backend(self) -> SandboxBackend:
        raise NotImplementedError

    def left(self) -> list[str]:
        """What runs for this process: launchers, or containers."""
        ZYGOTES.end()  # of this and earlier tests: what is left otherwise lives no longer than the sandboxes
        tasks = Path("/proc/self/task").iterdir()
        return [child for task in tasks for child in (task / "children").read_text().split()]

    async def test_a_sandbox_from_the_pool_runs_blocks_and_the_end_leaves_no_process(self) -> None:
        backend = self.backend()
        await require_in_loop(backend)
        marker = f"pool-{time.monotonic_ns()}"
        async with asyncio.timeout(100), SandboxPool(backend) as pool:
            pool.prepare(SandboxPolicy())
            first = await pool.create(SandboxPolicy())
            second = await pool.create(SandboxPolicy())
            await first.put("secret", b"of the first owner")
            assert (await first.run(leave_process(marker), "python")).status == "ok"
            assert (await second.run(LOOK, "python")).stdout == "False\n"
            await first.close()
            third = await pool.create(SandboxPolicy())
            assert (await third.run(LOOK, "python")).stdout == "False\n"
            for sandbox in (second, third):
                await sandbox.close()
        assert await all_gone(marker, within=10)
        assert await asyncio.to_thread(self.left) == []

    async def test_a_pool_that_is_closed_while_a_sandbox_starts_leaves_nothing(self) -> None:
        backend = self.backend()
        await require_in_loop(backend)
        async with asyncio.timeout(100):
            pool = SandboxPool(backend, size=2)
            pool.prepare(SandboxPolicy())
            await settled()
            await pool.close()
        assert await asyncio.to_thread(self.left) == []
        gc.collect()  # a transport that was not closed would warn, which is an error

    async def test_a_start_that_is_cut_at_any_moment_leaves_nothing(self) -> None:
        backend = self.backend()
        await require_in_loop(backend)
        async with asyncio.timeout(100):
            began = time.monotonic()
            await (await backend.create(SandboxPolicy())).close()
            whole = time.monotonic() - began
            for part in range(8):
                pool = SandboxPool(backend)
                pool.prepare(SandboxPolicy())
                await asyncio.sleep(whole * part / 8)
                await pool.close()
        assert await asyncio.to_thread(self.left) == []
        gc.collect()


class TestNamespaces(PoolOfRealSandboxes):
    def backend(self) -> SandboxBackend:
        return NamespaceBackend(base_python())


class TestBubblewrap(PoolOfRealSandboxes):
    def backend(self) -> SandboxBackend:
        return BubblewrapBackend(base_python())


class TestDocker(PoolOfRealSandboxes):
    def backend(self) -> SandboxBackend:
        return DockerBackend()

    def left(self) -> list[str]:
        engine = Engine()
        try:
            return engine.containers_of_this_process()
        finally:
            engine.close()
