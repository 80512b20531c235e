"""Folders of documents as passages with their places, and one clear error for each that cannot be read."""

import asyncio
import errno
import os
import signal
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.documents import pdf, write_presentation, write_workbook
from tests.support.effect_recorder import EffectRecorder

import symposia.ext.documents
from symposia.core.effects import handle_effects
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError, MissingExtraError
from symposia.core.memory import ListMemory
from symposia.ext.documents import (
    DocumentConverter,
    DocumentError,
    DocumentLimits,
    Passage,
    add_documents,
    load_documents,
    split_into_passages,
)

CONVERTER_PROGRAM = Path(symposia.ext.documents.__file__).with_name("_converter_program.py")

ENCRYPTION = b"/Root 1 0 R /Encrypt << /Filter /Standard /V 1 /R 2 /O <%b> /U <%b> /P -44 >> /ID [<%b> <%b>]" % (
    *(b"41" * 32, b"42" * 32, b"41" * 16, b"41" * 16),
)
"""The end of a PDF whose password is not the empty one (PDF Reference 1.4, 3.5.2)."""

DOCX = (
    '<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
    "<w:p><w:r><w:t>Parking is free.</w:t></w:r></w:p></w:body></w:document>"
)
DOCX_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.'
    'wordprocessingml.document.main+xml"/></Types>'
)
DOCX_PARTS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"'
    ' Target="word/document.xml"/></Relationships>'
)


def write_docx(path: Path, document: str = DOCX, claimed_size: int = 0) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", DOCX_TYPES)
        archive.writestr("_rels/.rels", DOCX_PARTS)
        archive.writestr("word/document.xml", document)
        if claimed_size:
            archive.infolist()[-1].file_size = claimed_size


def entities(value: str) -> str:
    """A Word document whose text is an entity of its own."""
    declared = f'<?xml version="1.0"?><!DOCTYPE w [{value}]>'
    return DOCX.replace('<?xml version="1.0"?>', declared).replace("Parking is free.", "&bomb;")


def write_library(folder: Path) -> None:
    (folder / "sub").mkdir(parents=True)
    (folder / "handbook.pdf").write_bytes(pdf(["Welcome", "Refunds are paid\nin 14 days"]))
    (folder / "policy.md").write_text("# Shop\n\n## Hours\n\nWe open at 9.\n")
    (folder / "sub" / "page.html").write_text("<h1>Staff</h1><script>x()</script><p>Ada leads.</p>")
    (folder / "sub" / "notes.txt").write_bytes("Café".encode("cp1252"))
    write_docx(folder / "parking.docx")
    write_presentation(folder / "plan.pptx", "Plan", "Grow slowly")
    write_workbook(folder / "prices.xlsx", "Prices", [["item", "price"], ["scale", 250]])


def places(passages: list[Passage]) -> list[tuple[str, str, str]]:
    return [(each.source, each.place, each.heading) for each in passages]


async def test_every_kind_of_document_is_read_with_its_places(tmp_path: Path) -> None:
    await asyncio.to_thread(write_library, tmp_path / "library")
    memory = ListMemory()
    recorder = EffectRecorder()
    with handle_effects(recorder):
        loaded = await add_documents(memory, tmp_path / "library")
    assert places(list(loaded.passages)) == [
        ("handbook.pdf", "page 1", ""),
        ("handbook.pdf", "page 2", ""),
        ("parking.docx", "line 1", ""),
        ("plan.pptx", "slide 1", "Plan"),
        ("policy.md", "lines 3-5", "Shop > Hours"),
        ("prices.xlsx", "lines 1-4", "Prices"),
        ("sub/notes.txt", "line 1", ""),
        ("sub/page.html", "lines 1-3", "Staff"),
    ]
    assert [each.content for each in memory.content][1:3] == [
        "[handbook.pdf, page 2]\nRefunds are paid\nin 14 days",
        "[parking.docx, line 1]\nParking is free.",
    ]
    texts = "\n".join(passage.text for passage in loaded.passages)
    assert "x()" not in texts
    assert "| scale | 250 |" in texts
    assert "Café" in texts
    assert memory.content[4].metadata == {
        "source": "policy.md",
        "place": "lines 3-5",
        "heading": "Shop > Hours",
        "first_line": 3,
        "last_line": 5,
    }
    assert {effect.kind.name for effect in recorder.effects} == {"memory"}
    assert len(recorder.effects) == 8


