"""A cell of a kernel: which messages are its own, and when it has ended."""

from itertools import permutations

import pytest

from symposia.ext.code_executors._kernels._cell import KernelMessage, RunningCell

REPLY = ("1", "execute_reply", {"status": "ok"})
IDLE = ("1", "status", {"execution_state": "idle"})
OUTPUT = ("1", "stream", {"name": "stdout", "text": "said"})


@pytest.mark.parametrize(
    "messages", list(permutations([REPLY, IDLE, OUTPUT])), ids=lambda each: "-".join(kind for _, kind, _ in each)
)
def test_a_cell_has_ended_with_its_reply_and_an_idle_kernel_in_either_order(
    messages: tuple[tuple[str, str, dict[str, object]], ...],
) -> None:
    cell, ends, outputs = RunningCell("1"), list[bool](), list[KernelMessage | None]()
    for message in messages:
        outputs.append(cell.take(*message))
        ends.append(cell.has_ended)
    last = max(messages.index(REPLY), messages.index(IDLE))
    assert ends == [place >= last for place in range(3)]
    assert [each for each in outputs if each] == [KernelMessage(*OUTPUT[1:])]


@pytest.mark.parametrize("message", [REPLY, IDLE, OUTPUT], ids=["reply", "idle", "output"])
def test_messages_of_an_earlier_cell_are_none_of_this_one(message: tuple[str, str, dict[str, object]]) -> None:
    cell = RunningCell("2")
    cell.lose_output()
    assert cell.take(*message) is None
    assert not cell.has_ended


def test_a_cell_whose_output_was_lost_has_ended_with_its_reply() -> None:
    cell = RunningCell("1")
    cell.lose_output()
    assert not cell.has_ended
    cell.take(*REPLY)
    assert cell.has_ended


@pytest.mark.parametrize(
    ("payload", "ends"), [([{"source": "ask_exit"}], True), ([{"source": "page"}], False), (7, False)]
)
def test_a_kernel_ends_after_a_cell_that_asks_it_to(payload: object, ends: bool) -> None:
    cell = RunningCell("1")
    cell.take("1", "execute_reply", {"payload": payload})
    assert cell.ends_kernel is ends
