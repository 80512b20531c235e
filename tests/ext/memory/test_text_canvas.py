"""The canvas: texts with revisions, unified diffs, and what models see of them."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from symposia.core import CancellationToken
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.memory import MemoryContent, update_context
from symposia.core.model_context import UnboundedChatCompletionContext
from symposia.core.models import SystemMessage
from symposia.ext.memory.canvas import TextCanvas, TextCanvasMemory

POEM = "one\ntwo\nthree\nfour\nfive\n"
PATCH = "--- a\n+++ b\n@@ -2 +2,2 @@\n-two\n+TWO\n+and\n"


@pytest.fixture
def canvas() -> TextCanvas:
    canvas = TextCanvas()
    canvas.add_or_update_file("poem.md", POEM)
    return canvas


def test_a_file_has_numbered_revisions(canvas: TextCanvas) -> None:
    canvas.add_or_update_file("poem.md", b"one\n2\n")
    assert canvas.list_files() == {"poem.md": 2}
    assert (canvas.get_latest_content("poem.md"), canvas.get_revision_content("poem.md", 1)) == ("one\n2\n", POEM)
    assert [canvas.get_revision_content("poem.md", each) for each in (-1, 0, 3)] == ["", "", ""]
    assert (canvas.get_latest_content("none"), canvas.get_revision_diffs("none")) == ("", [])
    (diff,) = canvas.get_revision_diffs("poem.md")
    assert diff == canvas.get_diff("poem.md", 1, 2)
    assert diff.startswith("--- poem.md@r1\n+++ poem.md@r2\n@@ -1,5 +1,2 @@\n one\n-two\n")
    with pytest.raises(ArgumentTypeError):
        canvas.add_or_update_file("poem.md", 5)  # pyright: ignore[reportArgumentType] - wrong on purpose


def test_a_patch_makes_the_next_revision(canvas: TextCanvas) -> None:
    canvas.apply_patch("poem.md", PATCH.encode())
    assert (canvas.get_latest_content("poem.md"), canvas.list_files()) == (
        POEM.replace("two\n", "TWO\nand\n"),
        {"poem.md": 2},
    )


@pytest.mark.parametrize(
    ("patch", "lines"),
    [
        ("@@ -1 +1 @@\n-two\n+2\n@@ -2 +2 @@\n-four\n+4\n", "one 2 three 4 five"),  # wrong positions
        ("@@ -4,2 +4,1 @@\n four\n-five", "one two three four"),  # no end of the last line
        ("@@ -0,0 +1 @@\n+zero\n", "zero one two three four five"),
        ("@@ -5,0 +6 @@\n+six\n", "one two three four five six"),
        ("@@ -2,2 +2,2 @@\n-two\r\n+2\n three\n", "one 2 three four five"),  # other ends of lines
        ("@@ -1 +1 @@\n-one\n+1\n\n", "1 two three four five"),  # an empty line at the end
        ("@@ -2,7 +2 @@\n-two\n+2\n@@ -4 +4 @@\n-four\n+4", "one 2 three 4 five"),  # wrong counts
    ],
)
def test_a_patch_is_applied_where_its_lines_are(canvas: TextCanvas, patch: str, lines: str) -> None:
    canvas.apply_patch("poem.md", patch)
    assert canvas.get_latest_content("poem.md").split() == lines.split()


@pytest.mark.parametrize(
    ("name", "patch", "error"),
    [
        ("none", PATCH, "There is no file 'none' on the canvas, whose files are: poem.md"),
        ("poem.md", "garbage", "The patch has no change"),
        ("poem.md", "", "The patch has no change"),
        ("poem.md", "@@ -1 +1 @@\n-seven\n+7\n", "Change 1 of the patch does not fit poem.md"),
        ("poem.md", PATCH + PATCH, "of several files"),
    ],
)
def test_a_patch_that_does_not_fit_changes_nothing_and_says_why(
    canvas: TextCanvas, name: str, patch: str, error: str
) -> None:
    with pytest.raises(InvalidArgumentError, match=error):
        canvas.apply_patch(name, patch)
    assert canvas.list_files() == {"poem.md": 1}


texts = st.lists(
    st.sampled_from(["a\n", "b\n", "\n", "-- x\n", "++ y\n", " c\n", "d\x0ce\u2028f\n", "g\r\n"]), max_size=12
).map("".join)


@example(before="-- x\n", after="++ y\n", cut=(False, False))  # its diff looks like the names of a file
@given(before=texts, after=texts, cut=st.tuples(st.booleans(), st.booleans()))
def test_a_diff_of_two_revisions_makes_the_one_of_the_other(before: str, after: str, cut: tuple[bool, bool]) -> None:
    before, after = (each.rstrip("\n") if bare else each for each, bare in zip((before, after), cut, strict=True))
    canvas = TextCanvas()
    for each in (before, after, before):
        canvas.add_or_update_file("f", each)
    diff = canvas.get_diff("f", 1, 2)
    if diff:
        canvas.apply_patch("f", diff)
        assert canvas.get_latest_content("f") == after
    else:
        assert before == after


async def test_models_see_the_canvas_once_in_each_state_and_write_on_it() -> None:
    memory = TextCanvasMemory()
    update, patch = memory.get_update_file_tool(), memory.get_apply_patch_tool()
    assert [each.name for each in (update, patch)] == ["update_file", "apply_patch"]
    result = await update.run_json({"filename": "poem.md", "new_content": POEM}, CancellationToken())
    assert json.loads(update.return_value_as_string(result)) == {"status": "OK"}
    context = UnboundedChatCompletionContext()
    for _ in range(2):
        await update_context(memory, context)
    assert [each.content for each in await context.get_messages()] == [
        f"=== CANVAS FILES ===\nFile: poem.md (rev 1):\n{POEM}\n\n=== END OF CANVAS ==="
    ]
    result = await patch.run_json({"filename": "poem.md", "patch_text": PATCH}, CancellationToken())
    assert result.status == "PATCH APPLIED"
    await update_context(memory, context)
    assert [isinstance(each, SystemMessage) for each in await context.get_messages()] == [True, True]
    assert (await memory.query("poem")).results == []
    await memory.add(MemoryContent(content="x", mime_type="text/plain"))
    await memory.clear()
    assert memory.canvas.list_files() == {}
    await memory.close()


def test_a_canvas_can_be_shared(canvas: TextCanvas) -> None:
    assert TextCanvasMemory(canvas).canvas is canvas
    empty = TextCanvas()
    assert TextCanvasMemory(empty).canvas is empty
    with pytest.raises(ArgumentTypeError):
        TextCanvasMemory("x")  # pyright: ignore[reportArgumentType] - wrong on purpose
