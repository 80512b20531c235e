"""The interface of AutoGen 0.2, which programs import as `autogen`: agents that send each other dictionaries."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.v02 import (
        agentchat,
        cache,
        code_utils,
        coding,
        exception_utils,
        formatting_utils,
        function_utils,
        io,
        oai,
        types,
        version,
    )
    from symposia.v02.agentchat import (
        Agent,
        AssistantAgent,
        ChatResult,
        ConversableAgent,
        UserProxyAgent,
        gather_usage_summary,
        initiate_chats,
        register_function,
    )
    from symposia.v02.cache import Cache
    from symposia.v02.code_utils import DEFAULT_MODEL, FAST_MODEL
    from symposia.v02.exception_utils import (
        AgentNameConflict,
        InvalidCarryOverType,
        NoEligibleSpeaker,
        SenderRequired,
        UndefinedNextAgent,
    )
    from symposia.v02.oai import (
        ChatCompletion,
        Completion,
        ModelClient,
        OpenAIWrapper,
        config_list_from_dotenv,
        config_list_from_json,
        config_list_from_models,
        config_list_gpt4_gpt35,
        config_list_openai_aoai,
        filter_config,
        get_config_list,
    )
    from symposia.v02.version import __version__
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "agentchat": [
                "Agent",
                "AssistantAgent",
                "ChatResult",
                "ConversableAgent",
                "UserProxyAgent",
                "gather_usage_summary",
                "initiate_chats",
                "register_function",
            ],
            "cache": ["Cache"],
            "code_utils": ["DEFAULT_MODEL", "FAST_MODEL"],
            "exception_utils": [
                "AgentNameConflict",
                "InvalidCarryOverType",
                "NoEligibleSpeaker",
                "SenderRequired",
                "UndefinedNextAgent",
            ],
            "oai": [
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
            ],
            "version": ["__version__"],
        },
        submodules=[
            "agentchat",
            "cache",
            "code_utils",
            "coding",
            "exception_utils",
            "formatting_utils",
            "function_utils",
            "io",
            "oai",
            "types",
            "version",
        ],
    )

__all__ = [
    "DEFAULT_MODEL",
    "FAST_MODEL",
    "Agent",
    "AgentNameConflict",
    "AssistantAgent",
    "Cache",
    "ChatCompletion",
    "ChatResult",
    "Completion",
    "ConversableAgent",
    "InvalidCarryOverType",
    "ModelClient",
    "NoEligibleSpeaker",
    "OpenAIWrapper",
    "SenderRequired",
    "UndefinedNextAgent",
    "UserProxyAgent",
    "__version__",
    "agentchat",
    "cache",
    "code_utils",
    "coding",
    "config_list_from_dotenv",
    "config_list_from_json",
    "config_list_from_models",
    "config_list_gpt4_gpt35",
    "config_list_openai_aoai",
    "exception_utils",
    "filter_config",
    "formatting_utils",
    "function_utils",
    "gather_usage_summary",
    "get_config_list",
    "initiate_chats",
    "io",
    "oai",
    "register_function",
    "types",
    "version",
]
