"""Files and pages as chunks of text, in a collection of ChromaDB."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from symposia.ext.documents import DocumentError
from symposia.ext.tools.web import download, page_text
from symposia.v02._background_loop import run_in_background
from symposia.v02._chunks import SHORTEST, VALID_CHUNK_MODES, chunks
from symposia.v02._vectors import chosen_embedding, query_vectors
from symposia.v02.agentchat.contrib.vectordb.chromadb import ChromaVectorDB
from symposia.v02.browser_utils.mdconvert import converted
from symposia.v02.token_count_utils import count_token

__all__ = [
    "RAG_MINIMUM_MESSAGE_LENGTH",
    "TEXT_FORMATS",
    "UNSTRUCTURED_FORMATS",
    "VALID_CHUNK_MODES",
    "create_vector_db_from_dir",
    "extract_text_from_pdf",
    "get_file_from_url",
    "get_files_from_dir",
    "is_url",
    "parse_html_to_markdown",
    "query_vector_db",
    "split_files_to_chunks",
    "split_text_to_chunks",
]

RAG_MINIMUM_MESSAGE_LENGTH: Final = SHORTEST
UNSTRUCTURED_FORMATS: Final = ["docx", "pdf", "pptx", "xls", "xlsx"]
"""The suffixes of files that are converted, which needs the extra ``documents``."""
TEXT_FORMATS: Final = [
    *("txt", "json", "csv", "tsv", "md", "html", "htm", "rtf", "rst", "jsonl", "log", "xml", "yaml", "yml"),
    *UNSTRUCTURED_FORMATS,
]
"""The suffixes of files that are read."""
DOWNLOADS: Final = Path("tmp", "chromadb")
_HTML: Final = ("text/html", "application/xhtml+xml")

File: TypeAlias = str | tuple[str, str]
"""The path of a file, or the path of a download and its address."""
Split: TypeAlias = Callable[[str], list[str]]


def split_text_to_chunks(
    text: str,
    max_tokens: int = 4000,
    chunk_mode: str = "multi_lines",
    must_break_at_empty_line: bool = True,
    overlap: int = 0,
) -> list[str]:
    """A text in chunks; those of fewer than five characters are left out.

    Args:
        text: The text.
        max_tokens: The most tokens of a chunk. A line with more is broken.
        chunk_mode: ``multi_lines``, or ``one_line`` for a chunk of each line.
        must_break_at_empty_line: Whether a chunk ends at an empty line, where one is in it.
        overlap: The lines at the end of a chunk with which the next one begins.

    Raises:
        AssertionError: There is no such mode.
    """
    if chunk_mode not in VALID_CHUNK_MODES:
        raise AssertionError(f"chunk_mode {chunk_mode!r} is unknown: give one of {sorted(VALID_CHUNK_MODES)}.")
    return chunks(
        text,
        count_token,
        max_tokens=max_tokens,
        chunk_mode=chunk_mode,
        must_break_at_empty_line=must_break_at_empty_line,
        overlap=overlap,
    )


def extract_text_from_pdf(file: str) -> str:
    """The text of a PDF.

    Raises:
        OSError: The file cannot be read.
        DocumentError: It is no PDF, or damaged.
        MissingExtraError: The extra ``documents`` is not installed.
    """
    return converted(f"{Path(file).stem}.pdf", Path(file).read_bytes())


def split_files_to_chunks(
    files: Sequence[File],
    max_tokens: int = 4000,
    chunk_mode: str = "multi_lines",
    must_break_at_empty_line: bool = True,
    custom_text_split_function: Split | None = None,
) -> tuple[list[str], list[dict[str, str]]]:
    """The chunks of files, and for each chunk its ``source``.

    A document that cannot be read is left out, with a warning.

    Args:
        files: The paths of files, or pairs of a path and an address, which is the source.
        max_tokens: As of `split_text_to_chunks`.
        chunk_mode: As of `split_text_to_chunks`.
        must_break_at_empty_line: As of `split_text_to_chunks`.
        custom_text_split_function: Splits a text in place of `split_text_to_chunks`.
    """
    found: list[str] = []
    sources: list[dict[str, str]] = []
    for file in files:
        path, source = (file, file) if isinstance(file, str) else file
        try:
            text = _text(Path(path))
        except DocumentError as error:
            warnings.warn(f"{error} It is left out.", UserWarning, stacklevel=2)
            continue
        if custom_text_split_function is not None:
            new = custom_text_split_function(text)
        else:
            new = split_text_to_chunks(text, max_tokens, chunk_mode, must_break_at_empty_line)
        found += new
        sources += [{"source": source}] * len(new)
    return found, sources


def get_files_from_dir(
    dir_path: str | Sequence[str],
    types: Sequence[str] = TEXT_FORMATS,
    recursive: bool = True,
    *,
    private: bool = False,
) -> list[File]:
    """The files of folders, sorted, and downloads of addresses.

    Args:
        dir_path: A folder, a file or an address, or a list of them. What is not there is left out of a list, with a
            warning. A file is taken whatever its suffix is.
        types: The suffixes of the files of folders, without dots.
        recursive: Whether folders in folders are looked into.
        private: As of `get_file_from_url`.

    Raises:
        ValueError: The only folder is not there.
        ToolServiceError: An address cannot be read.
    """
    if isinstance(dir_path, str) and not (is_url(dir_path) or Path(dir_path).exists()):
        raise ValueError(f"Directory {dir_path} does not exist. Give the path of a folder or a file.")
    paths = [dir_path] if isinstance(dir_path, str) else dir_path
    return [file for path in paths for file in _files(str(path), types, recursive=recursive, private=private)]


def _files(path: str, types: Sequence[str], *, recursive: bool, private: bool) -> Iterator[File]:
    if is_url(path):
        yield get_file_from_url(path, private=private)
    elif Path(path).is_file():
        yield path
    elif Path(path).is_dir():
        suffixes = {f".{kind.lower()}" for kind in types}
        found = Path(path).rglob("*") if recursive else Path(path).glob("*")
        yield from sorted(str(each) for each in found if each.suffix.lower() in suffixes and each.is_file())
    else:
        warnings.warn(f"File {path} does not exist. It is left out.", UserWarning, stacklevel=3)


def is_url(string: str) -> bool:
    """Whether a text is an address with a scheme and a host."""
    try:
        parts = urlsplit(string)
    except ValueError:
        return False
    return bool(parts.scheme and parts.netloc)


def get_file_from_url(url: str, save_path: str | None = None, *, private: bool = False) -> tuple[str, str]:
    """Save a page or a file of the web; a page as Markdown.

    Args:
        url: The address.
        save_path: The path of the file; by default one of its own in ``tmp/chromadb``.
        private: Whether addresses of this machine and of private networks may be read.

    Returns:
        The path and the address.

    Raises:
        ToolServiceError: It cannot be read, or may not be.
        MissingExtraError: The extra ``web-tools`` is not installed.
    """
    file = run_in_background(lambda: download(url, private=private))
    is_page = file.media_type in _HTML
    path = Path(save_path) if save_path else DOWNLOADS / _file_name(url, is_page=is_page)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(parse_html_to_markdown(file.text, file.url).encode() if is_page else file.data)
    return str(path), url


def _file_name(url: str, *, is_page: bool) -> str:
    """A name for the file of an address: readable, and no other address has it."""
    digest = hashlib.sha256(url.encode()).hexdigest()[:8]
    name = PurePosixPath(urlsplit(url).path)
    readable = re.sub(r"[^\w.-]+", "_", f"{urlsplit(url).hostname}_{name.stem}")[:100]
    safe = name.suffix if re.fullmatch(r"\.\w{1,8}", name.suffix) else ".txt"
    return f"{readable}_{digest}{'.md' if is_page else safe}"


def parse_html_to_markdown(html: str, url: str | None = None) -> str:
    """The text of a page in Markdown, below its title.

    Args:
        html: The page.
        url: Its address, for links that are relative.
    """
    title, text = page_text(html, url or "")
    return f"# {title}\n\n{text}" if title else text


def _text(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix in {".html", ".htm"}:
        return parse_html_to_markdown(path.read_text(encoding="utf-8", errors="replace"))
    if suffix.removeprefix(".") in UNSTRUCTURED_FORMATS:
        return converted(path.name, path.read_bytes())
    return path.read_text(encoding="utf-8", errors="replace")


def create_vector_db_from_dir(
    dir_path: str | Sequence[str],
    max_tokens: int = 4000,
    client: Any = None,  # Any: the library is optional
    db_path: str = "tmp/chromadb.db",
    collection_name: str = "all-my-documents",
    get_or_create: bool = False,
    chunk_mode: str = "multi_lines",
    must_break_at_empty_line: bool = True,
    embedding_model: str | None = None,
    embedding_function: Callable[..., Any] | None = None,  # Any: as of `ChromaVectorDB`
    custom_text_split_function: Split | None = None,
    custom_text_types: Sequence[str] = TEXT_FORMATS,
    recursive: bool = True,
    extra_docs: bool = False,
) -> Any:
    """Read documents into a collection of ChromaDB.

    Args:
        dir_path: As of `get_files_from_dir`.
        max_tokens: As of `split_text_to_chunks`.
        client: A client of ChromaDB; by default one with its files at `db_path`.
        db_path: A folder.
        collection_name: The collection.
        get_or_create: Whether a collection of that name is used.
        chunk_mode: As of `split_text_to_chunks`.
        must_break_at_empty_line: As of `split_text_to_chunks`.
        embedding_model: A model of the library ``sentence-transformers``; by default vectors are of letters.
        embedding_function: Makes the vectors in place of the model.
        custom_text_split_function: Splits a text in place of `split_text_to_chunks`.
        custom_text_types: The suffixes of the files that are read.
        recursive: Whether folders in folders are looked into.
        extra_docs: Whether the documents are added to those that are there; else those of the same numbers are
            replaced.

    Returns:
        The client.

    Raises:
        ValueError: There is a collection of that name, and `get_or_create` is False; or there is no such folder.
        MissingExtraError: ``chromadb`` is not installed.
    """
    database = _database(client, db_path, embedding_model, embedding_function)
    collection = database.create_collection(collection_name, get_or_create=get_or_create)
    files = get_files_from_dir(dir_path, custom_text_types, recursive)
    texts, sources = split_files_to_chunks(
        files, max_tokens, chunk_mode, must_break_at_empty_line, custom_text_split_function
    )
    first: int = collection.count() if extra_docs else 0
    database.insert_docs(
        [
            {"id": f"doc_{number}", "content": text, "metadata": source}
            for number, (text, source) in enumerate(zip(texts, sources, strict=True), first)
        ],
        upsert=True,
    )
    return database.client


def query_vector_db(
    query_texts: list[str],
    n_results: int = 10,
    client: Any = None,  # Any: the library is optional
    db_path: str = "tmp/chromadb.db",
    collection_name: str = "all-my-documents",
    search_string: str = "",
    embedding_model: str | None = None,
    embedding_function: Callable[..., Any] | None = None,  # Any: as of `ChromaVectorDB`
) -> Any:
    """The answer of ChromaDB to questions about a collection.

    Args:
        query_texts: The questions.
        n_results: How many documents are found for each at most.
        client: As of `create_vector_db_from_dir`.
        db_path: As of `create_vector_db_from_dir`.
        collection_name: The collection.
        search_string: A text that each document has.
        embedding_model: As of `create_vector_db_from_dir`, the same as there.
        embedding_function: As of `create_vector_db_from_dir`, the same as there.
    """
    database = _database(client, db_path, embedding_model, embedding_function)
    return database.get_collection(collection_name).query(
        query_embeddings=query_vectors(query_texts, database.embedding_function),
        n_results=n_results,
        where_document={"$contains": search_string} if search_string else None,
    )


def _database(client: Any, path: str, model: str | None, function: Callable[..., Any] | None) -> ChromaVectorDB:
    return ChromaVectorDB(client=client, path=path, embedding_function=chosen_embedding(function, None, model))
