from hypothesis import given, settings
from hypothesis import strategies as st

from symposia.ext.code_executors._sandbox._results import KeptOutput

pieces = st.lists(st.binary(max_size=30) | st.text(max_size=10).map(str.encode), max_size=20)


@settings(deadline=None)
@given(pieces)
def test_output_within_the_limit_is_kept_whole_and_the_listener_hears_the_same(data: list[bytes]) -> None:
    output = KeptOutput(10_000)
    heard = "".join(output.add(piece) for piece in data) + output.finish()
    whole = b"".join(data).decode("utf-8", "replace")
    assert output.result() == (whole, 0)
    assert heard == whole


@settings(deadline=None)
@given(pieces, st.integers(min_value=0, max_value=100))
def test_of_more_than_the_limit_the_head_and_the_tail_are_kept(data: list[bytes], limit: int) -> None:
    output = KeptOutput(limit)
    for piece in data:
        output.add(piece)
    whole = b"".join(data)
    text, cut = output.result()
    assert cut == max(0, len(whole) - limit)
    if cut:
        head, _, tail = text.partition(f"\n[... {cut} bytes cut ...]\n")
        assert len(head) + len(tail) <= limit
        head_bytes = limit - limit // 2
        assert whole[:head_bytes].decode("utf-8", "replace").startswith(head)
        assert whole[len(whole) - limit // 2 :].decode("utf-8", "replace").endswith(tail)


def test_a_character_that_is_cut_leaves_no_trace() -> None:
    output = KeptOutput(6)
    output.add("ab€ € €yz".encode())
    text, cut = output.result()
    assert text == f"ab\n[... {cut} bytes cut ...]\nyz"


def test_much_output_takes_little_memory() -> None:
    output = KeptOutput(1000)
    for number in range(1000):
        output.add(bytes([number % 256]) * 1000)
    text, cut = output.result()
    assert cut == 999_000
    assert len(text) < 1100
