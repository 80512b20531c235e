"""The client of models that LiteLLM asks."""

from __future__ import annotations

from typing import Final, Unpack

from symposia.ext.models._client import VendorClient
from symposia.ext.models._options import ClientOptions
from symposia.ext.models._service import SDK_SCHEME, Service, public_address
from symposia.ext.models._wire_format import without_none
from symposia.ext.models.litellm._options import LiteLLMClientConfiguration, option_names, sent_options
from symposia.ext.models.litellm._profiles import CATALOG, vendor_of
from symposia.ext.models.litellm._transport import LiteLLMTransport
from symposia.ext.models.openai import ChatCompletionsFormat, MessageWriter, OpenAIProfile


class LiteLLMChatCompletionClient(VendorClient):
    """A client of the models of any vendor that LiteLLM knows, in this process: no proxy is needed.

    The options are those of `LiteLLMClientConfiguration`::

        client = LiteLLMChatCompletionClient(model="groq/openai/gpt-oss-120b", temperature=0)

    LiteLLM is imported in a thread, at the first request, which then takes seconds longer. Its telemetry and its
    look-ups in the network are off. Answers come as LiteLLM reads them: it takes broken ones for good where it can.

    Raises:
        MissingExtraError: LiteLLM is not installed.
        InvalidArgumentError: An option is unknown, or no model is named.
        ValueError: `model_info` lacks a field.
    """

    def __init__(self, **options: Unpack[LiteLLMClientConfiguration]) -> None:
        given = ClientOptions.read(self, options, sdk="litellm", names=lambda: option_names(options))
        model, behaviour = given.model, dict(given.behaviour)
        add_name_prefixes = behaviour.pop("add_name_prefixes", False)
        include_name_in_message = behaviour.pop("include_name_in_message", False)
        profile, info = CATALOG.describe(model, stacklevel=2, **behaviour)
        sent = sent_options(given.connection)
        arguments = without_none(given.arguments)
        service = _service(str(arguments.get("custom_llm_provider", model)), sent.get("api_base"))
        writer = MessageWriter(
            model=model,
            vision=info["vision"],
            add_name_prefixes=add_name_prefixes,
            include_name_in_message=include_name_in_message,
            blocks=f"litellm {service.address}",
        )
        super().__init__(
            service=service,
            model=model,
            model_info=info,
            context=profile.context,
            price=CATALOG.price(model),
            wire=ChatCompletionsFormat(writer, arguments, _PROFILE),
            transport=LiteLLMTransport(sent),
            arguments=given.arguments,
        )


_PROFILE: Final = OpenAIProfile(family="unknown", context=0, max_output=0)
"""LiteLLM itself knows what of OpenAI's format a model does not take."""


def _service(name: str, address: object) -> Service:
    """The service behind LiteLLM, by its vendor. A vendor without a client here has its key in ``VENDOR_API_KEY``."""
    vendor, provider = vendor_of(name), name.partition("/")[0]
    key = f"{provider.upper()}_API_KEY" if vendor is None else vendor.key
    if isinstance(address, str):
        shown = public_address(address)
        return Service(name=f"the server at {shown}", provider=provider, key=key, address=shown)
    return Service(
        name=f"{provider} (by LiteLLM)", provider=provider, key=key, address=f"{SDK_SCHEME}:litellm/{provider}"
    )
