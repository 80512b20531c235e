"""The interface of AutoGen 0.2, which programs import as `autogen`: agents that send each other dictionaries."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.v02 import (
        code_utils,
        coding,
        exception_utils,
        formatting_utils,
        io,
        types,
        version,
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
            "code_utils",
            "coding",
            "exception_utils",
            "formatting_utils",
            "io",
            "types",
            "version",
        ],
    )

__all__ = [
    "DEFAULT_MODEL",
    "FAST_MODEL",
    "AgentNameConflict",
    "InvalidCarryOverType",
    "NoEligibleSpeaker",
    "SenderRequired",
    "UndefinedNextAgent",
    "__version__",
    "code_utils",
    "coding",
    "exception_utils",
    "formatting_utils",
    "io",
    "types",
    "version",
]
