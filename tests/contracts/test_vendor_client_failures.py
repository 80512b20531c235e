"""What the vendors' clients say when something is wrong: with how they are made, or with the vendor."""

import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
from tests.support.model_clients import OPENAI, VENDORS, Vendor, kind_name, read

from symposia.core.exceptions import InvalidArgumentError, ModelError, ModelResponseError, UsageError
from symposia.core.models import ChatCompletionClient, UserMessage
from symposia.testing.model_server import Failure, MockModelServer, Reply

HELLO = [UserMessage(content="hello", source="user")]


async def failure_of(client: ChatCompletionClient, *, streaming: bool) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await (read(client.create_stream(HELLO)) if streaming else client.create(HELLO))
    return caught.value


every_vendor = pytest.mark.parametrize("vendor", VENDORS, ids=kind_name)


def of_those_that(trait: str) -> pytest.MarkDecorator:
    """For the vendors with a trait, which is an attribute of `Vendor`."""
    return pytest.mark.parametrize("vendor", [one for one in VENDORS if getattr(one, trait)], ids=kind_name)


@pytest.fixture
async def server() -> AsyncIterator[MockModelServer]:
    async with MockModelServer() as server:
        yield server


@every_vendor
@pytest.mark.parametrize(
    ("status", "happened", "advice"),
    [
        (400, "refused the request", "Sending it again as it is does not help."),
        (401, "refused the API key", "Check the key in the environment variable {key}, or the key that"),
        (403, "refused access", "Check what the API key may use, and the account's permissions and billing."),
        (404, "found no such model or address", "Check the model's name and the address, {address}"),
        (429, "refused the request because of a limit", "wait, or send fewer requests at once."),
        (500, "failed to answer", "The service failed or is overloaded: try again later."),
        (529, "failed to answer", "The service failed or is overloaded: try again later."),
    ],
)
@pytest.mark.parametrize("streaming", [False, True])
async def test_n11_an_error_of_the_vendor_says_what_happened_and_what_to_do(
    vendor: Vendor, server: MockModelServer, status: int, happened: str, advice: str, streaming: bool
) -> None:
    client = vendor.client(server)
    happened, advice = vendor.refusals.get(status, (happened, advice))
    server.script(Failure(status=status, message="no such luck"))
    error = await failure_of(client, streaming=streaming)
    text = str(error)
    address = vendor.address(server)
    beginning = f"The server at {address} {happened} for model '{vendor.model}' (status {status}): no such luck. "
    assert text.startswith(beginning)
    assert advice.format(key=vendor.key, address=address) in text
    assert not any(option in text for option in ("max_retries", "base_url", "api_key", "did not answer"))
    assert (error.status, "no such luck" in error.response_start) == (status, True)
    assert getattr(getattr(error.__cause__, "response", None), "status_code", None) == status


@every_vendor
async def test_errors_name_the_vendor_at_its_own_address(vendor: Vendor, server: MockModelServer) -> None:
    async with MockModelServer() as elsewhere:  # where nothing can be sent
        url = vendor.address(elsewhere)
    client = vendor.client(server, **vendor.at(url))
    with pytest.raises(ModelError, match=f"The connection to the server at {url} failed for model"):
        await client.create(HELLO)


@every_vendor
async def test_a_wrong_key_names_the_variable_that_holds_it(vendor: Vendor, server: MockModelServer) -> None:
    client = vendor.client(server)
    server.script(Failure(status=401))
    with pytest.raises(ModelError, match=vendor.key):
        await client.create(HELLO)


@of_those_that("retries")
async def test_a_rate_limit_is_waited_out(vendor: Vendor, server: MockModelServer) -> None:
    client = vendor.client(server, max_retries=1)
    server.script(Failure(status=429, headers={"retry-after-ms": "1"}), Reply(text="hi"))
    assert (await client.create(HELLO)).content == "hi"
    assert len(server.requests) == 2


@every_vendor
async def test_a_stream_that_is_cut_is_an_error_after_the_pieces_that_came(
    vendor: Vendor, server: MockModelServer
) -> None:
    client = vendor.client(server, Reply(text="one two three four five six", cut_after=5))
    stream = client.create_stream(HELLO)
    assert await anext(stream) == "one"
    with pytest.raises(ModelError, match=r"The connection to the server at .* was lost in the middle of an answer"):
        await read(stream)


