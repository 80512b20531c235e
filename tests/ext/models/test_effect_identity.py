"""What of a vendor's client decides an answer, for recordings: without secrets."""

import json
from typing import Any

import pytest
from pydantic import BaseModel
from tests.support.model_clients import VENDORS, Vendor, kind_name

from symposia.core.exceptions import ModelError
from symposia.core.models import UserMessage
from symposia.testing.model_server import MockModelServer


class Sum(BaseModel):
    total: int


class Product(BaseModel):
    total: int


pytestmark = pytest.mark.parametrize("vendor", VENDORS, ids=kind_name)


async def test_the_identity_has_the_model_the_address_and_the_arguments(
    vendor: Vendor, server: MockModelServer
) -> None:
    identity: Any = vendor.client(server, max_tokens=50).effect_identity()
    assert identity["model"] == vendor.model
    assert identity["address"].rstrip("/") == vendor.address(server)
    assert identity["arguments"]["max_tokens"] == 50


async def test_clients_that_answer_alike_have_equal_identities(vendor: Vendor, server: MockModelServer) -> None:
    def identity(**options: Any) -> object:
        return vendor.client(server, **options).effect_identity()

    assert identity() == identity(timeout=5, **{vendor.secret: "another", vendor.headers: {"x-trace": "1"}})
    others: list[dict[str, Any]] = [
        {"max_tokens": 50},
        {"response_format": Sum},
        {"response_format": Product},
        {"extra_body": {"a": 1}},
        {"model": f"{vendor.model}-0"},
    ]
    assert len({json.dumps(identity(**options), sort_keys=True) for options in ({}, *others)}) == 1 + len(others)


async def test_the_identity_is_json_without_secrets(vendor: Vendor, server: MockModelServer) -> None:
    client = vendor.client(
        server,
        extra_headers={"x-key": "secret-3"},
        extra_query={"key": "secret-4"},
        **{vendor.secret: "secret-1", vendor.headers: {"x-key": "secret-2"}},
        **vendor.at(vendor.address(server).replace("//", "//user:secret-5@")),
    )
    assert "secret" not in json.dumps(client.effect_identity())
    with pytest.raises(ModelError) as caught:
        await client.create([UserMessage(content="hello", source="user")])
    assert "secret" not in str(caught.value)
