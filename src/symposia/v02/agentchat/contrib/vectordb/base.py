"""What a database of documents has to have, and how one is made by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, ClassVar, Final, NotRequired, Protocol, TypeAlias, cast, runtime_checkable

from typing_extensions import TypedDict

__all__ = ["Document", "ItemID", "Metadata", "QueryResults", "Vector", "VectorDB", "VectorDBFactory"]

Metadata: TypeAlias = Mapping[str, Any] | None  # Any: numbers and texts, and what a database takes besides
Vector: TypeAlias = Sequence[float] | Sequence[int]
ItemID: TypeAlias = str | int


class Document(TypedDict):
    """A document, or a passage of one.

    Attributes:
        id: Tells it from the others of its collection.
        content: Its text.
        metadata: What is known of it, such as its ``source``.
        embedding: Its vector. The database makes it of the content where it is missing.
    """

    id: ItemID
    content: str
    metadata: NotRequired[Metadata]
    embedding: NotRequired[Vector | None]


QueryResults: TypeAlias = list[list[tuple[Document, float]]]
"""For each query the documents that were found, each with its distance, the nearest first."""


@runtime_checkable
class VectorDB(Protocol):
    """A database of documents in collections.

    A call without the name of a collection is for the active one: that which was made or asked for last.

    Attributes:
        active_collection: The active collection.
        type: The kind of database.
        embedding_function: Makes vectors of texts.
    """

    active_collection: Any  # Any: of the database's library
    type: str
    embedding_function: Callable[..., Any] | None  # Any: as the database's library has them

    def create_collection(self, collection_name: str, overwrite: bool = False, get_or_create: bool = True) -> Any:
        """Make a collection, and make it the active one.

        Args:
            collection_name: Its name.
            overwrite: Whether one of that name is deleted first.
            get_or_create: Whether one of that name is returned.

        Raises:
            ValueError: There is one of that name, and neither is said.
        """
        ...

    def get_collection(self, collection_name: str | None = None) -> Any:
        """A collection, which becomes the active one; without a name, the active one.

        Raises:
            ValueError: There is none.
        """
        ...

    def delete_collection(self, collection_name: str) -> Any:
        """Delete a collection."""
        ...

    def insert_docs(
        self, docs: list[Document], collection_name: str | None = None, upsert: bool = False, **kwargs: Any
    ) -> None:
        """Add documents.

        Args:
            docs: The documents.
            collection_name: The collection.
            upsert: Whether documents with the ids of these are replaced.
            kwargs: Of the database.
        """
        ...

    def update_docs(self, docs: list[Document], collection_name: str | None = None, **kwargs: Any) -> None:
        """Replace documents by those with the same ids."""
        ...

    def delete_docs(self, ids: list[ItemID], collection_name: str | None = None, **kwargs: Any) -> None:
        """Delete documents."""
        ...

    def retrieve_docs(
        self,
        queries: list[str],
        collection_name: str | None = None,
        n_results: int = 10,
        distance_threshold: float = -1,
        **kwargs: Any,
    ) -> QueryResults:
        """Find documents that are similar to texts.

        Args:
            queries: The texts.
            collection_name: The collection.
            n_results: How many are found at most for each.
            distance_threshold: Those of this distance and above are left out; below 0, none are.
            kwargs: Of the database.
        """
        ...

    def get_docs_by_ids(
        self,
        ids: list[ItemID] | None = None,
        collection_name: str | None = None,
        include: list[str] | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """Documents by their ids; without ids, all.

        Args:
            ids: Their ids. Those that there are not are left out.
            collection_name: The collection.
            include: What is read besides the id; by default text and metadata.
            kwargs: Of the database.
        """
        ...


_CLASSES: Final = {
    "chroma": "chromadb.ChromaVectorDB",
    "chromadb": "chromadb.ChromaVectorDB",
    "qdrant": "qdrant.QdrantVectorDB",
}


class VectorDBFactory:
    """Makes databases by their names."""

    PREDEFINED_VECTOR_DB: ClassVar[list[str]] = ["chroma", "qdrant"]

    @staticmethod
    def create_vector_db(db_type: str, **kwargs: Any) -> VectorDB:  # Any: arguments of the class
        """Make a database.

        Args:
            db_type: ``chroma`` or ``qdrant``.
            kwargs: Arguments of its class.

        Raises:
            ValueError: There is no such kind.
        """
        name = _CLASSES.get(db_type.lower())
        if name is None:
            raise ValueError(
                f"Unsupported vector database type: {db_type}. Valid types are {VectorDBFactory.PREDEFINED_VECTOR_DB}. "
                "For another database, write a class with the methods of VectorDB, and give an object of it."
            )
        module, _, leaf = name.partition(".")
        made = getattr(import_module(f"{__package__}.{module}"), leaf)
        return cast("VectorDB", made(**kwargs))
