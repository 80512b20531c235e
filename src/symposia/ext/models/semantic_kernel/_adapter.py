"""A model client on any chat connector of Semantic Kernel."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any, Final, TypeAlias, cast

from typing_extensions import override

from symposia.core.exceptions import InvalidArgumentError, MissingExtraError
from symposia.core.models import ModelFamily, ModelInfo, validate_model_info
from symposia.ext.models._client import VendorClient
from symposia.ext.models._options import is_installed
from symposia.ext.models._service import SDK_SCHEME, Service, response_of
from symposia.ext.models._transport import EventStream, Response
from symposia.ext.models._wire_format import Body, ChatRequest
from symposia.ext.models.openai import ChatCompletionsFormat, MessageWriter, OpenAIProfile
from symposia.ext.models.semantic_kernel._contents import chat_history, chunk, completion, function_choice, with_tools

SKObject: TypeAlias = Any  # Any: of a library that is in an environment of its own

CONTEXT: Final = 32_768
OWN: Final = ("kernel", "prompt_settings")
"""Objects of Semantic Kernel in `extra_create_args`, as AutoGen has them."""
UNABLE: Final = ModelInfo(
    vision=False, function_calling=False, json_output=False, family=ModelFamily.UNKNOWN, structured_output=False
)


class SKChatCompletionAdapter(VendorClient):
    """A client of a model that a chat connector of Semantic Kernel asks.

    ::

        adapter = SKChatCompletionAdapter(AnthropicChatCompletion(ai_model_id="claude-sonnet-5-5"), kernel=Kernel())

    Tools are shown to the model as functions of a plugin ``tools`` in a copy of the kernel; the agent calls them. The
    connector's own errors, retries and telemetry are Semantic Kernel's.

    Args:
        sk_client: The connector.
        kernel: The kernel. It may also be given with a request, in ``extra_create_args={"kernel": …}``; by default an
            empty one.
        prompt_settings: The settings of every request, of the connector's class. Those of one request are given in
            ``extra_create_args={"prompt_settings": …}``.
        model_info: The abilities of the model; by default text alone.
        service_id: The name of the service in the kernel's settings.

    Raises:
        MissingExtraError: Semantic Kernel is not installed.
        ValueError: `model_info` lacks a field.
    """

    def __init__(
        self,
        sk_client: SKObject,
        kernel: SKObject | None = None,
        prompt_settings: SKObject | None = None,
        model_info: ModelInfo | None = None,
        service_id: str | None = None,
    ) -> None:
        if not is_installed("semantic_kernel"):
            raise MissingExtraError(type(self).__name__, "semantic-kernel")
        connector = sk_client
        info = UNABLE if model_info is None else model_info
        validate_model_info(info)
        self._own: dict[str, object] = {"kernel": kernel, "prompt_settings": prompt_settings}
        model = str(connector.ai_model_id)
        writer = MessageWriter(
            model=model,
            vision=info["vision"],
            add_name_prefixes=False,
            include_name_in_message=False,
            blocks="semantic_kernel",
        )
        profile = OpenAIProfile(family=ModelFamily.UNKNOWN, context=CONTEXT, max_output=CONTEXT)
        name = type(connector).__name__
        super().__init__(
            service=Service(name=name, provider="semantic_kernel", key=None, address=f"{SDK_SCHEME}:semantic_kernel"),
            model=model,
            model_info=info,
            context=CONTEXT,
            wire=ChatCompletionsFormat(writer, {"model": model}, profile),
            transport=ConnectorTransport(connector, service_id),
            arguments={"connector": name},
        )

    @override
    def _body(self, request: ChatRequest, *, stream: bool) -> Body:
        # The kernel and the settings are objects, which are no JSON; they go beside the request to the transport.
        extra = dict(request.extra_create_args)
        own = {name: extra.pop(name, None) or self._own[name] for name in OWN}
        return {**super()._body(replace(request, extra_create_args=extra), stream=stream), **own}


class ConnectorError(Exception):
    """The connector raised an error.

    Attributes:
        response: The response that it is about; None if there is none.
        body: The error in the vendor's words, where its SDK parsed it.
    """

    def __init__(self, error: BaseException) -> None:
        super().__init__(str(error))
        cause = _cause(error)
        self.response: object = getattr(cause, "response", None)
        self.body: object = getattr(cause, "body", None)


def _cause(error: BaseException) -> BaseException:
    """The error of the vendor's SDK, which Semantic Kernel keeps as the cause of its own, or among its arguments."""
    for one in (error, error.__cause__, *error.args):
        if isinstance(one, Exception) and response_of(one)[0] is not None:
            return one
    return error


