"""The interface of OpenAI's SDK before its version 1, which is no more."""

from __future__ import annotations

from typing import Any, NoReturn

from symposia._autogen_names import PAGE_02

__all__ = ["ChatCompletion", "Completion"]


class Completion:
    """Was deprecated in AutoGen 0.2, and needs an SDK before its version 1. Each use says what there is instead."""

    @classmethod
    def create(cls, **config: Any) -> NoReturn:  # Any: was for the SDK
        """Raises `NotImplementedError`."""
        del config
        raise _gone(cls, "create")

    @classmethod
    def tune(cls, *args: Any, **config: Any) -> NoReturn:  # Any: was for the SDK
        """Raises `NotImplementedError`."""
        del args, config
        raise _gone(cls, "tune")


class ChatCompletion(Completion):
    """See `Completion`."""


def _gone(cls: type, method: str) -> NotImplementedError:
    name = f"autogen.{cls.__name__}.{method}"
    return NotImplementedError(f"{name} is of OpenAI's SDK before its version 1: use autogen.OpenAIWrapper. {PAGE_02}")
