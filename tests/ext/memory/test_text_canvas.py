"""The canvas: texts with revisions, unified diffs, and what models see of them."""

import asyncio
import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from symposia.core import CancellationToken
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.memory import MemoryContent, update_context
from symposia.core.model_context import BufferedChatCompletionContext, UnboundedChatCompletionContext
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


async def test_models_are_shown_the_files_that_have_changed() -> None:
    memory, context = TextCanvasMemory(), UnboundedChatCompletionContext()
    for name in ("a", "b", "c"):
        memory.canvas.add_or_update_file(name, f"text of {name}")
    await update_context(memory, context)
    memory.canvas.add_or_update_file("b", "new")
    for _ in range(2):
        await update_context(memory, context)
    shown = [each.content for each in await context.get_messages()]
    assert len(shown) == 2
    assert shown[1] == (
        "=== CANVAS FILES ===\nFile: b (rev 2):\nnew\n\nShown before, and unchanged: a (rev 1), c (rev 1)\n\n"
        "=== END OF CANVAS ==="
    )
    memory.canvas.clear()
    memory.canvas.add_or_update_file("a", "text of a")
    await update_context(memory, context)
    assert "unchanged: a (rev 1)\n" in str((await context.get_messages())[-1].content)


async def test_what_a_context_has_lost_is_shown_again() -> None:
    memory, context = TextCanvasMemory(), BufferedChatCompletionContext(1)
    memory.canvas.add_or_update_file("a", "text of a")
    await update_context(memory, context)
    memory.canvas.add_or_update_file("b", "text of b")
    await update_context(memory, context)
    (message,) = await context.get_messages()
    assert message.content == memory.canvas.get_all_contents_for_context()


async def test_patches_of_one_answer_are_all_applied() -> None:
    memory = TextCanvasMemory()
    memory.canvas.add_or_update_file("f", "".join(f"{number}\n" for number in range(20)))
    tool = memory.get_apply_patch_tool()
    patches = (f"@@ -{n + 1} +{n + 1} @@\n-{n}\n+<{n}>\n" for n in range(20))
    await asyncio.gather(
        *(tool.run_json({"filename": "f", "patch_text": each}, CancellationToken()) for each in patches)
    )
    assert memory.canvas.get_latest_content("f") == "".join(f"<{number}>\n" for number in range(20))
    assert memory.canvas.list_files() == {"f": 21}


def test_a_patch_takes_time_that_grows_with_the_text(canvas: TextCanvas) -> None:
    lines = 200_000
    canvas.add_or_update_file("long", "a\n" * lines + "b\n")
    begin = time.process_time()
    canvas.apply_patch("long", "@@ -9,9 +9,9 @@\n" + " a\n" * (lines // 2) + "-b\n+c\n")
    assert time.process_time() - begin < 20  # of the order of 10^10 comparisons of lines before
    assert canvas.get_latest_content("long").endswith("a\nc\n")


@given(
    lines=st.lists(st.sampled_from("ab"), max_size=30), wanted=st.lists(st.sampled_from("ab"), min_size=1, max_size=4)
)
def test_a_change_is_made_in_the_closest_place(lines: list[str], wanted: list[str]) -> None:
    canvas = TextCanvas()
    canvas.add_or_update_file("f", "".join(f"{line}\n" for line in lines))
    places = [n for n in range(len(lines)) if lines[n : n + len(wanted)] == wanted]
    patch = "@@ -9,1 +9,1 @@\n" + "".join(f"-{line}\n" for line in wanted) + "+here\n"
    if not places:
        with pytest.raises(InvalidArgumentError, match="does not fit"):
            canvas.apply_patch("f", patch)
        return
    canvas.apply_patch("f", patch)
    assert canvas.get_latest_content("f").split().index("here") == min(places, key=lambda place: abs(place - 8))


def test_a_canvas_can_be_shared(canvas: TextCanvas) -> None:
    assert TextCanvasMemory(canvas).canvas is canvas
    empty = TextCanvas()
    assert TextCanvasMemory(empty).canvas is empty
    with pytest.raises(ArgumentTypeError):
        TextCanvasMemory("x")  # pyright: ignore[reportArgumentType] - wrong on purpose