async def test_each_document_that_cannot_be_read_is_one_error_and_the_others_are_read(tmp_path: Path) -> None:
    def write() -> None:
        (tmp_path / "good.txt").write_text("text")
        (tmp_path / "none.pdf").write_bytes(b"I am no PDF.")
        (tmp_path / "cut.pdf").write_bytes(pdf(["one"])[:60])
        (tmp_path / "none.docx").write_bytes(b"PK\x03\x04 and no more")
        (tmp_path / "other.xlsx").write_bytes(b"plain")
        (tmp_path / "empty.pdf").write_bytes(b"")
        (tmp_path / "blank.md").write_text(" \n")
        (tmp_path / "binary.txt").write_bytes(b"\x00\x01")
        (tmp_path / "huge.txt").touch()
        os.truncate(tmp_path / "huge.txt", 1024**3)
        (tmp_path / "locked.pdf").write_bytes(pdf(["secret"]).replace(b"/Root 1 0 R", ENCRYPTION))
        (tmp_path / "locked.docx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
        write_docx(tmp_path / "bomb.docx", claimed_size=300_000_000)
        secret = tmp_path / ".secret"
        secret.write_text("the secret")
        write_docx(tmp_path / "reads.docx", entities(f'<!ENTITY bomb SYSTEM "{secret.as_uri()}">'))
        laughs = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
        write_docx(tmp_path / "laughs.docx", entities(f'<!ENTITY e0 "ha">{laughs}<!ENTITY bomb "&e9;">'))

    await asyncio.to_thread(write)
    errors: list[DocumentError] = []
    loaded = await load_documents(tmp_path, limits=DocumentLimits(file_bytes=4_999), on_error=errors.append)
    assert "the secret" not in str(errors)
    assert loaded.documents == ["good.txt"]
    assert loaded.errors == errors
    expected = {
        "binary.txt": "is not text.",
        "blank.md": "has no text. It may be empty.",
        "bomb.docx": "has 300,000,",
        "cut.pdf": "is damaged, or is not a PDF (",
        "empty.pdf": "is empty.",
        "huge.txt": "is too large: it has more than 4,999 bytes.",
        "laughs.docx": "is damaged, or is not a Word document (",
        "locked.docx": "has a password, or the format of Office before 2007.",
        "locked.pdf": "has a password. Save it without one.",
        "none.docx": "is damaged, or is not a Word document (",
        "none.pdf": "is not a PDF, though its name says so.",
        "other.xlsx": "is not an Excel workbook, though its name says so.",
        "reads.docx": "is damaged, or is not a Word document (",
    }
    found = [str(error) for error in errors]
    assert len(found) == len(expected)
    for text, (name, reason) in zip(found, expected.items(), strict=True):
        assert text.startswith(f"The document '{name}' {reason}")


async def test_without_a_handler_of_errors_the_first_one_is_raised_and_nothing_is_added(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / "b.pdf").write_bytes(b"no")
    memory = ListMemory()
    with pytest.raises(DocumentError, match=r"'b.pdf' is not a PDF"):
        await add_documents(memory, tmp_path)
    assert memory.content == []


async def test_a_folder_without_documents_and_one_with_too_many_is_one_error(tmp_path: Path) -> None:
    def write() -> None:
        for name in ("empty", "pictures/.hidden", "many"):
            (tmp_path / name).mkdir(parents=True)
        (tmp_path / "pictures" / "a.png").write_bytes(b"\x89PNG")
        (tmp_path / "pictures" / ".hidden" / "a.txt").write_text("hidden")
        (tmp_path / "pictures" / "link.txt").symlink_to(tmp_path / "many" / "0.txt")
        for number in range(3):
            (tmp_path / "many" / f"{number}.txt").write_text("x" * 10)

    await asyncio.to_thread(write)
    for name, limits, said in (
        ("empty", DocumentLimits(), "has no documents"),
        ("pictures", DocumentLimits(), "has no documents"),
        ("missing", DocumentLimits(), "There is no folder"),
        ("pictures/a.png", DocumentLimits(), "is no document that can be read"),
        ("many", DocumentLimits(files=2), "more than 2 documents"),
        ("many", DocumentLimits(total_bytes=29), "more than 29 bytes together"),
    ):
        with pytest.raises(DocumentError, match=said):
            await load_documents(tmp_path / name, limits=limits)
    with pytest.raises(DocumentError, match="None of the documents"):
        await load_documents(tmp_path / "many", limits=DocumentLimits(file_bytes=1), on_error=lambda _: None)
    with pytest.raises(ArgumentTypeError, match="has to be a path"):
        await load_documents(3)  # pyright: ignore[reportArgumentType] - what is tested
    with pytest.raises(ArgumentTypeError, match=r"memory of add_documents .*SQLiteMemory"):
        await add_documents("memory", tmp_path)  # pyright: ignore[reportArgumentType] - what is tested


async def test_a_folder_that_cannot_be_read_is_no_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write() -> None:
        (tmp_path / "locked").mkdir()
        (tmp_path / "a.txt").write_text("text")

    await asyncio.to_thread(write)
    scandir = os.scandir

    def refuse(path: str) -> "os._ScandirIterator[str]":  # the tests may run as root, who reads everything
        if str(path).endswith("locked"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    errors: list[DocumentError] = []
    assert (await load_documents(tmp_path, on_error=errors.append)).errors == errors
    assert [
        str(error).endswith("locked' cannot be read: Permission denied. Make it readable.") for error in errors
    ] == [True]
    with pytest.raises(DocumentError, match="Permission denied"):
        await load_documents(tmp_path)


async def test_names_that_cannot_be_shown_and_folders_that_are_too_deep_are_no_silence(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*"a" * 70)

    def write() -> None:
        deep.mkdir(parents=True)
        (deep / "deep.txt").write_text("text")
        (tmp_path / "good.txt").write_text("text")
        for name in (b"new\nline.txt", b"half\xff.txt"):
            (tmp_path / os.fsdecode(name)).write_text("text")
        os.mkfifo(tmp_path / "pipe.txt")
        (tmp_path / "link.txt").symlink_to(tmp_path / "good.txt")

    await asyncio.to_thread(write)
    errors: list[DocumentError] = []
    assert (await load_documents(tmp_path, on_error=errors.append)).documents == ["good.txt"]
    assert sorted(str(error) for error in errors) == [
        f"The folders in '{'a/' * 63}a' are not read: 64 are above them. Move them up.",
        "The name of 'half\ufffd.txt' cannot be shown. Rename the document.",
        "The name of 'new\u240aline.txt' cannot be shown. Rename the document.",
    ]
    assert (await load_documents(tmp_path / "link.txt")).documents == ["link.txt"]  # the user names it


@pytest.fixture
def libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of modules that the process which converts finds before those that are installed."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    return tmp_path / "markitdown.py"


async def test_a_missing_library_names_the_extra(libraries: Path) -> None:
    libraries.write_text("raise ImportError('no')")  # noqa: ASYNC240 - see above
    async with DocumentConverter() as converter:
        with pytest.raises(MissingExtraError, match=r"Reading 'a.pdf' needs .* pip install 'symposia\[documents\]'"):
            await converter.convert("a.pdf", b"%PDF-1.4")
        assert await converter.convert("a.md", b"# Text") == "# Text"


FAKE = """
class StreamInfo:
    def __init__(self, extension): pass
class Result:
    pass
class Html:
    def convert(self, stream, info):
        import os, time, sys
        text = stream.read().decode()
        print("noise of a library")
        if text == "hang": time.sleep(600)
        if text == "die": os._exit(1)
        if text == "grow": bytearray(64 * 1024**3)
        result = Result()
        result.markdown = text + " " + os.environ.get("OPENAI_API_KEY", "no key")
        return result
class converters:
    HtmlConverter = DocxConverter = PdfConverter = PptxConverter = XlsConverter = XlsxConverter = Html
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit the memory of a process")
async def test_a_document_that_hangs_dies_or_grows_harms_no_other(libraries: Path) -> None:
    libraries.write_text(FAKE)  # noqa: ASYNC240 - see above
    async with DocumentConverter(timeout=5) as converter:
        for text, said in (("die", "ended the program"), ("grow", "too much memory")):
            with pytest.raises(DocumentError, match=f"'a.html' .*{said}"):
                await converter.convert("a.html", text.encode())
            assert await converter.convert("a.html", b"next") == "next no key"
    async with DocumentConverter(timeout=0.5) as converter:
        with pytest.raises(DocumentError, match=r"was not read within 0\.5 s"):
            await converter.convert("a.html", b"hang")
    async with DocumentConverter() as converter:
        waiting = asyncio.create_task(converter.convert("a.html", b"hang"))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await converter.convert("a.html", b"next") == "next no key"
    with pytest.raises(InvalidArgumentError, match="give seconds above 0"):
        DocumentConverter(timeout=0)


async def test_documents_that_are_converted_at_the_same_time_do_not_mix(libraries: Path) -> None:
    libraries.write_text(FAKE)  # noqa: ASYNC240 - see above
    async with DocumentConverter() as converter:
        texts = [f"{number}" * number * 1_000 for number in range(1, 9)]
        converted = await asyncio.gather(*(converter.convert("a.html", text.encode()) for text in texts))
        assert converted == [f"{text} no key" for text in texts]


@pytest.mark.skipif(sys.platform != "linux", reason="/proc shows the processes")
async def test_a_conversion_that_is_cancelled_leaves_no_process(libraries: Path) -> None:
    libraries.write_text(FAKE)  # noqa: ASYNC240 - see above
    before = await asyncio.to_thread(children)
    for steps in (0, 1, 2, 3, 5, 8, 50):
        converter = DocumentConverter()
        waiting = asyncio.create_task(converter.convert("a.html", b"hang"))
        for _ in range(steps):
            await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await asyncio.to_thread(children) == before


def children() -> set[str]:
    """The processes that this one has started."""
    return {pid for each in Path("/proc/self/task").glob("*/children") for pid in each.read_text().split()}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no alarm signal")
def test_the_process_that_reads_documents_ends_without_its_parent(libraries: Path) -> None:
    """A parent that was killed closes the pipe, and ends no document that hangs."""
    libraries.write_text(FAKE)

    def status(requests: bytes, seconds: int) -> int:
        command = [sys.executable, "-P", str(CONVERTER_PROGRAM), str(seconds)]
        return subprocess.run(command, input=requests, stdout=subprocess.DEVNULL, timeout=60, check=False).returncode

    html = struct.pack(">Q", 5) + b".html"
    assert status(html + struct.pack(">Q", 4) + b"text", 60) == 0
    assert status(html + struct.pack(">Q", 4) + b"hang", 1) == -signal.SIGALRM


@given(
    st.lists(st.sampled_from(["# A", "## B", "", "```", "\f", "some words", "x" * 130, "y " * 80, "# comment"])),
    st.integers(100, 200),
    st.sampled_from(["a.md", "a.py"]),
)
def test_passages_lose_no_word_and_are_no_longer_than_asked(lines: list[str], size: int, source: str) -> None:
    text = "\n".join(lines)
    passages = split_into_passages(source, text, size=size)
    assert all(len(passage.text) <= size for passage in passages)
    assert all(passage.first_line <= passage.last_line <= len(lines) for passage in passages)
    assert [passage.first_line for passage in passages] == sorted(passage.first_line for passage in passages)
    kept = "".join("".join(passage.text.split()) for passage in passages)
    for letter in "xyw":  # no heading has them, which may be left out alone
        assert kept.count(letter) == text.count(letter), letter


def test_a_hostile_text_takes_no_more_time_than_another() -> None:
    """Each takes minutes where lines are cut or matched in quadratic time."""
    assert len(split_into_passages("a.txt", "x" * 20_000_000)) == 13_343
    assert split_into_passages("a.md", "# " + " " * 500_000 + "x")[0].heading == "x"
    assert {len(each.heading) for each in split_into_passages("a.md", f"# {'h' * 5_000}\ntext")} == {200}
    headings = [each.heading for each in split_into_passages("a.md", "# C#\n1\n## D ##\n2\n#E\n####### F")]
    assert headings == ["C#", "C# > D"]


def test_a_comment_of_a_program_and_of_a_code_block_is_no_heading() -> None:
    assert split_into_passages("a.py", "# A comment\nx = 1")[0].heading == ""
    assert [each.heading for each in split_into_passages("a.md", "# Use\n```\n# A comment\n```")] == ["Use"]
    with pytest.raises(InvalidArgumentError, match="at least 100"):
        split_into_passages("a.md", "text", size=99)
