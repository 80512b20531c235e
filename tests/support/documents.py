"""Documents as programs write them."""

from collections.abc import Sequence
from pathlib import Path

import openpyxl  # pyright: ignore[reportMissingModuleSource] - has no types
import pptx


def pdf(pages: Sequence[str]) -> bytes:
    """A PDF with a line of text for each line of each page (PDF Reference 1.4, without compression)."""
    numbers = [4 + 2 * index for index in range(len(pages))]
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(b"%d 0 R" % n for n in numbers), len(pages)),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, page in zip(numbers, pages, strict=True):
        lines = b" ".join(b"(%s) Tj T*" % line.encode("ascii") for line in page.split("\n"))
        content = b"BT /F1 12 Tf 72 720 Td 14 TL %s ET" % lines
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % (number + 1),
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        ]
    written = b"%PDF-1.4\n"
    offsets: list[int] = []
    for number, each in enumerate(objects, 1):
        offsets.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start = len(written)
    written += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    return written + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start)


def write_presentation(path: Path, title: str, text: str) -> None:
    """A presentation of one slide."""
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[1])
    slide.shapes.title.text = title  # pyright: ignore[reportOptionalMemberAccess] - the layout has one
    slide.placeholders[1].text = text  # pyright: ignore[reportAttributeAccessIssue] - a text placeholder
    presentation.save(str(path))


def write_workbook(path: Path, sheet: str, rows: Sequence[Sequence[str | int]]) -> None:
    """A workbook of one sheet."""
    workbook = openpyxl.Workbook()
    worksheet = workbook.active
    assert worksheet is not None
    worksheet.title = sheet
    for row in rows:
        worksheet.append(list(row))
    workbook.save(path)
