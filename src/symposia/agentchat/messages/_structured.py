"""Messages whose content is a pydantic model, and their classes made at run time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic

from pydantic import BaseModel, computed_field
from typing_extensions import TypeVar

from symposia.agentchat.messages._base import BaseChatMessage
from symposia.core import Component
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import UserMessage

# With a default, `StructuredMessage` without a parameter is one of any model, and not of an unknown type.
StructuredContentType = TypeVar(  # noqa: PLC0105 - AutoGen's name
    "StructuredContentType", bound=BaseModel, covariant=True, default=BaseModel
)


class StructuredMessage(BaseChatMessage, Generic[StructuredContentType]):
    """A pydantic model as a message: ``StructuredMessage[Invoice](content=Invoice(...), source="clerk")``.

    Attributes:
        format_string: How a person reads it, with the fields of the content in braces (``"{total} EUR"``); None shows
            the content as JSON.
    """

    content: StructuredContentType
    format_string: str | None = None

    @computed_field
    @property
    def type(self) -> str:
        """The name of the class, its parameter included: ``StructuredMessage[Invoice]``."""
        return self.__class__.__name__

    def to_text(self) -> str:
        """The content through `format_string`, or as JSON."""
        if self.format_string is None:
            return self.content.model_dump_json()
        return self.format_string.format(**self.content.model_dump())

    def to_model_text(self) -> str:
        """As `to_text`."""
        return self.to_text()

    def to_model_message(self) -> UserMessage:
        """The content as JSON, as a message from `source`."""
        return UserMessage(content=self.content.model_dump_json(), source=self.source)


class StructuredMessageFactory(Component):
    """Makes a `StructuredMessage` class at run time, from a model or from a JSON schema.

    Attributes:
        ContentModel: The class of the content.
        StructuredMessage: ``StructuredMessage[ContentModel]``.
        format_string: Given to the messages.

    Args:
        json_schema: The schema of the content; not together with `input_model`.
        input_model: The class of the content.
        format_string: As on `StructuredMessage`.
        content_model_name: The name of the class made from `json_schema`; its title by default.

    Raises:
        InvalidArgumentError: Neither or both of a schema and a model are given.
    """

    component_type = "structured_message"

    def __init__(
        self,
        json_schema: dict[str, Any] | None = None,  # Any: JSON
        input_model: type[BaseModel] | None = None,
        format_string: str | None = None,
        content_model_name: str | None = None,
    ) -> None:
        self.format_string = format_string
        self.ContentModel = _content_model(json_schema, input_model, content_model_name)
        self.StructuredMessage = StructuredMessage[self.ContentModel]

    @classmethod
    def _to_autogen(cls, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """The class of the content as its schema and name."""
        own = dict(config)
        if saved_type := own.pop("input_model", None):
            own["json_schema"] = saved_type["json_schema"]
        return {"content_model_name": own["json_schema"].get("title", "GeneratedModel"), **own}


def _content_model(
    json_schema: dict[str, Any] | None, input_model: type[BaseModel] | None, name: str | None
) -> type[BaseModel]:
    if input_model is not None and json_schema is not None:
        raise InvalidArgumentError("Give StructuredMessageFactory either `json_schema` or `input_model`, not both.")
    if input_model is not None:
        return input_model
    if json_schema is None:
        raise InvalidArgumentError("Either `json_schema` or `input_model` must be provided.")
    from symposia.core.utils import schema_to_pydantic_model  # noqa: PLC0415 - few programs have a schema and no class

    return schema_to_pydantic_model(json_schema, name or json_schema.get("title") or "GeneratedModel")
