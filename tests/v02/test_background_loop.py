"""Coroutines for synchronous callers, and plain functions for coroutines."""

import asyncio
import signal
import sys
import threading
import time
from contextvars import ContextVar
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from tests.support.interpreter import printed, python

from symposia.v02._background_call import call_in_caller
from symposia.v02._background_loop import run_in_background

variable: ContextVar[str] = ContextVar("variable")


async def seen() -> tuple[str, int]:
    await asyncio.sleep(0)
    return variable.get("nothing"), threading.get_ident()


def test_a_coroutine_runs_in_another_thread_with_the_variables_of_the_caller() -> None:
    variable.set("mine")
    value, thread = run_in_background(seen)
    assert value == "mine"
    assert thread != threading.get_ident()
    assert run_in_background(seen)[1] == thread


async def test_a_synchronous_call_works_inside_a_running_loop() -> None:
    assert run_in_background(seen)[1] != threading.get_ident()


def test_an_error_is_raised_where_the_coroutine_is_waited_for() -> None:
    async def fail() -> None:
        raise KeyError("gone")

    async def leave() -> None:
        raise SystemExit(3)

    with pytest.raises(KeyError, match="gone"):
        run_in_background(fail)
    with pytest.raises(SystemExit):
        run_in_background(leave)
    assert run_in_background(seen)[1] != threading.get_ident()


def test_plain_functions_run_in_the_thread_of_the_caller_in_the_context_of_the_coroutine() -> None:
    def function() -> tuple[str, int]:
        return variable.get(), threading.get_ident()

    async def ask() -> tuple[str, int]:
        variable.set("the coroutine's")
        return await call_in_caller(function)

    variable.set("mine")
    assert run_in_background(ask) == ("the coroutine's", threading.get_ident())
    assert variable.get() == "mine"


async def test_a_coroutine_of_the_programs_own_loop_calls_the_function_itself() -> None:
    assert await call_in_caller(threading.get_ident) == threading.get_ident()


def test_the_error_of_a_plain_function_is_raised_in_the_coroutine() -> None:
    def fail() -> None:
        raise KeyError("gone")

    async def ask() -> str:
        try:
            await call_in_caller(fail)
        except KeyError:
            return "caught"
        return "no error"

    assert run_in_background(ask) == "caught"


def test_the_end_of_an_iterator_in_a_plain_function_is_an_error_in_the_coroutine() -> None:
    async def ask() -> None:
        await call_in_caller(lambda: next(iter(())))

    with pytest.raises(RuntimeError, match="coroutine raised StopIteration") as caught:
        run_in_background(ask)
    assert isinstance(caught.value.__cause__, StopIteration)


def test_a_plain_function_may_wait_for_another_coroutine() -> None:
    async def ask() -> tuple[str, int]:
        return await call_in_caller(lambda: run_in_background(seen))

    variable.set("mine")
    assert run_in_background(ask)[0] == "mine"


def test_a_coroutine_of_the_loop_may_call_what_waits_for_another_coroutine() -> None:
    async def nested(depth: int) -> int:
        return threading.get_ident() if depth == 0 else run_in_background(lambda: nested(depth - 1))

    threads = [run_in_background(lambda depth=depth: nested(depth)) for depth in range(3)]
    assert len({*threads, threading.get_ident()}) == 4


