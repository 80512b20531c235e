"""The output of a block from the server to the result, however slow the host is."""

from collections.abc import Mapping
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from symposia.core.code_executor import OutputStream, SandboxPolicy, SandboxResult
from symposia.ext.code_executors._sandbox._conversation import Ended
from symposia.ext.code_executors._sandbox._inside._channel import Channel, Settings
from symposia.ext.code_executors._sandbox._inside._output import Output
from symposia.ext.code_executors._sandbox._results import ResultInProgress

KEPT = 7
Pieces = list[tuple[OutputStream, bytes, bool]]
PIECES = st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.binary(min_size=1, max_size=9), st.booleans()))


class _Frames:
    """The channel to a host that takes frames when it is told to."""

    def __init__(self) -> None:
        self.congested = False
        self.sent: list[tuple[Mapping[str, object], bytes]] = []

    def send(self, header: Mapping[str, object], data: bytes = b"") -> None:
        self.sent.append((header, data))


def _settings(limit: int, memory: int = 2**20) -> Settings:
    values: dict[str, object] = dict.fromkeys(Settings._fields, 0)
    values |= {"output_limit_bytes": limit, "output_kept_bytes": KEPT, "memory_bytes": memory}
    return Settings._make(values[name] for name in Settings._fields)


def _printed(pieces: Pieces, limit: int, *, slow: bool) -> tuple[_Frames, SandboxResult, list[str]]:
    """What is sent of a block, its result, and what a listener gets."""
    frames = _Frames()
    output = Output(cast("Channel", frames), _settings(limit))
    is_over = False
    for stream, data, congested in pieces:
        frames.congested = slow and congested
        output.send_some()
        if is_over := not output.add(stream, data):
            break
    output.end(cut=is_over)
    heard: list[str] = []
    policy = SandboxPolicy(output_limit_bytes=limit, output_kept_bytes=KEPT)
    result = ResultInProgress(policy, lambda _stream, text: heard.append(text))
    for header, data in frames.sent:
        stream = cast("OutputStream", header["stream"])
        if header["kind"] == "cut":
            result.add_cut(stream, cast("int", header["bytes"]))
        else:
            result.add_output(stream, data)
    ended = Ended(kind="ended", status="ok", exit_code=0, wall_seconds=0, cpu_seconds=0, peak_memory_bytes=0)
    return frames, result.ended(ended), heard


@given(PIECES, st.integers(1, 60))
def test_a_slow_host_gets_the_same_result(pieces: Pieces, limit: int) -> None:
    assert _printed(pieces, limit, slow=True)[1] == _printed(pieces, limit, slow=False)[1]


@given(PIECES)
def test_a_listener_gets_all_output_of_a_block_within_its_limit(pieces: Pieces) -> None:
    frames, _, _ = _printed(pieces, 1000, slow=True)
    for stream in ("stdout", "stderr"):
        sent = b"".join(data for header, data in frames.sent if header["stream"] == stream)
        assert sent == b"".join(data for each, data, _ in pieces if each == stream)


def test_the_middle_of_endless_output_is_not_sent() -> None:
    pieces: Pieces = [("stdout", b"x" * 10, number > 0) for number in range(100)]
    frames, result, _ = _printed(pieces, 500, slow=True)
    assert sum(len(data) for _, data in frames.sent) == 10 + KEPT // 2
    assert result.stdout_cut == 500 - KEPT


def test_a_block_waits_for_a_host_that_takes_nothing_before_memory_runs_out() -> None:
    frames = _Frames()
    output = Output(cast("Channel", frames), _settings(2**30, memory=1600))
    frames.congested = True
    output.add("stdout", b"x" * 99)
    assert not output.is_full
    output.add("stderr", b"x")
    assert output.is_full
    frames.congested = False
    assert not output.is_full
    output.send_some()
    assert [data for _, data in frames.sent] == [b"x" * 99, b"x"]
