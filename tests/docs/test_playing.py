"""What holds the pages to their word can itself fail: it finds what is wrong, and says where."""

from pathlib import Path

import pytest
from tests.support.pages import blocks, play


def page_of(folder: Path, text: str) -> Path:
    page = folder / "page.md"
    page.write_text(text)
    return page


def test_the_blocks_of_a_page_share_their_names_and_their_folder(tmp_path: Path) -> None:
    page = page_of(
        tmp_path,
        '```python\nword = "hello"\n```\n\n'
        '```python title="it.py"\nprint("from the file")\n```\n\n'
        "```python\nimport it\n\nprint(word)\n```\n\n"
        '```text title="Output"\nfrom the file\nhello\n```\n',
    )
    assert [ran["printed"] for ran in play(page, tmp_path)] == ["", "", "from the file\nhello\n"]
    assert blocks(page)[-1].output == "from the file\nhello\n"


def test_a_block_that_raises_is_told_with_its_line_on_the_page_and_ends_it(tmp_path: Path) -> None:
    page = page_of(tmp_path, "# Title\n\n```python\nprint(1)\nraise KeyError\n```\n\n```python\nprint(2)\n```\n")
    (ran,) = play(page, tmp_path)
    assert (ran["line"], ran["printed"]) == (4, "1\n")
    assert 'page.md", line 5' in ran["error"]


def test_a_warning_is_an_error_in_a_block(tmp_path: Path) -> None:
    page = page_of(tmp_path, "```python\nimport warnings\n\nwarnings.warn('old')\n```\n")
    assert "UserWarning: old" in play(page, tmp_path)[0]["error"]


@pytest.mark.parametrize(
    ("code", "error"),
    [("client = (", "SyntaxError"), ("from json import nothing", "ImportError"), ("raise KeyError", "")],
)
def test_a_block_that_is_not_run_still_has_to_be_python_and_to_import_what_exists(
    tmp_path: Path, code: str, error: str
) -> None:
    page = page_of(tmp_path, f'```python title="Not run: needs a key"\n{code}\n```\n')
    (ran,) = play(page, tmp_path)
    assert error in ran["error"]
    assert bool(ran["error"]) is bool(error)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('# Title\n\n```text title="Output"\n1\n```\n', "page.md:4: no block before this output prints it"),
        ("# Title\n\n```python\nprint(1)\n", "page.md:3: this block is never closed"),
        ("```python {linenums}\n```\n", "page.md:1: write a fence as"),
        ('```python title="Example"\n```\n', "page.md:2: a title of Python is"),
    ],
)
def test_a_page_that_cannot_be_read_is_refused_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        blocks(page_of(tmp_path, text))
