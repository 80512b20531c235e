"""Profiles of Anthropic's models: data, and nothing else.

Names and abilities are those of Anthropic's model pages in November 2026. A new model is a new line here; until then it
is taken to be like the one that its name resembles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from symposia.core.models import ModelFamily, TokenPrice
from symposia.ext.models._profiles import ModelCatalog, ModelProfile


@dataclass(frozen=True, kw_only=True, slots=True)
class AnthropicProfile(ModelProfile):
    """The facts about one of Anthropic's models.

    Attributes:
        sampling: It takes ``temperature``, ``top_p`` and ``top_k``, which the API of version 2026-10-21 has not.
        prefill: It continues an assistant message that ends the conversation, where others refuse one.
    """

    sampling: bool = False
    prefill: bool = False


MILLION: Final = 1_000_000


def _adaptive(family: str, *, sampling: bool = False) -> AnthropicProfile:
    """From Claude 4.6: a million tokens, structured output, no prefill; sampling parameters end with 4.7."""
    return AnthropicProfile(family=family, context=MILLION, max_output=128_000, sampling=sampling)


def _claude_4(family: str, max_output: int, *, structured_output: bool) -> AnthropicProfile:
    return AnthropicProfile(
        family=family,
        context=200_000,
        max_output=max_output,
        structured_output=structured_output,
        sampling=True,
        prefill=True,
    )


def _claude_3(family: str, max_output: int) -> AnthropicProfile:
    return _claude_4(family, max_output, structured_output=False)


NEWEST: Final = _adaptive("claude-5")

MODELS: Final[Mapping[str, AnthropicProfile]] = {
    "claude": NEWEST,
    "claude-fable-5": _adaptive("claude-5-fable"),
    "claude-mythos-5": _adaptive("claude-5-mythos"),
    "claude-mythos-preview": _adaptive("claude-5-mythos"),
    "claude-opus-5": _adaptive("claude-5-opus"),
    "claude-sonnet-5": _adaptive("claude-5-sonnet"),
    "claude-haiku-5": _adaptive("claude-5-haiku"),
    "claude-opus-4-8": _adaptive(ModelFamily.CLAUDE_4_OPUS),
    "claude-opus-4-7": _adaptive(ModelFamily.CLAUDE_4_OPUS),
    "claude-opus-4-6": _adaptive(ModelFamily.CLAUDE_4_OPUS, sampling=True),
    "claude-sonnet-4-6": _adaptive(ModelFamily.CLAUDE_4_SONNET, sampling=True),
    "claude-opus-4-5": _claude_4(ModelFamily.CLAUDE_4_OPUS, 64_000, structured_output=True),
    "claude-sonnet-4-5": _claude_4(ModelFamily.CLAUDE_4_SONNET, 64_000, structured_output=True),
    "claude-haiku-4-5": _claude_4("claude-4-haiku", 64_000, structured_output=True),
    "claude-opus-4-1": _claude_4(ModelFamily.CLAUDE_4_OPUS, 32_000, structured_output=True),
    "claude-opus-4": _claude_4(ModelFamily.CLAUDE_4_OPUS, 32_000, structured_output=False),
    "claude-sonnet-4": _claude_4(ModelFamily.CLAUDE_4_SONNET, 64_000, structured_output=False),
    "claude-4-opus": _claude_4(ModelFamily.CLAUDE_4_OPUS, 32_000, structured_output=False),
    "claude-4-sonnet": _claude_4(ModelFamily.CLAUDE_4_SONNET, 64_000, structured_output=False),
    "claude-3-7-sonnet": _claude_3(ModelFamily.CLAUDE_3_7_SONNET, 64_000),
    "claude-3-5-sonnet": _claude_3(ModelFamily.CLAUDE_3_5_SONNET, 8_192),
    "claude-3-5-haiku": _claude_3(ModelFamily.CLAUDE_3_5_HAIKU, 8_192),
    "claude-3-opus": _claude_3(ModelFamily.CLAUDE_3_OPUS, 4_096),
    "claude-3-sonnet": _claude_3(ModelFamily.CLAUDE_3_SONNET, 4_096),
    "claude-3-haiku": _claude_3(ModelFamily.CLAUDE_3_HAIKU, 4_096),
}

PRICES: Final[Mapping[str, TokenPrice]] = {
    "claude-opus-4-5": TokenPrice(5, 25, 0.5),
    "claude-opus-4-1": TokenPrice(15, 75, 1.5),
    "claude-opus-4": TokenPrice(15, 75, 1.5),
    "claude-sonnet-4-5": TokenPrice(3, 15, 0.3),
    "claude-sonnet-4": TokenPrice(3, 15, 0.3),
    "claude-haiku-4-5": TokenPrice(1, 5, 0.1),
    "claude-3-7-sonnet": TokenPrice(3, 15, 0.3),
    "claude-3-5-sonnet": TokenPrice(3, 15, 0.3),
    "claude-3-5-haiku": TokenPrice(0.8, 4, 0.08),
    "claude-3-opus": TokenPrice(15, 75, 1.5),
    "claude-3-haiku": TokenPrice(0.25, 1.25, 0.03),
}
"""Anthropic's list prices, without discounts for batches, as in genai-prices 0.2.3.

A model that is not here has no known price: a forecast then says so, and does not guess."""

CATALOG: Final = ModelCatalog("Anthropic", MODELS, otherwise=NEWEST, prices=PRICES)
