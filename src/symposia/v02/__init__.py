"""The interface of AutoGen 0.2, which programs import as `autogen`: agents that send each other dictionaries."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.v02 import exception_utils, formatting_utils, io, types, version
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
            "exception_utils": [
                "AgentNameConflict",
                "InvalidCarryOverType",
                "NoEligibleSpeaker",
                "SenderRequired",
                "UndefinedNextAgent",
            ],
            "version": ["__version__"],
        },
        submodules=["exception_utils", "formatting_utils", "io", "types", "version"],
    )

__all__ = [
    "AgentNameConflict",
    "InvalidCarryOverType",
    "NoEligibleSpeaker",
    "SenderRequired",
    "UndefinedNextAgent",
    "__version__",
    "exception_utils",
    "formatting_utils",
    "io",
    "types",
    "version",
]
