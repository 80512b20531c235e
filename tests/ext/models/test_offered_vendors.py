"""Vendors that other distributions offer by entry points, in a fresh Python where such a distribution is installed."""

from pathlib import Path

import pytest
from tests.support.distribution import Distribution

VENDORS = """
from symposia.ext.models.openai import compatible_vendor

def vendor(name, models, key, title="Offered"):
    return compatible_vendor(
        name=name, title=title, base_url="http://127.0.0.1:2/v1", key=key, models=models, default_model=f"{models}1",
        profiles={},
    )

ACME = vendor("acme", "anvil-", "ACME_API_KEY")
MINE = vendor("mine", "my-", "OPENAI_API_KEY")
IMPOSTOR = vendor("openai", "gpt-", "OPENAI_API_KEY")
NOT_A_VENDOR = "a text"

def __getattr__(name):
    if name == "MISSPELT":
        return vendor("misspelt", "(", None)
    raise ImportError("no such dependency")
"""
KEYS = {"OPENAI_API_KEY": "openai's", "ACME_API_KEY": "acme's", "OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}
# Nothing listens at the ports 1 and 2; the error of a failed connection names the address.
ASK = """
import asyncio, warnings
from symposia.core.models import UserMessage
from symposia.ext.models.openai import OpenAIChatCompletionClient

def ask(client):
    try:
        asyncio.run(client.create([UserMessage(content="hello", source="user")]))
    except Exception as error:
        print("asks", str(error).rpartition("server runs at ")[2].partition(", on")[0])

warnings.filterwarnings("ignore", ".*model")  # that it is unknown
"""


def offering(folder: Path, **entries: str) -> Distribution:
    return Distribution(folder, "offered", VENDORS, {"symposia.model_vendors": entries})


@pytest.mark.parametrize(
    "before",
    [
        "",
        "from symposia.ext.models.vendors import model_vendors; model_vendors()",
        "from symposia.ext.models.vendors import find_vendor; find_vendor('gpt-4o')",
    ],
    ids=["at once", "after a search", "after another model"],
)
def test_a_constructor_call_goes_to_the_same_server_whatever_ran_before(before: str, tmp_path: Path) -> None:
    program = f"""
{ASK}
{before}
for model in ("anvil-1", "my-local"):
    ask(OpenAIChatCompletionClient(model=model, max_retries=0))
"""
    distribution = offering(tmp_path, acme="ACME", mine="MINE")
    assert distribution.printed(program, KEYS) == ["asks http://127.0.0.1:1/v1/"] * 2


def test_an_offered_vendor_is_asked_by_its_client_and_at_its_address(tmp_path: Path) -> None:
    program = f"""
{ASK}
from symposia.ext.models.vendors import find_vendor
ask(OpenAIChatCompletionClient(model="anvil-1", base_url="http://127.0.0.1:2/v1", max_retries=0))
vendor, model = find_vendor("anvil-1")
ask(vendor.make_client(model, max_retries=0))
"""
    without_openais_key = {"ACME_API_KEY": "acme's", "OPENAI_API_KEY": ""}
    lines = offering(tmp_path, acme="ACME").printed(program, without_openais_key)
    assert lines == ["asks http://127.0.0.1:2/v1/"] * 2


def test_a_broken_offer_is_named_once_and_breaks_no_other(tmp_path: Path) -> None:
    program = """
import warnings
from symposia.ext.models.vendors import find_vendor
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    print(find_vendor("gpt-4o")[0].title, find_vendor("gpt-4o")[0].title, find_vendor("anvil-1")[0].title)
for warning in caught:
    print(warning.message)
"""
    distribution = offering(
        tmp_path, acme="ACME", lost="LOST", misspelt="MISSPELT", taken="IMPOSTOR", text="NOT_A_VENDOR", twice="ACME"
    )
    ignored = "It is ignored: update or uninstall the distribution offered."
    misspelt = (
        "InvalidArgumentError: The models of the vendor 'misspelt' are not a regular expression: '('. Give one, such "
        "as 'acme-.*'."
    )
    assert distribution.printed(program, KEYS) == [
        "OpenAI OpenAI Offered",
        f"The model vendor lost (offered:LOST) cannot be loaded: ImportError: no such dependency. {ignored}",
        f"The model vendor misspelt (offered:MISSPELT) cannot be loaded: {misspelt} {ignored}",
        f"The model vendor taken (offered:IMPOSTOR) has the name 'openai', which is taken. {ignored}",
        f"The model vendor text (offered:NOT_A_VENDOR) is not a ModelVendor: 'a text'. {ignored}",
        f"The model vendor twice (offered:ACME) has the name 'acme', which is taken. {ignored}",
    ]


def test_an_offered_module_that_exits_does_not_end_the_program(tmp_path: Path) -> None:
    program = """
import warnings
from symposia.ext.models.vendors import find_vendor
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    print(find_vendor("gpt-4o")[0].title)
print(caught[0].message)
"""
    script = Distribution(tmp_path, "script", "raise SystemExit(2)", {"symposia.model_vendors": {"acme": "ACME"}})
    title, warning = script.printed(program)
    assert title == "OpenAI"
    assert warning.startswith("The model vendor acme (script:ACME) cannot be loaded: SystemExit: 2. It is ignored")


@pytest.mark.parametrize("search", ["", "model_vendors()"], ids=["before a search", "after a search"])
def test_a_registered_vendor_wins_over_an_offered_one_until_it_is_unregistered(search: str, tmp_path: Path) -> None:
    program = f"""
from symposia.core.exceptions import RegistrationError
from symposia.ext.models.openai import compatible_vendor
from symposia.ext.models.vendors import find_vendor, model_vendors, register_vendor, unregister_vendor
{search}
register_vendor(compatible_vendor(
    name="acme", title="Registered", base_url="http://127.0.0.1:3", key=None, models="anvil-", default_model="anvil-1",
    profiles={{}},
))
print(find_vendor("acme/x")[0].title, find_vendor("anvil-1")[0].title)
unregister_vendor("acme")
print(find_vendor("acme/x")[0].title)
try:
    unregister_vendor("acme")
except RegistrationError as error:
    print(error)
print(find_vendor("acme/x")[0].title)
"""
    assert offering(tmp_path, acme="ACME").printed(program) == [
        "Registered Registered",
        "Offered",
        "No model vendor named 'acme' was registered. Registered are: none.",
        "Offered",
    ]
