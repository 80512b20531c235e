"""Files and pages as chunks of text, for programs of AutoGen 0.2."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import chromadb
import pytest
from chromadb.config import Settings
from hypothesis import given
from hypothesis import strategies as st
from tests.support.scripted_site import Answer, ScriptedSite
from tests.support.web_server import serving

from symposia.core.exceptions import ToolServiceError
from symposia.ext.documents import DocumentError
from symposia.v02.retrieve_utils import (
    create_vector_db_from_dir,
    extract_text_from_pdf,
    get_file_from_url,
    get_files_from_dir,
    is_url,
    parse_html_to_markdown,
    query_vector_db,
    split_files_to_chunks,
    split_text_to_chunks,
)
from symposia.v02.token_count_utils import count_token

PAGE = "<html><head><title>Trees</title></head><body><h1>Oak</h1><p>It has <a href='/a'>acorns</a>.</p></body></html>"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "below").mkdir()
    for name, text in [
        ("b.md", "# Mint\n\nfor tea"),
        ("a.txt", "A beech tree"),
        ("below/c.MD", "An oak tree"),
        ("d.x", ""),
    ]:
        (tmp_path / name).write_text(text)
    return tmp_path


# Chunks ---------------------------------------------------------------------------------------------------------------


def test_chunks_end_at_empty_lines_where_they_can() -> None:
    text = "one two three\nfour five six\n\nseven eight nine\nten eleven"
    assert split_text_to_chunks(text, max_tokens=12) == ["one two three\nfour five six", "seven eight nine\nten eleven"]
    most = count_token("one two three") + count_token("four five six") + count_token("seven eight nine")
    first, _ = split_text_to_chunks(text, most, must_break_at_empty_line=False)
    assert first.endswith("seven eight nine")


def test_chunks_overlap_by_lines() -> None:
    lines = [f"line number {letter}" for letter in "abcdef"]
    most = 3 * count_token(lines[0])
    found = split_text_to_chunks("\n".join(lines), most, must_break_at_empty_line=False, overlap=1)
    assert [each.split("\n") for each in found] == [lines[0:3], lines[2:5], lines[4:6]]


def test_each_line_can_be_a_chunk() -> None:
    assert split_text_to_chunks("the first\n\nx\nthe last", chunk_mode="one_line") == ["the first", "the last"]
    with pytest.raises(AssertionError, match="chunk_mode 'words' is unknown"):
        split_text_to_chunks("text", chunk_mode="words")


@given(st.text(alphabet="ab \n", max_size=200), st.integers(4, 20), st.integers(0, 3), st.booleans())
def test_no_chunk_is_too_long_and_the_end_is_reached(text: str, most: int, overlap: int, at_empty: bool) -> None:
    found = split_text_to_chunks(f"{text}\nthe end", most, must_break_at_empty_line=at_empty, overlap=overlap)
    assert all(count_token(each) <= most + each.count("\n") for each in found)
    assert found[-1].endswith("the end")


# Files ----------------------------------------------------------------------------------------------------------------


def test_files_of_folders_are_found_by_suffix(folder: Path) -> None:
    def names(**options: Any) -> list[str]:
        return [Path(str(file)).name for file in get_files_from_dir(str(folder), **options)]

    assert names() == ["a.txt", "b.md", "c.MD"]
    assert names(recursive=False) == ["a.txt", "b.md"]
    assert names(types=["x"]) == ["d.x"]
    assert get_files_from_dir([str(folder / "d.x"), str(folder / "below")]) == [
        str(folder / "d.x"),
        str(folder / "below" / "c.MD"),
    ]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="none does not exist"):
        get_files_from_dir(str(tmp_path / "none"))
    with pytest.warns(UserWarning, match="none does not exist. It is left out"):
        assert get_files_from_dir([str(tmp_path / "none")]) == []


def test_files_become_chunks_with_their_sources(folder: Path) -> None:
    file, page = str(folder / "b.md"), folder / "page.html"
    page.write_text(PAGE)
    texts, sources = split_files_to_chunks([file, (str(page), "http://trees.test")])
    assert texts == ["# Mint\n\nfor tea", "# Trees\n\n# Oak\n\nIt has acorns."]
    assert sources == [{"source": file}, {"source": "http://trees.test"}]
    halves, _ = split_files_to_chunks([file], custom_text_split_function=lambda text: [text[:4], text[4:]])
    assert halves == ["# Mi", "nt\n\nfor tea"]


def test_a_document_that_cannot_be_read_is_left_out(folder: Path) -> None:
    broken = folder / "e.pdf"
    broken.write_text("no PDF")
    with pytest.raises(DocumentError, match=r"e\.pdf"):
        extract_text_from_pdf(str(broken))
    with pytest.warns(UserWarning, match=r"e\.pdf.*It is left out"):
        texts, _ = split_files_to_chunks([str(broken), str(folder / "a.txt")])
    assert texts == ["A beech tree"]


# Pages ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("http://a.test", True), ("https://a.test/b?c", True), ("a.md", False), ("/x/y", False), ("http:/x", False)],
)
def test_an_address_has_a_scheme_and_a_host(text: str, is_one: bool) -> None:
    assert is_url(text) is is_one


def test_a_page_becomes_markdown() -> None:
    assert parse_html_to_markdown(PAGE, "http://trees.test/b") == (
        "# Trees\n\n# Oak\n\nIt has [acorns](http://trees.test/a)."
    )
    assert parse_html_to_markdown("<p>x</p>") == "x"


async def test_addresses_of_this_machine_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    site = ScriptedSite(pages={"/": Answer(PAGE, media_type="text/html")})
    async with serving(site.serve) as site.port:
        with pytest.raises(ToolServiceError, match=r"127\.0\.0\.1"):
            await asyncio.to_thread(get_file_from_url, site.url)
    assert not site.sent


async def test_a_page_is_saved_as_markdown_and_a_file_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pages = {"/oak": Answer(PAGE, media_type="text/html"), "/a.csv": Answer("x;y", media_type="text/csv")}
    site = ScriptedSite(pages=dict(pages))

    def saved() -> None:
        page, url = get_file_from_url(f"{site.url}/oak", private=True)
        assert (url, Path(page).suffix) == (f"{site.url}/oak", ".md")
        assert Path(page).read_text().startswith("# Trees\n\n# Oak")
        assert get_files_from_dir(f"{site.url}/oak", private=True) == [(page, url)]
        assert get_file_from_url(f"{site.url}/a.csv", "named.csv", private=True)[0] == "named.csv"
        assert Path("named.csv").read_text() == "x;y"

    async with serving(site.serve) as site.port:
        await asyncio.to_thread(saved)


# ChromaDB -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Any]:
    made: Any = chromadb.PersistentClient(str(tmp_path / "database"), Settings(anonymized_telemetry=False))
    yield made
    made.close()


def test_documents_of_a_folder_are_found_in_chromadb(folder: Path, client: Any) -> None:
    assert create_vector_db_from_dir(str(folder), client=client, collection_name="plants") is client
    found = query_vector_db(["oak trees"], n_results=1, client=client, collection_name="plants")
    assert found["documents"] == [["An oak tree"]]
    assert found["metadatas"] == [[{"source": str(folder / "below" / "c.MD")}]]
    found = query_vector_db(["oak trees"], client=client, collection_name="plants", search_string="tea")
    assert found["ids"] == [["doc_1"]]
    with pytest.raises(ValueError, match="Collection plants already exists"):
        create_vector_db_from_dir(str(folder), client=client, collection_name="plants")


def test_documents_are_added_to_those_that_are_there(folder: Path, client: Any) -> None:
    options: dict[str, Any] = {"client": client, "collection_name": "plants", "get_or_create": True}
    create_vector_db_from_dir(str(folder), **options)
    create_vector_db_from_dir(str(folder / "a.txt"), extra_docs=True, **options)
    assert client.get_collection("plants", embedding_function=None).count() == 4
    create_vector_db_from_dir(str(folder / "a.txt"), **options)
    assert client.get_collection("plants", embedding_function=None).count() == 4
