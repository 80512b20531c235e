"""Finding code in a model's answer. `find_code` has no public name of its own; the executor's messages rest on it."""

from hypothesis import given
from hypothesis import strategies as st

from symposia.presets.coding._blocks import find_code


def code_of(answer: str) -> list[tuple[str, str]]:
    return [(block.language, block.code) for block in find_code(answer).blocks]


def test_python_blocks_are_found_between_prose() -> None:
    assert code_of("First:\n```python\nprint(1)\n```\nthen\n```py\nprint(2)\n```\n") == [
        ("python", "print(1)\n"),
        ("python", "print(2)\n"),
    ]


def test_shell_blocks_are_found_by_any_of_their_names() -> None:
    assert [language for language, _ in code_of("```sh\nls\n```\n```bash\nls\n```\n```shell\nls\n```")] == ["sh"] * 3


def test_blocks_of_other_languages_and_without_one_are_left_alone() -> None:
    assert code_of('```json\n{"a": 1}\n```\n```\noutput\n```\n```text\nmore\n```') == []


def test_an_empty_block_is_no_code() -> None:
    assert code_of("```python\n\n```") == []


def test_a_longer_fence_may_hold_a_shorter_one() -> None:
    assert code_of("````python\ntext = '''\n```\n'''\n````") == [("python", "text = '''\n```\n'''\n")]


def test_tildes_fence_too() -> None:
    assert code_of("~~~python\nprint(1)\n~~~") == [("python", "print(1)\n")]


def test_a_block_without_an_end_is_left_out_and_said_to_be_cut_off() -> None:
    found = find_code("```python\nprint(1)\n```\n```python\nprint(2")
    assert [block.code for block in found.blocks] == ["print(1)\n"]
    assert found.cut_off


def test_inline_code_is_no_fence() -> None:
    assert code_of("Use ```python print(1)``` in a line.\n") == []


@given(st.text(alphabet="`~\n pyhton:x'", max_size=200))
def test_any_text_can_be_read(answer: str) -> None:
    find_code(answer)


@given(st.lists(st.from_regex(r"[a-z]{1,8} = [0-9]{1,3}", fullmatch=True), min_size=1, max_size=5))
def test_what_is_fenced_comes_out_as_it_was(lines: list[str]) -> None:
    code = "".join(f"{line}\n" for line in lines)
    assert code_of(f"Here:\n```python\n{code}```\nDone.") == [("python", code)]
