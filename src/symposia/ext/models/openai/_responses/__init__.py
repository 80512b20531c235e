"""OpenAI's Responses API: requests, answers and streams."""

from symposia.ext.models.openai._responses._answer import VENDOR
from symposia.ext.models.openai._responses._continuation import ContinuingTransport
from symposia.ext.models.openai._responses._request import ItemWriter, ResponsesFormat, adapt_response_arguments

__all__ = ["VENDOR", "ContinuingTransport", "ItemWriter", "ResponsesFormat", "adapt_response_arguments"]
