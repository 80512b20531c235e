"""The README quotes figures of the page on performance, and no others."""

from tests.support.pages import DOCS, ROOT

WORK, AUTOGEN, SYMPOSIA, TIMES = 0, 1, 3, 5


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def quoted() -> list[list[str]]:
    section = (ROOT / "README.md").read_text().split("\n## Speed\n")[1].split("\n## ")[0]
    return [cells(line) for line in section.splitlines() if line.startswith("|")][2:]


def measured() -> list[list[str]]:
    rows = [cells(line) for line in (DOCS / "performance.md").read_text().splitlines() if line.startswith("|")]
    return [[row[WORK], row[AUTOGEN], row[SYMPOSIA], row[TIMES]] for row in rows if len(row) > TIMES]


def test_n10_the_readme_quotes_what_the_page_on_performance_holds() -> None:
    assert quoted()
    assert [row for row in quoted() if row not in measured()] == []
