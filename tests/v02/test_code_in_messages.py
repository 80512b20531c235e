"""Code in messages: what AutoGen 0.2.40 finds in them."""

import pytest

from symposia.v02.code_utils import content_str, extract_code, infer_lang
from symposia.v02.coding import CodeBlock, MarkdownCodeExtractor

FENCE = "```"


def fenced(language: str, code: str) -> str:
    return f"{FENCE}{language}\n{code}\n{FENCE}"


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        (fenced("python", "print(1)"), [("python", "print(1)")]),
        (fenced("", "ls"), [("", "ls")]),
        (f"{fenced('python', 'a')}\nand\n{fenced('sh', 'b')}", [("python", "a"), ("sh", "b")]),
        (f"  {FENCE} python \n  a\n  {FENCE}", [("python", "  a")]),
        (f"`{fenced('python', 'x')}`", [("python", "x")]),  # four backticks
        (f"{FENCE}python\r\nx\r\n{FENCE}", [("python", "x")]),
        (fenced("python", ""), [("python", "")]),
    ],
)
def test_fenced_blocks_are_found_in_order(text: str, blocks: list[tuple[str, str]]) -> None:
    assert extract_code(text) == blocks


@pytest.mark.parametrize("text", ["hello", fenced("c++", "x"), f"{FENCE}python\nprint(1){FENCE}", fenced("py-x", "a")])
def test_a_text_without_a_block_is_unknown(text: str) -> None:
    assert extract_code(text) == [("unknown", text)]


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("use ` ls ` now", [("", "ls")]),
        (f"`a` and {fenced('python', 'x(`b`)')}", [("", "a"), ("python", "x(`b`)")]),
        ("`a\nb`", [("", "a\nb")]),
        ("nothing", []),
    ],
)
def test_code_between_single_backticks_is_found_where_it_is_asked_for(text: str, blocks: list[tuple[str, str]]) -> None:
    assert extract_code(text, detect_single_line_code=True) == blocks


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("pip install x", "sh"),
        ("python a.py", "sh"),
        ("python3 a.py", "sh"),
        ("x = 1", "python"),
        ("echo hi", "unknown"),
        (" pip install x", "unknown"),
        ("a\0b", "unknown"),
    ],
)
def test_the_language_of_code_is_inferred(code: str, language: str) -> None:
    assert infer_lang(code) == language


def test_an_extractor_infers_the_language_of_unlabelled_blocks() -> None:
    text = f"{fenced('', 'x = 1')} {fenced('', 'pip install x')} {fenced('', 'ls zzz')} {fenced('PY', 'x')}"
    assert MarkdownCodeExtractor().extract_code_blocks(text) == [
        CodeBlock(code="x = 1", language="python"),
        CodeBlock(code="pip install x", language="sh"),
        CodeBlock(code="ls zzz", language=""),
        CodeBlock(code="x", language="PY"),
    ]
    assert MarkdownCodeExtractor().extract_code_blocks(None) == []


def test_the_text_of_parts_is_joined_with_a_mark_for_each_image() -> None:
    image = {"type": "image_url", "image_url": {"url": "u"}}
    assert content_str([{"type": "text", "text": "see "}, image, {"type": "text", "text": "!"}]) == "see <image>!"
    assert content_str(None) == ""


@pytest.mark.parametrize(
    ("content", "error"),
    [(3, TypeError), ([3], TypeError), ([{"a": 1}], AssertionError), ([{"type": "x"}], ValueError)],
)
def test_other_content_is_refused(content: object, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"content must be|Wrong content format"):
        content_str(content)  # type: ignore[arg-type]  # what unchecked programs give
