"""The same chats on AutoGen 0.2.40 and on Symposia, without a model: of two agents, of a group, and the import.

python v02_cases.py symposia|autogen CASE      prints one JSON object: figure name to number
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import logging
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symposia import v02

Figures = dict[str, float]
ROOTS = {"autogen": "autogen", "symposia": "symposia.v02"}
REPLIES = 100
"""The replies of a chat, and the rounds of a group chat."""

which = sys.argv[1] if len(sys.argv) > 1 else "symposia"
if not TYPE_CHECKING:
    logging.disable(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # AutoGen 0.2's import warns of a library that it could use
        v02 = importlib.import_module(ROOTS[which])


def agent(name: str) -> v02.ConversableAgent:
    return v02.ConversableAgent(
        name,
        llm_config=False,
        human_input_mode="NEVER",
        default_auto_reply=f"{name} has nothing to add.",
        max_consecutive_auto_reply=REPLIES // 2,
    )


def chats_a_second(hold: Callable[[], object], times: int = 20) -> float:
    """How many chats are held in a second of the processor's time, printed into a buffer."""
    with contextlib.redirect_stdout(io.StringIO()):
        hold()
        started = time.process_time()
        for _ in range(times):
            hold()
        return times / (time.process_time() - started)


def chat() -> Figures:
    def hold(*, silent: bool) -> None:
        history = agent("ada").initiate_chat(agent("bo"), message="Begin.", silent=silent).chat_history
        assert len(history) == REPLIES + 1

    return {
        "silent chats of 100 replies/s": chats_a_second(lambda: hold(silent=True)),
        "printed chats of 100 replies/s": chats_a_second(lambda: hold(silent=False)),
    }


def group() -> Figures:
    def hold() -> None:
        first = agent("ada")
        members: list[v02.Agent] = [first, agent("bo"), agent("cy")]
        group_chat = v02.GroupChat(members, [], max_round=REPLIES, speaker_selection_method="round_robin")
        first.initiate_chat(v02.GroupChatManager(group_chat), message="Begin.")
        assert len(group_chat.messages) == REPLIES

    return {"group chats of 100 rounds/s": chats_a_second(hold)}


def imports(times: int = 5) -> Figures:
    """Milliseconds of the processor's time to import the package and one class of it, in a fresh process."""
    program = f"from {ROOTS[which]} import ConversableAgent"
    if which == "symposia":
        program = "import symposia.autogen\nfrom autogen import ConversableAgent"
    timed: list[float] = []
    for _ in range(1 + times):  # the first one writes the bytecode
        started = _seconds_of_children()
        subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True)  # noqa: S603 - ourselves
        timed.append(_seconds_of_children() - started)
    return {"import, ms": sorted(timed[1:])[times // 2] * 1e3}


def _seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


CASES: dict[str, Callable[[], Figures]] = {case.__name__: case for case in (chat, group, imports)}

if __name__ == "__main__":
    print(json.dumps(CASES[sys.argv[2]]()))
