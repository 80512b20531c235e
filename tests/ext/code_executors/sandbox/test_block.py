"""The end of a block, where several things end it at once."""

import os
import select
from collections.abc import Iterator
from typing import cast

import pytest

from symposia.ext.code_executors._sandbox._inside._block import Block
from symposia.ext.code_executors._sandbox._inside._channel import Channel, NoConnections, Settings
from symposia.ext.code_executors._sandbox._inside._frames import FrameDecoder, pack_frame
from symposia.ext.code_executors._sandbox._inside._output import Output
from symposia.ext.code_executors._sandbox._inside._processes import Processes, Report, Started, Usage


class _NoProcesses:
    """None has ended."""

    def __init__(self, ended_fd: int) -> None:
        self.ended_fd = ended_fd
        self.first_status: int | None = None
        self.usage = Usage()

    def begin(self, started: Started) -> None:
        pass


class _Endings:
    """How the block was ended."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def end_block(self) -> None:
        self.calls.append("rolled back")

    def end_reported(self, report: Report) -> bool:
        self.calls.append("kept")
        return True


class _Pipes:
    def __init__(self) -> None:
        self.fds: list[int] = []

    def make(self) -> tuple[int, int]:
        ends = os.pipe()
        self.fds += ends
        return ends


def _output(channel: Channel, limit: int = 10, kept: int = 10, memory: int = 2**20) -> Output:
    settings: dict[str, object] = dict.fromkeys(Settings._fields, 0)
    settings |= {"output_limit_bytes": limit, "output_kept_bytes": kept, "memory_bytes": memory}
    return Output(channel, Settings._make(settings[name] for name in Settings._fields))


@pytest.fixture
def pipes() -> Iterator[_Pipes]:
    pipes = _Pipes()
    yield pipes
    for fd in pipes.fds:
        try:
            os.close(fd)
        except OSError:
            continue  # the block has closed it


@pytest.mark.parametrize(
    ("cancelled", "output", "status", "calls"),
    [
        (False, b"", "ok", ["kept"]),
        (False, b"x" * 10, "ok", ["kept"]),
        (True, b"", "cancelled", ["rolled back"]),
        (False, b"x" * 11, "output_limit", ["rolled back"]),
        (True, b"x" * 11, "cancelled", ["rolled back"]),
    ],
)
def test_a_block_that_reports_its_end_as_it_is_ended_has_one_end(
    pipes: _Pipes, cancelled: bool, output: bytes, status: str, calls: list[str]
) -> None:
    (from_host, host), (_, to_host), (ended, _) = pipes.make(), pipes.make(), pipes.make()
    (stdout, stdout_of_block), (stderr, _), (report, report_of_block) = pipes.make(), pipes.make(), pipes.make()
    os.write(stdout_of_block, output)
    os.write(report_of_block, Report(0, 0.0, 0).pack())
    if cancelled:
        os.write(host, pack_frame({"kind": "cancel"}))
    endings, channel = _Endings(), Channel(from_host, to_host, 100)
    processes = cast("Processes", _NoProcesses(ended))
    block = Block(channel, processes, endings, lambda: "", _output(channel), NoConnections())
    end = block.run(lambda: Started(1, stdout, stderr, report), 5)
    assert (end.status, endings.calls) == (status, calls)


def test_the_start_of_a_block_is_told_with_its_first_output(pipes: _Pipes) -> None:
    (from_host, _), (ended, _) = pipes.make(), pipes.make()
    to_server, to_host = os.pipe2(os.O_DIRECT)  # each write is read by itself (pipe(2))
    pipes.fds += [to_server, to_host]
    (stdout, stdout_of_block), (stderr, _), (report, report_of_block) = pipes.make(), pipes.make(), pipes.make()
    os.write(stdout_of_block, b"2\n")
    os.write(report_of_block, Report(0, 0.0, 0).pack())
    channel = Channel(from_host, to_host, 100)
    channel.hold({"kind": "started"})
    assert not channel.unsent
    block = Block(
        channel, cast("Processes", _NoProcesses(ended)), _Endings(), lambda: "", _output(channel), NoConnections()
    )
    block.run(lambda: Started(1, stdout, stderr, report), 5)
    frames = FrameDecoder(100).feed(os.read(to_server, 1000))
    assert [frame.header["kind"] for frame in frames] == ["started", "output"]


def test_the_start_of_a_block_that_prints_nothing_is_told_while_it_runs(pipes: _Pipes) -> None:
    (from_host, host), (to_server, to_host), (ended, _) = pipes.make(), pipes.make(), pipes.make()
    (stdout, _), (stderr, _) = pipes.make(), pipes.make()
    channel = Channel(from_host, to_host, 100)
    channel.hold({"kind": "started"})

    def over_limit() -> str:  # asked again after the start was told
        if select.select([to_server], [], [], 0)[0]:
            os.write(host, pack_frame({"kind": "cancel"}))
        return ""

    block = Block(
        channel, cast("Processes", _NoProcesses(ended)), _Endings(), over_limit, _output(channel), NoConnections()
    )
    end = block.run(lambda: Started(1, stdout, stderr), 30)
    assert end.status == "cancelled"
    [frame] = FrameDecoder(100).feed(os.read(to_server, 1000))
    assert frame.header["kind"] == "started"
