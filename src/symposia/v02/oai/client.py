"""Models of a configuration list, tried one after another: with a cache of answers, prices, and sums of usage."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from symposia.core.exceptions import InvalidArgumentError, ModelError
from symposia.v02 import runtime_logging
from symposia.v02._plain import run_plain
from symposia.v02._templates import Context, Template, instantiate
from symposia.v02._waiting import ASYNC, PLAIN, Waiting
from symposia.v02.cache import Cache
from symposia.v02.logger.logger_utils import get_current_ts
from symposia.v02.oai import _cached_answers, _settings
from symposia.v02.oai._cached_answers import LEGACY_CACHE_DIR, LEGACY_DEFAULT_CACHE_SEED
from symposia.v02.oai._entries import Entry, PlaceHolderClient
from symposia.v02.oai._errors import error_for_programs, is_filtered
from symposia.v02.oai._model_client import ModelClient, Response
from symposia.v02.oai._settings import Config
from symposia.v02.oai._usage import Summary, add_usage, print_summaries

__all__ = [
    "LEGACY_CACHE_DIR",
    "LEGACY_DEFAULT_CACHE_SEED",
    "OPEN_API_BASE_URL_PREFIX",
    "Cache",
    "ModelClient",
    "OpenAIWrapper",
    "PlaceHolderClient",
]

OPEN_API_BASE_URL_PREFIX: Final = "https://api.openai.com"
"""What the addresses of OpenAI's own service begin with."""

_logger = logging.getLogger(__name__)


