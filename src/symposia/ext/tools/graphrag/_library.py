"""GraphRAG: its settings, its tables, and the parts of it that a search replaces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

from symposia.core.exceptions import InvalidArgumentError, MissingExtraError
from symposia.ext.tools.graphrag._config import DataConfig

LibraryObject: TypeAlias = Any  # Any: of a library that is in an environment of its own

_PROMPTS: Final = {
    "local_search": ["prompt"],
    "global_search": ["map_prompt", "reduce_prompt", "knowledge_prompt"],
}


def require_graphrag(feature: str) -> None:
    """Check that GraphRAG is installed.

    Raises:
        MissingExtraError: It is not.
    """
    if find_spec("graphrag") is None:
        raise MissingExtraError(feature, "graphrag")


def read_settings(root_dir: str | Path, config_filepath: str | Path | None) -> LibraryObject:
    """The settings of a project of GraphRAG, with the environment variables of its ``.env``.

    Raises:
        InvalidArgumentError: There are none, or they are not valid; the text says why.
    """
    file = Path(root_dir if config_filepath is None else config_filepath)
    load_config = import_module("graphrag_common.config").load_config
    config_class = import_module("graphrag.config.models.graph_rag_config").GraphRagConfig

    def located(**settings: Any) -> LibraryObject:  # Any: the values of a file
        return config_class(**_with_full_paths(settings, Path(root_dir).resolve()))

    try:
        # Its default is to change the folder of the whole process, since the paths in the settings are relative.
        return load_config(config_initializer=located, config_path=file, set_cwd=False)
    except (OSError, ValueError, TypeError) as error:
        raise InvalidArgumentError(f"The settings of GraphRAG at {file} cannot be used: {error}") from error


def _with_full_paths(settings: dict[str, Any], root: Path) -> dict[str, Any]:
    """Settings with full paths of what a search reads: the output, the vector store of files, and prompts."""
    output: dict[str, Any] = {"base_dir": "output", **(settings.get("output_storage") or {})}
    store: dict[str, Any] = {"type": "lancedb", **(settings.get("vector_store") or {})}
    output["base_dir"] = str(root / output["base_dir"])
    if store["type"] == "lancedb":
        store["db_uri"] = str(root / (store.get("db_uri") or "output/lancedb"))
    full = {**settings, "output_storage": output, "vector_store": store}
    for section, names in _PROMPTS.items():
        given: dict[str, Any] = settings.get(section) or {}
        full[section] = {name: str(root / value) if name in names and value else value for name, value in given.items()}
    return full


def prompt_of(path: str | None) -> str | None:
    """A prompt that the settings name, or None for GraphRAG's own.

    Raises:
        InvalidArgumentError: The file cannot be read.
    """
    if path is None:
        return None
    try:
        return Path(path).read_text("utf-8")
    except (OSError, ValueError) as error:
        raise InvalidArgumentError(f"The prompt {path} in the settings of GraphRAG cannot be read: {error}") from error


def call_options(model_settings: LibraryObject) -> dict[str, Any]:
    """The options of requests in the settings of a model, by the names of our configurations."""
    given = cast("dict[str, Any]", model_settings.call_args)
    tokens = given.get("max_completion_tokens", given.get("max_tokens"))
    options = {"max_tokens": tokens, "temperature": given.get("temperature")}
    return {name: value for name, value in options.items() if value is not None}


def check_tables(owner: str, config: DataConfig, tables: Sequence[str]) -> None:
    """Check that tables are there, which takes no time; they are read with the first search.

    Raises:
        InvalidArgumentError: One is not.
    """
    missing = [table for table in tables if not _table_file(config, table).is_file()]
    if missing:
        raise InvalidArgumentError(
            f"data_config of {owner} has the folder {config.input_dir}, in which {', '.join(missing)} is missing. Run "
            "`graphrag index`, and give its output folder."
        )


def read_table(config: DataConfig, table: str) -> LibraryObject:
    """A table, as a data frame. None if there is no such file."""
    file = _table_file(config, table)
    return import_module("pandas").read_parquet(file) if file.is_file() else None


def _table_file(config: DataConfig, table: str) -> Path:
    return Path(config.input_dir, f"{table}.parquet")


class EncodingTokenizer:
    """GraphRAG's interface of a tokenizer over an encoding of ``tiktoken``."""

    def __init__(self, encoding: LibraryObject) -> None:
        # Documents may have texts such as "<|endoftext|>", which `encode` refuses.
        self.encode: Callable[[str], list[int]] = getattr(encoding, "encode_ordinary", encoding.encode)
        self.decode: Callable[[list[int]], str] = encoding.decode

    def num_tokens(self, text: str) -> int:
        """The tokens of a text."""
        return len(self.encode(text))


class ReadyContext:
    """In the place of GraphRAG's builder of a context: one that was built before.

    Building takes seconds, and GraphRAG would do it between two awaits.
    """

    def __init__(self, context: LibraryObject) -> None:
        self._context = context

    def build_context(self, **_: object) -> LibraryObject:
        """See GraphRAG's `LocalContextBuilder`."""
        return self._context


class ReadyGlobalContext(ReadyContext):
    """The same for global searches, whose builder is asynchronous."""

    async def build_context(self, **_: object) -> LibraryObject:
        """See GraphRAG's `GlobalContextBuilder`."""
        return self._context


class ReadyEmbedder:
    """In the place of GraphRAG's embedder, which it calls synchronously: the vector of the query, asked for before."""

    def __init__(self, response: LibraryObject) -> None:
        self._response = response

    def embedding(self, **_: object) -> LibraryObject:
        """See GraphRAG's `LLMEmbedding`."""
        return self._response


class WatchedModel:
    """A model that remembers failures: GraphRAG logs those of single requests, and goes on with what is left.

    An answer from a part of the reports would look like one from all of them.
    """

    def __init__(self, model: LibraryObject) -> None:
        self._model = model
        self.failures: list[Exception] = []

    def __getattr__(self, name: str) -> LibraryObject:
        return getattr(self._model, name)

    async def completion_async(self, **request: LibraryObject) -> LibraryObject:
        """See GraphRAG's `LLMCompletion`."""
        try:
            return await self._model.completion_async(**request)
        except Exception as error:
            self.failures.append(error)
            raise