class ConnectorTransport:
    """Sends requests by a connector; see `Transport`.

    Args:
        connector: The connector.
        service_id: The name of the service in the settings.
    """

    errors: tuple[type[Exception], ...] = (ConnectorError,)

    def __init__(self, connector: Any, service_id: str | None) -> None:  # Any: see `SKChatCompletionAdapter`
        self._connector = connector
        self._service_id = service_id

    async def send(self, body: Body, /) -> Response:
        """See `Transport.send`."""
        history, settings, kernel = self._asked(body)
        try:
            contents = await self._connector.get_chat_message_contents(history, settings, kernel=kernel)
        except Exception as error:  # noqa: BLE001 - every connector has its own
            raise ConnectorError(error) from _cause(error)
        if not contents:
            return Response(body=b"")
        return Response(body=json.dumps(completion(contents[0])).encode())

    async def open(self, body: Body, /) -> EventStream:
        """See `Transport.open`."""
        history, settings, kernel = self._asked(body)
        stream = _PieceStream(self._connector.get_streaming_chat_message_contents(history, settings, kernel=kernel))
        await stream.begin()
        return stream

    def _asked(self, body: Body) -> tuple[object, object, object]:
        """The history, the settings and the kernel of a request."""
        rest = {name: body[name] for name in body if name not in {"messages", "model", "stream", "stream_options"}}
        kernel: Any = rest.pop("kernel", None) or import_module("semantic_kernel").Kernel()
        settings = self._settings(rest.pop("prompt_settings", None))
        tools = cast("Sequence[Mapping[str, Any]]", rest.pop("tools", None) or ())
        choice = rest.pop("tool_choice", None)
        if tools:
            kernel = with_tools(kernel, tools)
            settings.function_choice_behavior = function_choice(choice)
        for name, value in rest.items():
            if not hasattr(settings, name):
                raise InvalidArgumentError(
                    f"{type(settings).__name__}, the settings of {type(self._connector).__name__}, has no {name!r}: "
                    "leave it out of extra_create_args."
                )
            setattr(settings, name, value)
        return chat_history(cast("Sequence[Mapping[str, Any]]", body["messages"])), settings, kernel

    def _settings(self, given: object) -> Any:
        """The settings of one request, of the connector's class, which are this request's own."""
        made = copy.deepcopy(given)
        if made is None:
            return self._connector.instantiate_prompt_execution_settings(service_id=self._service_id)
        wanted = self._connector.get_prompt_execution_settings_class()
        return made if isinstance(made, wanted) else self._connector.get_prompt_execution_settings_from_settings(made)

    async def close(self) -> None:
        """See `Transport.close`. The connector is the caller's."""


class _PieceStream:
    """The pieces of a connector's answer as chunks, with OpenAI's end marker after them."""

    def __init__(self, pieces: AsyncIterator[Sequence[Any]]) -> None:
        self.response = Response(body=b"")
        self._pieces = pieces
        self._first: Sequence[Any] | None = None
        self._ended = False

    async def begin(self) -> None:
        """Wait for the first piece: the connector sends the request, and finds it refused, when it is asked for one."""
        self._first = await self._next()

    async def _next(self) -> Sequence[Any] | None:
        try:
            return await anext(self._pieces, None)
        except Exception as error:  # noqa: BLE001 - every connector has its own
            raise ConnectorError(error) from _cause(error)

    async def read(self) -> Sequence[bytes]:
        if self._ended:
            return ()
        contents, self._first = self._first or await self._next(), None
        self.response.events += 1
        if contents is None:
            self._ended = True
            return (b"[DONE]",)
        return [json.dumps(chunk(content)).encode() for content in contents[:1]]

    async def finish(self) -> None:
        """Nothing is left: the end was read."""

    async def close(self) -> None:
        await cast("Any", self._pieces).aclose()
