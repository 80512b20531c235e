"""The abilities of models, and the families of models that behave alike."""

from __future__ import annotations

import warnings
from typing import Final, Literal, NoReturn, Required, TypeAlias

from typing_extensions import TypedDict


class ModelFamily:
    """Names for groups of models that behave alike.

    A family is any string; the constants are those that AutoGen's programs name. The ``is_…`` questions go by the
    beginning of the name, so that they hold for families that came after this release (``claude-sonnet-5``, ``gpt-6``).
    """

    GPT_5 = "gpt-5"
    GPT_41 = "gpt-41"
    GPT_45 = "gpt-45"
    GPT_4O = "gpt-4o"
    O1 = "o1"
    O3 = "o3"
    O4 = "o4"
    GPT_4 = "gpt-4"
    GPT_35 = "gpt-35"
    R1 = "r1"
    GEMINI_1_5_FLASH = "gemini-1.5-flash"
    GEMINI_1_5_PRO = "gemini-1.5-pro"
    GEMINI_2_0_FLASH = "gemini-2.0-flash"
    GEMINI_2_5_PRO = "gemini-2.5-pro"
    GEMINI_2_5_FLASH = "gemini-2.5-flash"
    CLAUDE_3_HAIKU = "claude-3-haiku"
    CLAUDE_3_SONNET = "claude-3-sonnet"
    CLAUDE_3_OPUS = "claude-3-opus"
    CLAUDE_3_5_HAIKU = "claude-3-5-haiku"
    CLAUDE_3_5_SONNET = "claude-3-5-sonnet"
    CLAUDE_3_7_SONNET = "claude-3-7-sonnet"
    CLAUDE_4_OPUS = "claude-4-opus"
    CLAUDE_4_SONNET = "claude-4-sonnet"
    LLAMA_3_3_8B = "llama-3.3-8b"
    LLAMA_3_3_70B = "llama-3.3-70b"
    LLAMA_4_SCOUT = "llama-4-scout"
    LLAMA_4_MAVERICK = "llama-4-maverick"
    CODESRAL = "codestral"
    OPEN_CODESRAL_MAMBA = "open-codestral-mamba"
    MISTRAL = "mistral"
    MINISTRAL = "ministral"
    PIXTRAL = "pixtral"
    UNKNOWN = "unknown"

    ANY: TypeAlias = Literal[
        "gpt-5",
        "gpt-41",
        "gpt-45",
        "gpt-4o",
        "o1",
        "o3",
        "o4",
        "gpt-4",
        "gpt-35",
        "r1",
        "gemini-1.5-flash",
        "gemini-1.5-pro",
        "gemini-2.0-flash",
        "gemini-2.5-pro",
        "gemini-2.5-flash",
        "claude-3-haiku",
        "claude-3-sonnet",
        "claude-3-opus",
        "claude-3-5-haiku",
        "claude-3-5-sonnet",
        "claude-3-7-sonnet",
        "claude-4-opus",
        "claude-4-sonnet",
        "llama-3.3-8b",
        "llama-3.3-70b",
        "llama-4-scout",
        "llama-4-maverick",
        "codestral",
        "open-codestral-mamba",
        "mistral",
        "ministral",
        "pixtral",
        "unknown",
    ]

    def __new__(cls, *_: object, **__: object) -> NoReturn:
        """Refuse: this class only holds names."""
        raise TypeError(f"{cls.__name__} is a namespace class and cannot be instantiated.")

    @staticmethod
    def is_claude(family: str) -> bool:
        """Whether the family is Anthropic's."""
        return family.startswith("claude-")

    @staticmethod
    def is_gemini(family: str) -> bool:
        """Whether the family is Google's Gemini."""
        return family.startswith("gemini-")

    @staticmethod
    def is_openai(family: str) -> bool:
        """Whether the family is OpenAI's."""
        return family.startswith(_OPENAI)

    @staticmethod
    def is_llama(family: str) -> bool:
        """Whether the family is Meta's Llama."""
        return family.startswith("llama-")

    @staticmethod
    def is_mistral(family: str) -> bool:
        """Whether the family is Mistral's."""
        return family.startswith(_MISTRAL)


_OPENAI: Final = ("gpt-", "o1", "o3", "o4")
_MISTRAL: Final = ("mistral", "ministral", "codestral", "open-codestral", "pixtral", "magistral", "devstral")


class ModelCapabilities(TypedDict, total=False):
    """The abilities of a model: the former name of `ModelInfo`."""

    vision: Required[bool]
    function_calling: Required[bool]
    json_output: Required[bool]


class ModelInfo(TypedDict, total=False):
    """The abilities of a model.

    Attributes:
        vision: It takes images.
        function_calling: It takes tools.
        json_output: It can answer in JSON of any shape.
        family: See `ModelFamily`; ``"unknown"`` will do.
        structured_output: It can answer in JSON of a given schema.
        multiple_system_messages: It takes system messages that do not follow each other.
    """

    vision: Required[bool]
    function_calling: Required[bool]
    json_output: Required[bool]
    family: Required[ModelFamily.ANY | str]
    structured_output: Required[bool]
    multiple_system_messages: bool | None


_REQUIRED: Final = ("vision", "function_calling", "json_output", "family")


def validate_model_info(model_info: ModelInfo) -> None:
    """Check that a `ModelInfo` says all it must.

    AutoGen's programs of before 0.5 leave `structured_output` out; that gets a warning.

    Raises:
        ValueError: A field is missing.
    """
    missing = [field for field in _REQUIRED if field not in model_info]
    if missing:
        raise ValueError(f"Missing required field {', '.join(map(repr, missing))} in ModelInfo.")
    if "structured_output" not in model_info:
        warnings.warn(
            "Missing required field 'structured_output' in ModelInfo: say whether the model can keep to a schema.",
            stacklevel=2,
        )
