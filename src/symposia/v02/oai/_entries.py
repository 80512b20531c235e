"""One entry of a configuration list: its model, its price, and how often it may be asked."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol, cast

from symposia.core.exceptions import InvalidArgumentError
from symposia.v02._waiting import Waiting
from symposia.v02.oai._model_client import Response
from symposia.v02.oai._settings import Config, without_connection
from symposia.v02.oai._vendor_model import VendorModel

_logger = logging.getLogger(__name__)
_without_price: Final[set[str]] = set()
"""The models of which it was said that they have no price."""


class _Client(Protocol):
    def create(self, params: dict[str, Any]) -> Response: ...
    def message_retrieval(self, response: Response) -> Sequence[Any]: ...
    def cost(self, response: Response) -> float | None: ...
    @staticmethod
    def get_usage(response: Response) -> Mapping[str, Any]: ...


class PlaceHolderClient:
    """Stands for a model client of the program until its class is registered."""

    def __init__(self, config: Mapping[str, Any]) -> None:  # Any: of the configuration
        self.config = config

    @property
    def name(self) -> str:
        """The name of the class."""
        return str(self.config["model_client_cls"])


class Entry:
    """A model, and what the wrapper knows of it.

    Args:
        own: The entry.
        shared: What all entries have, where they do not say otherwise.

    Attributes:
        config: Both, without the connection.
        client: The model.

    Raises:
        InvalidArgumentError: The price is not two numbers.
    """

    def __init__(self, own: Mapping[str, Any], shared: Mapping[str, Any]) -> None:  # Any: see `Config`
        config = {**shared, **own}
        self.config = without_connection(config)
        model = PlaceHolderClient(own) if "model_client_cls" in own else VendorModel(config)
        self.client = cast("_Client", model)  # an entry with a placeholder is not asked
        self._price = None if config.get("price") is None else _prices(config["price"])
        rate: float | None = config.get("api_rate_limit")
        self._interval = 1 / rate if rate else 0.0
        self._next_turn = 0.0

    @property
    def is_openai(self) -> bool:
        """Whether the model is asked in OpenAI's format."""
        return isinstance(self.client, VendorModel) and self.client.is_openai

    async def wait_for_its_turn(self, form: Waiting) -> None:
        """Wait until the model may be asked again, by ``api_rate_limit`` in requests a second."""
        if self._interval:
            now = time.monotonic()
            turn = max(now, self._next_turn)
            self._next_turn = turn + self._interval
            if turn > now:
                await form.sleep(turn - now)

    async def ask(self, form: Waiting, params: Config) -> Response:
        """Ask the model."""
        client = self.client
        if isinstance(client, VendorModel):
            return await form.run(lambda: client.answer(params))
        return await form.in_thread(client.create, params)

    def cost_of(self, response: Response) -> float:
        """US dollars for an answer: by the entry's ``price`` for 1,000 tokens, or by what the model says."""
        if self._price is not None:
            usage = response.usage
            prompt, completion = self._price
            return (usage.prompt_tokens * prompt + usage.completion_tokens * completion) / 1000
        cost = self.client.cost(response)
        if cost is None:
            model = str(response.model)
            if model not in _without_price:
                _without_price.add(model)
                _logger.warning(
                    "The price of model %s is not known, and its cost counts as 0. Add a price for 1,000 tokens to its "
                    'entry of the config_list: {"price": [prompt_price, completion_price]}.',
                    model,
                )
            return 0
        return cost

    def usage_of(self, response: Response) -> Mapping[str, Any]:  # Any: see `Usage`
        """The usage of an answer, as the model says."""
        return self.client.get_usage(response)


def _prices(price: float | Sequence[float]) -> tuple[float, float]:
    if isinstance(price, int | float):
        _logger.warning(
            "A price that is one number holds for prompts and answers. Give two: [prompt_price, completion_price]."
        )
        return price, price
    try:
        prompt, completion = price
    except (TypeError, ValueError):
        raise InvalidArgumentError(
            f"The price {price!r} of an entry is not two numbers: give [prompt_price, completion_price], in US dollars "
            "for 1,000 tokens."
        ) from None
    return prompt, completion