def test_coroutines_of_several_callers_run_side_by_side() -> None:
    met = asyncio.Barrier(2)

    async def meet() -> str:
        await met.wait()
        return "met"

    results: list[str] = []
    threads = [threading.Thread(target=lambda: results.append(run_in_background(meet))) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert results == ["met", "met"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals of threads")
def test_an_interruption_of_the_caller_cancels_the_coroutine_and_is_raised() -> None:
    cancelled, main = threading.Event(), threading.get_ident()

    async def wait() -> None:
        try:
            signal.pthread_kill(main, signal.SIGINT)
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    with pytest.raises(KeyboardInterrupt):
        run_in_background(wait)
    assert cancelled.is_set()


def test_an_interruption_of_a_plain_function_cancels_the_coroutine_and_is_raised() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    async def ask() -> None:
        try:
            await call_in_caller(interrupted)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    cancelled = threading.Event()
    with pytest.raises(KeyboardInterrupt):
        run_in_background(ask)
    assert cancelled.is_set()


def test_a_coroutine_that_is_interrupted_has_functions_called_to_clean_up() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    async def ask() -> None:
        try:
            await call_in_caller(interrupted)
        finally:
            await call_in_caller(lambda: cleaned.append(threading.get_ident()))

    cleaned: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        run_in_background(ask)
    assert cleaned == [threading.get_ident()]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals of threads")
def test_a_second_interruption_ends_a_clean_up_that_goes_on_for_ever() -> None:
    cancelled, main = threading.Event(), threading.get_ident()

    async def wait() -> None:
        try:
            signal.pthread_kill(main, signal.SIGINT)
            await asyncio.Event().wait()
        finally:
            try:
                await call_in_caller(lambda: signal.raise_signal(signal.SIGINT))
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                assert await call_in_caller(threading.get_ident) == threading.get_ident()
                cancelled.set()
                raise

    with pytest.raises(KeyboardInterrupt):
        run_in_background(wait)
    assert cancelled.wait(10)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals of threads")
def test_an_interruption_while_the_loop_is_busy_ends_a_coroutine_that_has_not_begun() -> None:
    busy, main = threading.Event(), threading.get_ident()

    def is_in(method: str) -> bool:
        return sys._current_frames()[main].f_code.co_name == method  # noqa: SLF001 - as the documentation has it

    async def occupy() -> None:
        busy.set()
        deadline = time.monotonic() + 10
        while not is_in("serve") and time.monotonic() < deadline:
            """Until the other call waits."""
        signal.pthread_kill(main, signal.SIGINT)
        while not is_in("wait") and time.monotonic() < deadline:
            """Until it is cancelled."""

    other = threading.Thread(target=run_in_background, args=(occupy,))
    other.start()
    assert busy.wait(10)
    with pytest.raises(KeyboardInterrupt):
        run_in_background(seen)
    other.join()


def test_an_interruption_right_after_the_end_of_a_coroutine_is_raised() -> None:
    def interrupt(frame: FrameType, event: str, _argument: object) -> Any:  # Any: a function like this one
        if frame.f_code.co_name == "serve" and event == "return":
            raise KeyboardInterrupt
        return interrupt

    before = sys.gettrace()
    sys.settrace(interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_in_background(seen)
    finally:
        sys.settrace(before)


def test_a_task_that_outlives_its_call_calls_plain_functions_itself() -> None:
    async def leave_a_task() -> tuple[asyncio.Event, asyncio.Task[int]]:
        async def ask() -> int:
            await left.wait()
            return await call_in_caller(threading.get_ident)

        left = asyncio.Event()
        return left, asyncio.create_task(ask())

    async def join() -> int:
        left.set()
        return await asyncio.wait_for(task, 10)

    left, task = run_in_background(leave_a_task)
    assert run_in_background(join) == run_in_background(seen)[1]


FORGETFUL = """
import asyncio, threading
from symposia.v02._background_loop import run_in_background
async def leave_a_task():
    async def wait():
        try:
            await asyncio.Event().wait()
        finally:
            print("ended")
    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    return task
task = run_in_background(leave_a_task)
print("exit")
"""


def test_the_loop_ends_with_the_process_and_cancels_its_tasks() -> None:
    assert printed(FORGETFUL).split() == ["exit", "ended"]


AT_EXIT = """
import asyncio, atexit, threading
from symposia.v02._background_call import call_in_caller
from symposia.v02._background_loop import await_in_home_loop, run_in_background
async def ask():
    await asyncio.to_thread(str)
    return await call_in_caller(lambda: "plain")
async def home():
    return "home" if await await_in_home_loop(ask) == "plain" else "lost"
async def nested():
    return "nested " + run_in_background(ask)
def no_thread(thread):
    raise RuntimeError("can't create new thread at interpreter shutdown")
def at_exit():
    threading.Thread.start = no_thread  # as from Python 3.12 on
    for each in (ask, home, nested):
        print(run_in_background(each))
atexit.register(at_exit)
print(run_in_background(ask))
"""


def test_functions_of_the_exit_may_call_coroutines() -> None:
    assert printed(AT_EXIT).splitlines() == ["plain", "plain", "home", "nested plain"]


THREADS = """
import asyncio, atexit, multiprocessing, sys, threading
from concurrent.futures import ThreadPoolExecutor
from symposia.v02._background_call import call_in_caller
from symposia.v02._background_loop import await_in_home_loop, run_in_background
is_ending = threading.Event()
threading._register_atexit(is_ending.set)
async def ask():
    await asyncio.to_thread(is_ending.wait)
    await asyncio.to_thread(str)
    return await call_in_caller(lambda: "plain")
async def home():
    return "home " + await await_in_home_loop(ask)
def chat():
    for each in (ask, home):
        print(run_in_background(each), flush=True)
def chat_in_thread():
    threading.Thread(target=chat).start()
def chat_in_pool():
    ThreadPoolExecutor().submit(chat)
def chat_in_child():
    multiprocessing.get_context("spawn").Process(target=chat_in_thread).start()
if __name__ == "__main__":
    atexit.register(print, "exit", flush=True)
    globals()[sys.argv[1]]()
"""


@pytest.mark.parametrize("how", ["chat_in_thread", "chat_in_pool", "chat_in_child"])
def test_threads_that_are_no_daemons_go_on_after_the_main_thread(how: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(THREADS)
    done = python(str(program), how)
    assert (done.stdout.splitlines(), done.stderr) == (["plain", "home plain", "exit"], "")


DAEMON = """
import asyncio, atexit, threading
began, ended = threading.Event(), threading.Event()
atexit.register(lambda: print("a call that was late:", ended.wait(10) and outcome, flush=True))
from symposia.v02._background_loop import run_in_background
async def wait():
    began.set()
    await asyncio.Event().wait()
def chat():
    global outcome
    try:
        run_in_background(wait)
    except asyncio.CancelledError:
        outcome = run_in_background(lambda: asyncio.sleep(0, "done"))
        ended.set()
threading.Thread(target=chat, daemon=True).start()
began.wait()
"""


def test_a_daemon_is_interrupted_at_the_exit_and_its_later_calls_do_not_hang() -> None:
    assert printed(DAEMON) == "a call that was late: done"