class OpenAIWrapper:
    """Asks the first model of a list that answers.

    ::

        wrapper = OpenAIWrapper(config_list=[{"model": "gpt-4o"}, {"model": "gpt-4o-mini"}], api_key=key)
        response = wrapper.create(messages=[{"role": "user", "content": "Hello"}])
        print(wrapper.extract_text_or_completion_object(response))

    Args:
        config_list: The models, each a dictionary: ``model``, what its connection needs, and arguments of requests.
        **base_config: What all of them share.

    Raises:
        MissingExtraError: The SDK of a vendor is not installed.
        UsageError: The client of a vendor does not take the configuration; also `openai.OpenAIError`.
    """

    cache_path_root: str = LEGACY_CACHE_DIR
    extra_kwargs: ClassVar[frozenset[str]] = _settings.WRAPPER_KEYS

    def __init__(
        self, *, config_list: Sequence[Mapping[str, Any]] | None = None, **base_config: Any
    ) -> None:  # Any: see `Config`
        self.total_usage_summary: Summary | None = None
        self.actual_usage_summary: Summary | None = None
        self._entries = [Entry(each, base_config) for each in config_list or [{}]]
        if runtime_logging.logging_enabled():
            runtime_logging.log_new_wrapper(self, {"config_list": config_list, "base_config": base_config})
            for entry in self._entries:
                runtime_logging.log_new_client(entry.client, self, entry.config)

    def create(self, **config: Any) -> Response:
        """Ask the models, and wait in this thread.

        Args:
            **config: ``messages``, and what else the request has: ``tools``, ``context`` for templates, ``cache`` or
                ``cache_seed``, ``filter_func``, and arguments of OpenAI's API. What an entry of the list says wins.

        Returns:
            An OpenAI SDK's ``ChatCompletion``, or what a model client of the program answered, with the number of the
            entry (``config_id``), whether the filter let it pass (``pass_filter``), and its ``cost``.

        Raises:
            RuntimeError: A model client of the program is not registered.
            TimeoutError: The last model did not answer in time.
            openai.APIError: The last model did not answer.
            ModelError: The same, of a vendor that is not asked with OpenAI's SDK.
        """
        return run_plain(self._create(PLAIN, config))

    async def a_create(self, **config: Any) -> Response:
        """As `create`, in the running event loop. Model clients of the program run in worker threads."""
        return await self._create(ASYNC, config)

    async def _create(self, form: Waiting, config: Config) -> Response:
        self._check_registered()
        for number, entry in enumerate(self._entries):
            is_last = number == len(self._entries) - 1
            full = {**config, **entry.config}
            try:
                response = await self._ask(form, entry, full)
            except ModelError as error:
                if is_last or is_filtered(error):
                    raise error_for_programs(error, is_openai=entry.is_openai) from error
                _logger.debug("The model of entry %s of the configuration list failed.", number, exc_info=error)
                continue
            passes = full.get("filter_func") is None or full["filter_func"](
                context=full.get("context"), response=response
            )
            if passes or is_last:
                response.config_id = number
                response.pass_filter = bool(passes)
                return response
        raise AssertionError  # the last entry returns or raises

    async def _ask(self, form: Waiting, entry: Entry, full: Config) -> Response:
        is_format = full.get("allow_format_str_template", False)
        params = _settings.filled_in(_settings.request_of(full), full.get("context"), is_format=is_format)
        key, started = _cached_answers.key_of(params) if _cached_answers.is_cached(full) else None, get_current_ts()
        if key is not None:
            found = await form.in_thread(_cached_answers.read, full, key)
            if found is not None:
                self._count(entry.usage_of(found), is_cached=True)
                self._log(entry, full, params, found, started, is_cached=True)
                found.message_retrieval_function = entry.client.message_retrieval
                return found
        await entry.wait_for_its_turn(form)
        try:
            response = await entry.ask(form, params)
        except Exception as error:
            self._log(entry, full, params, f"{type(error).__name__}: {error}", started)
            raise
        response.cost = entry.cost_of(response)
        self._count(entry.usage_of(response), is_cached=False)
        self._log(entry, full, params, response, started)
        if key is not None:
            await form.in_thread(_cached_answers.write, full, key, response)
        response.message_retrieval_function = entry.client.message_retrieval
        return response

    def _count(self, usage: Mapping[str, Any], *, is_cached: bool) -> None:  # Any: see `Usage`
        self.total_usage_summary = add_usage(self.total_usage_summary, usage)
        if not is_cached:
            self.actual_usage_summary = add_usage(self.actual_usage_summary, usage)

    def _log(
        self, entry: Entry, full: Config, params: Config, response: Response, started: str, *, is_cached: bool = False
    ) -> None:
        if runtime_logging.logging_enabled():
            cost: float = getattr(response, "cost", None) or 0
            runtime_logging.log_chat_completion(
                uuid.uuid4(),
                id(entry.client),
                id(self),
                full.get("agent"),
                params,
                response,
                int(is_cached),
                cost,
                started,
            )

    def _check_registered(self) -> None:
        missing = [entry.client.name for entry in self._entries if isinstance(entry.client, PlaceHolderClient)]
        if missing:
            raise RuntimeError(
                f"Model client(s) {missing} are not activated. Register the classes with register_model_client, or "
                "leave their entries out of the config_list."
            )

    # Any: the class's constructor takes what it likes
    def register_model_client(self, model_client_cls: type[Any], **kwargs: Any) -> None:
        """Make a model client of the program the model of the next entry that names its class.

        Args:
            model_client_cls: The class, whose objects are `ModelClient`s. Its name is the entry's ``model_client_cls``,
                and it is made with the entry.
            **kwargs: Further arguments of its constructor.

        Raises:
            InvalidArgumentError: No entry names the class.
        """
        name = model_client_cls.__name__
        named = [entry for entry in self._entries if entry.config.get("model_client_cls") == name]
        if not named:
            raise InvalidArgumentError(
                f'Model client "{name}" is being registered but was not found in the config_list. Make sure that an '
                f'entry in the config_list has "model_client_cls": "{name}".'
            )
        for entry in named:
            if isinstance(entry.client, PlaceHolderClient):
                entry.client = model_client_cls(entry.client.config, **kwargs)
                return
        _logger.warning("Model client %s is already registered. Add entries to the config_list to use several.", name)

    @classmethod
    def instantiate(
        cls,
        template: Template,
        context: Context = None,
        allow_format_str_template: bool | None = False,
    ) -> Any:
        """A text made of a template: a function of the context, or, where that is allowed, a text for `str.format`."""
        return instantiate(template, context, is_format=allow_format_str_template)

    @classmethod
    def extract_text_or_completion_object(cls, response: Response) -> list[Any]:  # Any: texts, and messages
        """What an answer says: of each choice the text, or the message where that calls tools."""
        return list(response.message_retrieval_function(response))

    def print_usage_summary(self, mode: str | Sequence[str] = ("actual", "total")) -> None:
        """Print tokens and money by model.

        Args:
            mode: ``"actual"`` without answers from a cache, ``"total"`` with them, or both.

        Raises:
            InvalidArgumentError: The mode is none of these.
        """
        print_summaries(self.actual_usage_summary, self.total_usage_summary, mode)

    def clear_usage_summary(self) -> None:
        """Count anew."""
        self.total_usage_summary = self.actual_usage_summary = None
