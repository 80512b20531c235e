"""Profiles of the models at Amazon Bedrock, as Converse serves them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from symposia.ext.models._aws import spellings
from symposia.ext.models._profiles import ModelProfile, shipped_catalog


@dataclass(frozen=True, kw_only=True, slots=True)
class BedrockProfile(ModelProfile):
    """The facts about a model at Amazon Bedrock.

    Attributes:
        schema_output: It keeps to a schema by ``outputConfig``. Any other model with tools is given a tool whose
            arguments have the schema.
        tool_choice: What it can be told about tools: to call a certain one, at least ``any``, or nothing.
        cache_points: Where requests may have cache points: nowhere, or in all but the tools, or ``everywhere``.
        tool_status: It takes the status of a tool's result, which says whether that is an error.
    """

    schema_output: bool = False
    tool_choice: Literal["tool", "any", "auto"] = "auto"
    cache_points: Literal["nowhere", "messages", "everywhere"] = "nowhere"
    tool_status: bool = False


CATALOG: Final = shipped_catalog("bedrock", "Amazon Bedrock", BedrockProfile, prices="aws", spellings=spellings)
