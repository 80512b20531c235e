"""Cutting texts into pieces at any places, for tests that put streams together."""

from itertools import pairwise

from hypothesis import strategies as st


@st.composite
def pieces_of(draw: st.DrawFn, text: str) -> list[str]:
    """The text in pieces, some of which may be empty."""
    cuts = draw(st.lists(st.integers(0, len(text)), max_size=6))
    return [text[start:end] for start, end in pairwise([0, *sorted(cuts), len(text)])]


@st.composite
def interleaved(draw: st.DrawFn, *sequences: list[object]) -> list[object]:
    """The items of all sequences, those of each in their order."""
    waiting = [list(sequence) for sequence in sequences if sequence]
    items: list[object] = []
    while waiting:
        chosen = draw(st.sampled_from(range(len(waiting))))
        items.append(waiting[chosen].pop(0))
        waiting = [sequence for sequence in waiting if sequence]
    return items
