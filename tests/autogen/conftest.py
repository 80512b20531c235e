"""The import hook is installed for the tests here only: under it, components are saved by AutoGen's names."""

from collections.abc import Iterator

import pytest
from tests.support.model_clients import load_sdks

load_sdks()


@pytest.fixture(autouse=True)
def _installed() -> Iterator[None]:
    from symposia.autogen import install, uninstall  # noqa: PLC0415 - importing it installs the hook

    install()
    yield
    uninstall()
