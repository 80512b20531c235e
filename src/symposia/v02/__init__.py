"""The interface of AutoGen 0.2, which programs import as `autogen`: agents that send each other dictionaries."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.v02 import (
        agentchat,
        code_utils,
        coding,
        exception_utils,
        formatting_utils,
        function_utils,
        io,
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
    from symposia.v02.code_utils import DEFAULT_MODEL, FAST_MODEL
    from symposia.v02.exception_utils import (
        AgentNameConflict,
        InvalidCarryOverType,
        NoEligibleSpeaker,
        SenderRequired,
        UndefinedNextAgent,
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
            "code_utils": ["DEFAULT_MODEL", "FAST_MODEL"],
            "exception_utils": [
                "AgentNameConflict",
                "InvalidCarryOverType",
                "NoEligibleSpeaker",
                "SenderRequired",
                "UndefinedNextAgent",
            ],
            "version": ["__version__"],
        },
        submodules=[
            "agentchat",
            "code_utils",
            "coding",
            "exception_utils",
            "formatting_utils",
            "function_utils",
            "io",
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
    "ChatResult",
    "ConversableAgent",
    "InvalidCarryOverType",
    "NoEligibleSpeaker",
    "SenderRequired",
    "UndefinedNextAgent",
    "UserProxyAgent",
    "__version__",
    "agentchat",
    "code_utils",
    "coding",
    "exception_utils",
    "formatting_utils",
    "function_utils",
    "gather_usage_summary",
    "initiate_chats",
    "io",
    "register_function",
    "types",
    "version",
]
