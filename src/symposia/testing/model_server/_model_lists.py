"""The lists of models that the vendors' servers offer, by the path of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

CREATED: Final = 1_700_000_000
"""One time for all models, in seconds since 1970, so that an answer is always the same."""
CREATED_TEXT: Final = "2023-11-14T22:13:20Z"


def model_list(path: str, headers: Mapping[str, str], models: Sequence[str]) -> object | None:
    """The answer to a GET of this path, as JSON; None where it is no list of models, nor a model of it.

    Three vendors have the path ``/v1/models``. Two are known by headers that only their SDKs send.
    """
    match path.removeprefix("/").split("/"):
        case ["v1", "models"] if "anthropic-version" in headers:
            listed = [_anthropic_model(name) for name in models]
            return {"data": listed, "has_more": False, "first_id": models[0], "last_id": models[-1]}
        case ["v1", "models", name] if "anthropic-version" in headers and name in models:
            return _anthropic_model(name)
        case [str(version), "models"] if version == "v1beta" or "x-goog-api-key" in headers:
            return {"models": [_gemini_model(name) for name in models]}
        case [str(version), "models", name] if version == "v1beta" or "x-goog-api-key" in headers:
            return _gemini_model(name) if name in models else None
        case ["v1", "models"]:
            return {"object": "list", "data": [_openai_model(name) for name in models]}
        case ["v1", "models", *parts] if "/".join(parts) in models:
            return _openai_model("/".join(parts))
        case ["api", "tags"]:
            return {
                "models": [{"name": name, "model": name, "modified_at": CREATED_TEXT, "size": 0} for name in models]
            }
        case ["api", "version"]:
            return {"version": "0.0.0"}
        case _:
            return None


def _openai_model(name: str) -> object:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "symposia"}


def _anthropic_model(name: str) -> object:
    return {"type": "model", "id": name, "display_name": name, "created_at": CREATED_TEXT}


def _gemini_model(name: str) -> object:
    return {"name": f"models/{name}", "displayName": name, "supportedGenerationMethods": ["generateContent"]}
