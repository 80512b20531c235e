"""The options of `OllamaChatCompletionClient`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, Required

from pydantic import BaseModel
from typing_extensions import TypedDict

from symposia.core.models import ModelCapabilities, ModelInfo
from symposia.ext.models.ollama._request import MODEL_OPTIONS


class CreateArguments(TypedDict, total=False):
    """Arguments of every request; see Ollama's reference of its API. Its other arguments are taken as well.

    Attributes:
        model: The model's name, with its tag: ``llama3.2:1b``.
        host: The server's address. By default, that of the environment variable ``OLLAMA_HOST``, or this machine.
        response_format: The form of answers where `create` is given none: a model class for its schema, a JSON schema,
            or ``{"type": "json_object"}``.
        format: The same in Ollama's own words: ``json``, or a JSON schema.
        think: Whether the model thinks before it answers; some models take how much.
        keep_alive: How long the server keeps the model loaded after a request: seconds, or a text such as ``10m``.
        max_tokens: Most tokens of an answer: Ollama's option ``num_predict``.
        temperature: This option of the model, as other names of `options`, may stand beside them too.
    """

    model: Required[str]
    host: str | None
    response_format: Mapping[str, object] | type[BaseModel] | None
    format: Literal["", "json"] | Mapping[str, object]
    think: bool | Literal["low", "medium", "high"]
    keep_alive: float | str
    max_tokens: int
    temperature: float
    top_p: float
    top_k: int
    seed: int
    stop: str | Sequence[str]
    num_ctx: int


class BaseOllamaClientConfiguration(CreateArguments, total=False):
    """The options of `OllamaChatCompletionClient`.

    Attributes:
        api_key: For ollama.com, or a proxy. By default, that of the environment variable ``OLLAMA_API_KEY``.
        follow_redirects: Whether redirects are followed. By default they are.
        timeout: Seconds that a request may take. By default there is no limit: a large model may have to be loaded.
        headers: Sent with every request.
        model_info: The abilities of the model, in place of those that its name implies.
        model_capabilities: The former name of `model_info`.
        options: Options of the model, such as ``{"num_ctx": 16_384}``: a dictionary or the SDK's ``Options``.
    """

    api_key: str
    follow_redirects: bool
    timeout: float | None
    headers: Mapping[str, str] | None
    model_info: ModelInfo
    model_capabilities: ModelCapabilities
    options: Mapping[str, Any] | None  # Any: each option is of its own type


CONNECTION: Final = frozenset({"host", "api_key", "follow_redirects", "timeout", "headers"})
BEHAVIOUR: Final = frozenset({"model_info", "model_capabilities"})
ARGUMENTS: Final = (
    (frozenset(CreateArguments.__annotations__) - CONNECTION)
    | MODEL_OPTIONS
    | {"options", "tools", "logprobs", "top_logprobs", "extra_body", "extra_headers", "extra_query"}
)
BY_CALL: Final = frozenset({"self", "messages", "stream"})  # parameters of the SDK's method that a call decides
