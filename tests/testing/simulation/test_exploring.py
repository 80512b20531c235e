"""One seed after the other is tried, and the one that fails is named and can be replayed."""

import asyncio
import random

import pytest

from symposia.core.exceptions import InvalidArgumentError, SimulationBoundaryError
from symposia.testing.simulation import current_seed, explore, simulate, simulated


@pytest.fixture(autouse=True)
def _no_seeds_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SYMPOSIA_SEED", raising=False)
    monkeypatch.delenv("SYMPOSIA_SEEDS", raising=False)


async def read_what_is_written_at_the_same_time() -> None:
    """Goes well as long as the writer is woken first, which nothing guarantees."""
    opened, written = asyncio.Event(), list[str]()

    async def write() -> None:
        await opened.wait()
        written.append("text")

    async def read() -> None:
        await opened.wait()
        assert written

    async with asyncio.TaskGroup() as group:
        group.create_task(write())
        group.create_task(read())
        await asyncio.sleep(1)
        opened.set()


async def fail_on_13() -> None:
    await asyncio.sleep(1)
    assert current_seed() != 13


def test_a_simulation_returns_what_its_program_returns() -> None:
    async def main() -> int:
        return await asyncio.sleep(10, 42)

    assert simulate(main) == 42


def test_a_seed_finds_a_race_that_asyncios_order_hides() -> None:
    simulate(read_what_is_written_at_the_same_time, seed=0)
    with pytest.raises(ExceptionGroup) as raised:
        explore(read_what_is_written_at_the_same_time)
    (note,) = raised.value.__notes__
    seed = int(note.rpartition("=")[2].rstrip("."))
    with pytest.raises(ExceptionGroup):
        simulate(read_what_is_written_at_the_same_time, seed=seed)


def test_the_failing_seed_is_named_with_the_way_to_replay_it() -> None:
    with pytest.raises(AssertionError) as raised:
        explore(fail_on_13)
    assert raised.value.__notes__ == ["In a simulation with seed 13. To replay it, set SYMPOSIA_SEED=13."]


def test_the_environment_replays_one_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMPOSIA_SEED", "13")
    with pytest.raises(AssertionError):
        explore(fail_on_13, seeds=range(5))
    monkeypatch.setenv("SYMPOSIA_SEED", "12")
    explore(fail_on_13)


def test_the_environment_says_how_many_seeds_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = list[int]()

    async def note() -> None:
        tried.append(current_seed())

    monkeypatch.setenv("SYMPOSIA_SEEDS", "3")
    explore(note, seeds=range(100, 200))
    assert tried == [0, 1, 2]


def test_a_seed_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMPOSIA_SEED", "many")
    with pytest.raises(InvalidArgumentError, match="SYMPOSIA_SEED=many"):
        explore(fail_on_13)


def test_exploring_nothing_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="nothing would be tested"):
        explore(fail_on_13, seeds=())


def test_the_module_random_is_seeded_and_put_back() -> None:
    async def main() -> float:
        return random.random()

    random.seed(1)
    expected = random.random()
    random.seed(1)
    assert simulate(main, seed=8) == simulate(main, seed=8) != simulate(main, seed=9)
    assert random.random() == expected


def test_there_is_no_seed_outside_a_simulation() -> None:
    with pytest.raises(SimulationBoundaryError, match="outside a simulation"):
        current_seed()


async def test_there_is_no_seed_on_another_event_loop() -> None:
    with pytest.raises(SimulationBoundaryError, match="outside a simulation"):
        current_seed()


async def test_a_simulation_does_not_begin_inside_an_event_loop() -> None:
    with pytest.raises(SimulationBoundaryError, match="runs here already"):
        simulate(fail_on_13)


tried_by_the_decorated_test = set[int]()


@pytest.fixture
def greeting() -> str:
    return "hello"


@simulated(seeds=range(5))
async def test_a_decorated_test_takes_fixtures(greeting: str) -> None:
    await asyncio.sleep(3600)
    assert greeting == "hello"
    tried_by_the_decorated_test.add(current_seed())


def test_a_decorated_test_is_run_under_every_seed() -> None:
    test_a_decorated_test_takes_fixtures("hello")
    assert tried_by_the_decorated_test == set(range(5))
