"""Profiles of OpenAI's models: data, and nothing else.

Names and abilities are those of OpenAI's model pages in November 2026. A new model is a new line here; until then it is
taken to be like the one that its name resembles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from symposia.core.models import ModelFamily, TokenPrice
from symposia.ext.models._profiles import ModelCatalog, ModelProfile

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Api = Literal["chat", "responses"]
"""Chat Completions, or the Responses API."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenAIProfile(ModelProfile):
    """The facts about a model of OpenAI, or of a vendor that uses its format.

    Attributes:
        effort: The reasoning effort when none is asked for; None for models that do not reason. While a model reasons
            it refuses the sampling parameters, and a reasoning model calls ``max_tokens`` ``max_completion_tokens``.
        tools_effort: The only reasoning effort at which the model takes tools in Chat Completions, if there is such a
            rule.
        api: The API that does all that the model can. ``responses`` for models that Chat Completions do not serve, or
            serve without tools.
    """

    effort: Effort | None = None
    tools_effort: Effort | None = None
    api: Api = "chat"


MILLION: Final = 1_050_000


def _reasoning(
    family: str,
    context: int,
    *,
    effort: Effort,
    max_output: int = 128_000,
    tools_effort: Effort | None = None,
    api: Api = "chat",
) -> OpenAIProfile:
    return OpenAIProfile(
        family=family, context=context, max_output=max_output, effort=effort, tools_effort=tools_effort, api=api
    )


def _o1_preview(max_output: int) -> OpenAIProfile:
    return OpenAIProfile(
        family=ModelFamily.O1,
        context=128_000,
        max_output=max_output,
        vision=False,
        function_calling=False,
        json_output=False,
        structured_output=False,
        effort="medium",
    )


def _chat(
    family: str,
    context: int,
    max_output: int,
    *,
    vision: bool = True,
    function_calling: bool = True,
    json_output: bool = True,
    structured_output: bool = True,
) -> OpenAIProfile:
    return OpenAIProfile(
        family=family,
        context=context,
        max_output=max_output,
        vision=vision,
        function_calling=function_calling,
        json_output=json_output,
        structured_output=structured_output,
    )


# From gpt-5.5 on, Chat Completions takes tools only at reasoning effort "none". gpt-6-astra and gpt-6.1-sol refuse that
# effort, so that they take no tools there at all (OpenAI's error texts and GPT-6 migration guide, September 2026). The
# models with "pro" and "codex" in their names are not served there (their model pages).
GPT_6_BY_RESPONSES: Final = _reasoning("gpt-6", MILLION, effort="medium", api="responses")
GPT_6: Final = _reasoning("gpt-6", MILLION, effort="medium", tools_effort="none")

