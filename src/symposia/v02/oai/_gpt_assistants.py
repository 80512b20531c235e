"""Assistants of OpenAI's Assistants API, as `openai_utils` has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from symposia._lazy import lazy_module
from symposia.v02._assistants import Assistants, wanted_assistant

if TYPE_CHECKING:
    import openai
    from openai import types
    from openai.types import beta
else:
    openai, types, beta = lazy_module("openai"), lazy_module("openai.types"), lazy_module("openai.types.beta")

UPDATED: Final = ("instructions", "tools", "tool_resources")


def create_gpt_assistant(
    client: openai.OpenAI,
    name: str,
    instructions: str,
    model: str,
    assistant_config: Mapping[str, Any],  # Any: JSON
) -> beta.Assistant:
    """Make an assistant.

    Args:
        client: The SDK's client.
        name: Its name.
        instructions: Its instructions.
        model: Its model.
        assistant_config: Its `tools`, and their `file_ids` or `tool_resources`.

    Raises:
        openai.OpenAIError: The service failed.
    """
    return Assistants(client).create(wanted_assistant(name, model, instructions, assistant_config), instructions)


def update_gpt_assistant(
    client: openai.OpenAI,
    assistant_id: str,
    assistant_config: Mapping[str, Any],  # Any: JSON
) -> beta.Assistant:
    """Replace the `instructions`, `tools` and `tool_resources` of an assistant, as far as they are given.

    Raises:
        openai.OpenAIError: The service failed.
    """
    fields = {name: assistant_config[name] for name in UPDATED if assistant_config.get(name) is not None}
    return Assistants(client).update(assistant_id, fields)


def retrieve_assistants_by_name(client: openai.OpenAI, name: str) -> list[beta.Assistant]:
    """The assistants with a name, the newest first.

    Raises:
        openai.OpenAIError: The service failed.
    """
    return Assistants(client).named(name)


def create_gpt_vector_store(client: openai.OpenAI, name: str, fild_ids: Sequence[str]) -> types.VectorStore:
    """Make a vector store of files. The service waits for it before a search.

    Args:
        client: The SDK's client.
        name: Its name.
        fild_ids: The ids of the files, under AutoGen's name.

    Raises:
        openai.OpenAIError: The service failed.
    """
    return Assistants(client).create_vector_store(name, fild_ids)


def detect_gpt_assistant_api_version() -> str:
    """The version of the Assistants API, which is ``v2``."""
    return "v2"
