"""Profiles of Anthropic's models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from symposia.ext.models._aws import spellings
from symposia.ext.models._profiles import ModelProfile, shipped_catalog


@dataclass(frozen=True, kw_only=True, slots=True)
class AnthropicProfile(ModelProfile):
    """The facts about one of Anthropic's models.

    Attributes:
        sampling: It takes ``temperature``, ``top_p`` and ``top_k``, which the API of version 2026-10-21 has not.
        prefill: It continues an assistant message that ends the conversation, where others refuse one.
    """

    sampling: bool = False
    prefill: bool = False


CATALOG: Final = shipped_catalog("anthropic", "Anthropic", AnthropicProfile)
BEDROCK_CATALOG: Final = shipped_catalog("anthropic", "Anthropic", AnthropicProfile, prices="aws", spellings=spellings)
VERTEX_CATALOG: Final = shipped_catalog("anthropic", "Anthropic", AnthropicProfile, prices="google")
