"""The interface of AutoGen 0.2, which programs import as `autogen`: agents that send each other dictionaries."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.v02 import version
    from symposia.v02.version import __version__
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {"version": ["__version__"]},
        submodules=["version"],
    )

__all__ = ["__version__", "version"]
