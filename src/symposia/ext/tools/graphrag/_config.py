"""Options of the searches, with AutoGen's names and defaults."""

from __future__ import annotations

from pydantic import BaseModel, Field


class DataConfig(BaseModel, defer_build=True):
    """The tables of an index, which are files of Parquet.

    Attributes:
        input_dir: Their folder: the ``output`` of ``graphrag index``.
        entity_table: The file of the entities, without ``.parquet``, as for all tables.
        entity_embedding_table: Not read: GraphRAG keeps vectors in a vector store since its version 2.
        community_table: The file of the communities.
        community_level: The deepest level of communities whose reports are used. A deeper one has more details.
        community_report_table: The file of the communities' reports.
    """

    input_dir: str
    entity_table: str = "entities"
    entity_embedding_table: str = "entities"
    community_table: str = "communities"
    community_level: int = Field(default=2, ge=0)
    community_report_table: str = "community_reports"


class GlobalDataConfig(DataConfig, defer_build=True):
    """The tables of a global search."""


class LocalDataConfig(DataConfig, defer_build=True):
    """The tables of a local search.

    Attributes:
        relationship_table: The file of the relationships.
        text_unit_table: The file of the pieces of the documents.
    """

    relationship_table: str = "relationships"
    text_unit_table: str = "text_units"


class GlobalContextConfig(BaseModel, defer_build=True):
    """The reports of communities that a global search gives to the model.

    Attributes:
        max_data_tokens: The tokens of reports in one request.
        use_community_summary: Whether summaries are used, instead of whole reports.
        shuffle_data: Whether the reports are shuffled, with a fixed seed, before they are divided among requests.
        include_community_rank: Whether the rank of a community is told.
        min_community_rank: The lowest rank of communities that are used.
        community_rank_name: The word for the rank.
        include_community_weight: Whether the number of text units that a community occurs in is told.
        community_weight_name: The words for that number.
        normalize_community_weight: Whether that number is divided by the highest one.
    """

    max_data_tokens: int = Field(default=12_000, gt=0)
    use_community_summary: bool = False
    shuffle_data: bool = True
    include_community_rank: bool = True
    min_community_rank: int = 0
    community_rank_name: str = "rank"
    include_community_weight: bool = True
    community_weight_name: str = "occurrence weight"
    normalize_community_weight: bool = True


class LocalContextConfig(BaseModel, defer_build=True):
    """The data near a query that a local search gives to the model.

    Attributes:
        max_data_tokens: The tokens of all data.
        text_unit_prop: The part of them for pieces of the documents.
        community_prop: The part of them for reports of communities. The rest is for entities and relationships.
        include_entity_rank: Whether the rank of an entity is told.
        rank_description: The words for the rank.
        include_relationship_weight: Whether the weight of a relationship is told.
        relationship_ranking_attribute: The attribute by which relationships are ordered.
    """

    max_data_tokens: int = Field(default=8_000, gt=0)
    text_unit_prop: float = Field(default=0.5, ge=0, le=1)
    community_prop: float = Field(default=0.25, ge=0, le=1)
    include_entity_rank: bool = True
    rank_description: str = "number of relationships"
    include_relationship_weight: bool = True
    relationship_ranking_attribute: str = "rank"


class MapReduceConfig(BaseModel, defer_build=True):
    """The requests of a global search: one for each part of the reports, and one that makes an answer of the results.

    Attributes:
        map_max_tokens: The most tokens of the answer to one of the first.
        map_temperature: Their temperature.
        reduce_max_tokens: The most tokens of the last answer.
        reduce_temperature: Its temperature.
        allow_general_knowledge: Whether the model may use what is not in the index.
        json_mode: Not used: GraphRAG always asks for JSON in the first requests.
        response_type: The form of the answer, in words.
    """

    map_max_tokens: int = Field(default=1_000, gt=0)
    map_temperature: float = 0.0
    reduce_max_tokens: int = Field(default=2_000, gt=0)
    reduce_temperature: float = 0.0
    allow_general_knowledge: bool = False
    json_mode: bool = False
    response_type: str = "multiple paragraphs"


class SearchConfig(BaseModel, defer_build=True):
    """The request of a local search.

    Attributes:
        max_tokens: The most tokens of the answer.
        temperature: Its temperature.
        response_type: The form of the answer, in words.
    """

    max_tokens: int = Field(default=1_500, gt=0)
    temperature: float = 0.0
    response_type: str = "multiple paragraphs"
