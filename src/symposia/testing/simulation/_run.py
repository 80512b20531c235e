"""Running a program once, or under many seeds, and saying which seed failed."""

from __future__ import annotations

import asyncio
import functools
import os
import random
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextlib import contextmanager, suppress
from typing import ParamSpec, TypeVar

from symposia.core.exceptions import (
    ArgumentTypeError,
    InvalidArgumentError,
    SimulationBoundaryError,
    SimulationStuckError,
)
from symposia.testing.simulation._loop import MAX_STEPS, SimulationLoop

P = ParamSpec("P")
T = TypeVar("T")

ONE_SEED = "SYMPOSIA_SEED"
"""The environment variable that replays one seed, in place of a test's own seeds."""

MANY_SEEDS = "SYMPOSIA_SEEDS"
"""The environment variable for the number of seeds, in place of a test's own number."""


def simulate(main: Callable[[], Coroutine[object, None, T]], *, seed: int = 0, max_steps: int = MAX_STEPS) -> T:
    """Run a coroutine function to its end in a simulation, as `asyncio.run` would in reality.

    The module `random` is seeded meanwhile, so that programs that use it do the same under the same seed.

    Args:
        main: The function to run. It makes the runtime and everything else that belongs to the event loop.
        seed: The order in which ready tasks run; 0 is asyncio's own.
        max_steps: After so many callbacks and steps of tasks, it is taken to run for ever.

    Returns:
        What `main` returned.

    Raises:
        ArgumentTypeError: `main` is a coroutine.
        SimulationBoundaryError: An event loop runs here already.
        SimulationStuckError: Nothing can run any more, or `max_steps` were run.
        BaseException: The error of `main`, with a note on how to replay the seed.
    """
    if asyncio.iscoroutine(main):
        main.close()
        raise ArgumentTypeError("simulate takes the coroutine function, without a call: simulate(main).")
    if _running_loop() is not None:
        raise SimulationBoundaryError("An event loop runs here already: call simulate() from a plain function.")
    runner = asyncio.Runner(loop_factory=lambda: SimulationLoop(seed, max_steps=max_steps))
    with _seeded_random(seed):
        try:
            result = runner.run(main())
        except BaseException as error:
            error.add_note(f"In a simulation with seed {seed}. To replay it, set {ONE_SEED}={seed}.")
            # Closed after a failure too: it cancels what is left, whose warnings the next seed would get otherwise.
            with suppress(SimulationStuckError):  # the stuck tasks may not end when cancelled either
                runner.close()
            raise
        runner.close()
        return result


def explore(
    main: Callable[[], Coroutine[object, None, object]],
    *,
    seeds: Sequence[int] = range(100),
    max_steps: int = MAX_STEPS,
) -> None:
    """Simulate a coroutine function under one seed after the other, up to the first that fails.

    The environment decides last: ``SYMPOSIA_SEED=17`` tries only that seed, ``SYMPOSIA_SEEDS=5000`` the first
    5,000.

    Raises:
        InvalidArgumentError: There are no seeds, or the environment names none.
        BaseException: The error of the first failing seed, with a note that names the seed: see `simulate`.
    """
    for seed in _chosen(seeds):
        simulate(main, seed=seed, max_steps=max_steps)


def simulated(
    *, seeds: Sequence[int] = range(100), max_steps: int = MAX_STEPS
) -> Callable[[Callable[P, Coroutine[object, None, object]]], Callable[P, None]]:
    """Make a coroutine function a plain one that explores it: a test, for any test runner.

    Fixtures are made once, outside the simulation, and shared by all seeds; what a run changes is made in the test.
    """

    def decorate(test: Callable[P, Coroutine[object, None, object]]) -> Callable[P, None]:
        @functools.wraps(test)
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            explore(lambda: test(*args, **kwargs), seeds=seeds, max_steps=max_steps)

        return run

    return decorate


def current_seed() -> int:
    """The seed of the simulation that this code runs in, for random choices in the code under test.

    Raises:
        SimulationBoundaryError: It does not run in one.
    """
    loop = _running_loop()
    if isinstance(loop, SimulationLoop):
        return loop.seed
    raise SimulationBoundaryError("There is no seed outside a simulation: call this from what simulate() runs.")


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _chosen(seeds: Sequence[int]) -> Sequence[int]:
    one, many = _number(ONE_SEED), _number(MANY_SEEDS)
    chosen = [one] if one is not None else range(many) if many is not None else seeds
    if not chosen:
        raise InvalidArgumentError("No seeds to explore: `seeds` is empty, so nothing would be tested.")
    return chosen


def _number(variable: str) -> int | None:
    text = os.environ.get(variable, "")
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise InvalidArgumentError(f"{variable}={text} in the environment is not a whole number.") from None


@contextmanager
def _seeded_random(seed: int) -> Generator[None]:
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)
