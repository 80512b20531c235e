"""Models of AutoGen 0.2: configuration lists, and the wrapper that asks their models."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.v02.oai.client import Cache, ModelClient, OpenAIWrapper
    from symposia.v02.oai.completion import ChatCompletion, Completion
    from symposia.v02.oai.openai_utils import (
        config_list_from_dotenv,
        config_list_from_json,
        config_list_from_models,
        config_list_gpt4_gpt35,
        config_list_openai_aoai,
        filter_config,
        get_config_list,
    )
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "client": ["Cache", "ModelClient", "OpenAIWrapper"],
            "completion": ["ChatCompletion", "Completion"],
            "openai_utils": [
                "config_list_from_dotenv",
                "config_list_from_json",
                "config_list_from_models",
                "config_list_gpt4_gpt35",
                "config_list_openai_aoai",
                "filter_config",
                "get_config_list",
            ],
        },
    )

__all__ = [
    "Cache",
    "ChatCompletion",
    "Completion",
    "ModelClient",
    "OpenAIWrapper",
    "config_list_from_dotenv",
    "config_list_from_json",
    "config_list_from_models",
    "config_list_gpt4_gpt35",
    "config_list_openai_aoai",
    "filter_config",
    "get_config_list",
]
