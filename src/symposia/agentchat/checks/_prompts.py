"""The prompts of a team, each counted once."""

from __future__ import annotations

import sys
from typing import NamedTuple

from symposia.agentchat.base import ModelUse
from symposia.core.models import ChatCompletionClient, estimate_tokens


class Prompt(NamedTuple):
    """A prompt without the conversation.

    Attributes:
        model: The name of the model, or else of its client's class.
        tokens: The tokens of the system message and the tools, as the client counts them.
        room: The tokens that are left of the model's window; negative where they do not fit.
    """

    model: str
    tokens: int
    room: int


class Prompts:
    """Counts prompts, and keeps the counts: counting takes longer than everything else in a check."""

    def __init__(self) -> None:
        # The objects are kept with their entries, since the id of a collected object may be reused.
        self._prompts: dict[int, tuple[ModelUse, Prompt]] = {}
        self._models: dict[int, tuple[ChatCompletionClient, str, int]] = {}

    def of(self, use: ModelUse) -> Prompt:
        """The prompt of one use."""
        if id(use) not in self._prompts:
            _, model, window = self._model(use.client)
            tokens = _count(use)
            self._prompts[id(use)] = use, Prompt(model, tokens, window - tokens)
        return self._prompts[id(use)][1]

    def _model(self, client: ChatCompletionClient) -> tuple[ChatCompletionClient, str, int]:
        if id(client) not in self._models:
            name = str(client.effect_identity().get("model", type(client).__name__))
            self._models[id(client)] = client, name, _window(client)
        return self._models[id(client)]


# AutoGen allows clients that leave these two methods unimplemented.


def _count(use: ModelUse) -> int:
    try:
        return use.client.count_tokens(use.prompt, tools=use.tools)
    except NotImplementedError:
        return estimate_tokens(use.prompt, tools=use.tools)


def _window(client: ChatCompletionClient) -> int:
    try:
        return client.remaining_tokens(())
    except NotImplementedError:
        return sys.maxsize