@every_vendor
async def test_a_whole_answer_that_is_cut_is_told_as_one(vendor: Vendor, server: MockModelServer) -> None:
    client = vendor.client(server, *[Reply(text="one two three four five six", cut_after=1)] * 3)
    lost = (
        rf"The connection to the server at .* was lost in the middle of an answer of model '{vendor.model}' .* again\.$"
    )
    with pytest.raises(ModelResponseError, match=lost) as caught:
        await client.create(HELLO)
    assert caught.value.is_transient


@every_vendor
async def test_a_server_that_is_not_there_is_an_error(vendor: Vendor) -> None:
    async with MockModelServer() as server:
        client = vendor.client(server)
    with pytest.raises(ModelError, match="Check that a server runs at http"):
        await client.create(HELLO)


@of_those_that("needs_key")  # one without is on this machine, and its address may be a name alone
@pytest.mark.parametrize("address", ["", "localhost:8000/v1", "models.example/v1"])
async def test_an_address_without_a_scheme_is_named_as_the_cause(
    vendor: Vendor, server: MockModelServer, address: str
) -> None:
    client = vendor.client(server, **vendor.at(address))
    with pytest.raises(
        ModelError, match=r"The connection to the server at \S+ failed .*must begin with https://"
    ) as error:
        await client.create(HELLO)
    assert f"The address, '{address}" in str(error.value)


@every_vendor
async def test_an_answer_in_another_format_is_an_error(vendor: Vendor, server: MockModelServer) -> None:
    client = vendor.client(server)
    client = vendor.client(server, **vendor.at(f"{vendor.address(server)}/elsewhere"))
    with pytest.raises(ModelError, match=r"found no such model or address .*status 404"):
        await client.create(HELLO)


async def test_an_address_without_the_path_of_openais_format_is_told(server: MockModelServer) -> None:
    client = OPENAI.client(server, base_url=server.url)
    with pytest.raises(ModelError, match=r"which may lack its path, as in http://localhost:8000/v1\.$"):
        await client.create(HELLO)


@of_those_that("needs_key")
async def test_a_missing_key_fails_at_construction_and_names_the_variable(vendor: Vendor) -> None:
    with pytest.raises(UsageError, match=f"set the environment variable {vendor.key}"):
        vendor.client_class(model=vendor.model)  # pyright: ignore[reportCallIssue] - the base class takes nothing


@of_those_that("has_key")
async def test_the_key_of_the_environment_is_used(
    vendor: Vendor, server: MockModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(vendor.key, "from-the-environment")
    client = vendor.client(server, Reply(text="hi"), **{vendor.secret: None})
    await client.create(HELLO)
    assert "from-the-environment" in str(server.requests[0].headers)


@every_vendor
def test_a_missing_sdk_fails_at_construction_and_names_the_extra(vendor: Vendor) -> None:
    module, sdk = vendor.module
    program = f"""
import sys
sys.modules["{sdk}"] = None
from symposia.ext.models.{module} import {vendor.client_class.__name__} as client
try:
    client(model="{vendor.model}")
except ImportError as error:
    print(type(error).__name__, error)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("MissingExtraError")
    assert f"pip install 'symposia[{vendor.extra}]'" in ran.stdout


@every_vendor
async def test_an_unknown_option_fails_at_construction_with_the_nearest_name(
    vendor: Vendor, server: MockModelServer
) -> None:
    with pytest.raises(InvalidArgumentError, match=r"no option 'temprature'\. Did you mean 'temperature'"):
        vendor.client(server, temprature=0)


@every_vendor
async def test_an_argument_of_the_vendors_that_has_no_name_here_is_taken(
    vendor: Vendor, server: MockModelServer
) -> None:
    argument = vendor.own_argument
    client = vendor.client(server, Reply(text="hi"), **{argument: True})
    await client.create(HELLO)
    assert server.last_body[argument] is True


@every_vendor
@pytest.mark.parametrize("model", ["", " ", None, 3])
async def test_a_client_without_a_model_fails_at_construction(
    vendor: Vendor, server: MockModelServer, model: object
) -> None:
    with pytest.raises(InvalidArgumentError, match="needs the name of a model"):
        vendor.client(server, model=model)


@every_vendor
def test_a_missing_model_is_named_before_a_missing_key(vendor: Vendor) -> None:
    with pytest.raises(InvalidArgumentError, match="needs the name of a model"):
        vendor.client_class()


@every_vendor
async def test_a_model_info_that_lacks_a_field_fails_at_construction(vendor: Vendor, server: MockModelServer) -> None:
    with pytest.raises(ValueError, match="function_calling"):
        vendor.client(server, model_info={"vision": True})
