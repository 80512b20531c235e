"""Programs that wait for a line, on a pseudo-terminal or a pipe."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest
from tests.support.terminal import on_terminal

WAIT = 60

PROGRAM = """
import asyncio
from symposia.agentchat.agents import UserProxyAgent

def ask(prompt):
    return input("custom ")

asyncio.run(UserProxyAgent("me", input_func={function}).run(task="Well?"))
"""


@pytest.mark.parametrize(("function", "prompt"), [("None", "Enter"), ("ask", "custom")])
def test_ctrl_c_ends_a_program_that_waits_for_a_line(function: str, prompt: str) -> None:
    # Python aborts (SIGABRT) at its exit if a thread holds the lock of a standard input that is no terminal.
    command = [sys.executable, "-c", PROGRAM.format(function=function)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert program.stdout is not None
        assert program.stdout.read(len(prompt)).decode() == prompt
        program.send_signal(signal.SIGINT)
        _, errors = program.communicate(timeout=WAIT)
    assert program.returncode == -signal.SIGINT
    assert errors.decode().rstrip().endswith("KeyboardInterrupt")


TYPING_AHEAD = """
import asyncio, signal
from symposia.core.effects import ask_human

async def main():
    go = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, go.set)
    print("thinking", flush=True)
    await go.wait()
    print(await ask_human(input, "Well?", approval_of={approval_of}))

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("approval_of", "answer"), [("1", "text='later' approved=False"), ("None", "text='y' approved=None")]
)
async def test_what_is_typed_before_a_question_is_shown_approves_nothing(approval_of: str, answer: str) -> None:
    command = (sys.executable, "-c", TYPING_AHEAD.format(approval_of=approval_of))
    async with asyncio.timeout(60), on_terminal(*command) as terminal:
        await terminal.wait_until_drawn("thinking\r\n")
        terminal.press(b"y\n")
        await terminal.wait_until_drawn("y\r\n")  # its echo
        os.kill(terminal.pid, signal.SIGUSR1)
        await terminal.wait_until_drawn("Well?")
        if approval_of != "None":
            await terminal.wait_until_drawn("why not] ")
            terminal.press(b"later\n")
        assert await terminal.wait_until_ended() == 0
    assert answer in terminal.drawn