MODELS: Final[Mapping[str, OpenAIProfile]] = {
    "gpt-6": GPT_6,
    "gpt-6-astra": GPT_6_BY_RESPONSES,
    "gpt-6.1-sol": GPT_6_BY_RESPONSES,
    "gpt-6.1-terra": GPT_6,
    "gpt-5.6": _reasoning(ModelFamily.GPT_5, MILLION, effort="medium", tools_effort="none"),
    "gpt-5.5": _reasoning(ModelFamily.GPT_5, MILLION, effort="medium", tools_effort="none"),
    "gpt-5.4": _reasoning(ModelFamily.GPT_5, MILLION, effort="none"),
    "gpt-5.4-mini": _reasoning(ModelFamily.GPT_5, 400_000, effort="none"),
    "gpt-5.4-nano": _reasoning(ModelFamily.GPT_5, 400_000, effort="none"),
    "gpt-5.3-chat": _chat(ModelFamily.GPT_5, 128_000, 16_384),
    "gpt-5.2": _reasoning(ModelFamily.GPT_5, 400_000, effort="none"),
    "gpt-5.2-pro": _reasoning(ModelFamily.GPT_5, 400_000, effort="medium", api="responses"),
    "gpt-5.2-codex": _reasoning(ModelFamily.GPT_5, 400_000, effort="medium", api="responses"),
    "gpt-5.2-chat": _chat(ModelFamily.GPT_5, 128_000, 16_384),
    "gpt-5.1": _reasoning(ModelFamily.GPT_5, 400_000, effort="none"),
    "gpt-5.1-codex": _reasoning(ModelFamily.GPT_5, 400_000, effort="medium", api="responses"),
    "gpt-5.1-chat": _chat(ModelFamily.GPT_5, 128_000, 16_384),
    "gpt-5": _reasoning(ModelFamily.GPT_5, 400_000, effort="medium"),
    "gpt-5-codex": _reasoning(ModelFamily.GPT_5, 400_000, effort="medium", api="responses"),
    "gpt-5-pro": _reasoning(ModelFamily.GPT_5, 400_000, effort="high", max_output=272_000, api="responses"),
    "gpt-5-chat": _chat(ModelFamily.GPT_5, 128_000, 16_384),
    "gpt-4.1": _chat(ModelFamily.GPT_41, 1_047_576, 32_768),
    "gpt-4.5-preview": _chat(ModelFamily.GPT_45, 128_000, 16_384),
    "o4-mini": _reasoning(ModelFamily.O4, 200_000, max_output=100_000, effort="medium"),
    "o3": _reasoning(ModelFamily.O3, 200_000, max_output=100_000, effort="medium"),
    "o3-pro": _reasoning(ModelFamily.O3, 200_000, max_output=100_000, effort="medium", api="responses"),
    "o3-mini": OpenAIProfile(family=ModelFamily.O3, context=200_000, max_output=100_000, vision=False, effort="medium"),
    "o1": _reasoning(ModelFamily.O1, 200_000, max_output=100_000, effort="medium"),
    "o1-pro": _reasoning(ModelFamily.O1, 200_000, max_output=100_000, effort="medium", api="responses"),
    "o1-preview": _o1_preview(32_768),
    "o1-mini": _o1_preview(65_536),
    "codex-mini-latest": _reasoning(ModelFamily.O4, 200_000, max_output=100_000, effort="medium", api="responses"),
    "gpt-4o": _chat(ModelFamily.GPT_4O, 128_000, 16_384),
    "gpt-4o-2024-05-13": _chat(ModelFamily.GPT_4O, 128_000, 4_096, structured_output=False),
    "gpt-4o-mini": _chat(ModelFamily.GPT_4O, 128_000, 16_384),
    "gpt-4o-search-preview": _chat(ModelFamily.GPT_4O, 128_000, 16_384, vision=False, function_calling=False),
    "gpt-4o-mini-search-preview": _chat(ModelFamily.GPT_4O, 128_000, 16_384, vision=False, function_calling=False),
    "gpt-4o-audio-preview": _chat(ModelFamily.GPT_4O, 128_000, 16_384, vision=False, structured_output=False),
    "gpt-4o-mini-audio-preview": _chat(ModelFamily.GPT_4O, 128_000, 16_384, vision=False, structured_output=False),
    "gpt-audio-mini": _chat(ModelFamily.GPT_4O, 128_000, 16_384, vision=False, structured_output=False),
    "chatgpt-4o-latest": _chat(ModelFamily.GPT_4O, 128_000, 16_384, function_calling=False),
    "gpt-4-turbo": _chat(ModelFamily.GPT_4, 128_000, 4_096, structured_output=False),
    "gpt-4-turbo-preview": _chat(ModelFamily.GPT_4, 128_000, 4_096, vision=False, structured_output=False),
    "gpt-4-0125-preview": _chat(ModelFamily.GPT_4, 128_000, 4_096, vision=False, structured_output=False),
    "gpt-4-1106-preview": _chat(ModelFamily.GPT_4, 128_000, 4_096, vision=False, structured_output=False),
    "gpt-4-vision-preview": _chat(
        ModelFamily.GPT_4, 128_000, 4_096, function_calling=False, json_output=False, structured_output=False
    ),
    "gpt-4": _chat(ModelFamily.GPT_4, 8_192, 8_192, vision=False, json_output=False, structured_output=False),
    "gpt-4-32k": _chat(ModelFamily.GPT_4, 32_768, 8_192, vision=False, json_output=False, structured_output=False),
    "gpt-3.5-turbo": _chat(ModelFamily.GPT_35, 16_385, 4_096, vision=False, structured_output=False),
}

UNKNOWN: Final = OpenAIProfile(family=ModelFamily.UNKNOWN, context=128_000, max_output=16_384)
"""For a name that resembles none: most likely another vendor's model behind a compatible server."""

PRICES: Final[Mapping[str, TokenPrice]] = {
    "gpt-5.1": TokenPrice(1.25, 10, 0.125),
    "gpt-5": TokenPrice(1.25, 10, 0.125),
    "gpt-5-mini": TokenPrice(0.25, 2, 0.025),
    "gpt-5-nano": TokenPrice(0.05, 0.4, 0.005),
    "gpt-4.1": TokenPrice(2, 8, 0.5),
    "gpt-4.1-mini": TokenPrice(0.4, 1.6, 0.1),
    "gpt-4.1-nano": TokenPrice(0.1, 0.4, 0.025),
    "o4-mini": TokenPrice(1.1, 4.4, 0.275),
    "o3": TokenPrice(2, 8, 0.5),
    "o3-mini": TokenPrice(1.1, 4.4, 0.55),
    "o1": TokenPrice(15, 60, 7.5),
    "gpt-4o": TokenPrice(2.5, 10, 1.25),
    "gpt-4o-mini": TokenPrice(0.15, 0.6, 0.075),
    "gpt-4-turbo": TokenPrice(10, 30),
    "gpt-4": TokenPrice(30, 60),
    "gpt-3.5-turbo": TokenPrice(0.5, 1.5),
}
"""OpenAI's list prices of its standard tier, without discounts for batches, as in genai-prices 0.2.3.

A model that is not here has no known price: a forecast then says so, and does not guess."""

CATALOG: Final = ModelCatalog("OpenAI", MODELS, otherwise=UNKNOWN, prices=PRICES)
