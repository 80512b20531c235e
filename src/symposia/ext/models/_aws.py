"""Amazon Web Services: credentials and region as AWS's own tools find them, and the names of Bedrock's models.

Nothing here blocks an event loop. botocore reads files, runs programs and asks the metadata service at 169.254.169.254
for credentials, and again whenever temporary ones have to be renewed, so it does that in a worker thread.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final, NamedTuple

from symposia._lazy import is_installed
from symposia.core.exceptions import CredentialsError, UsageError
from symposia.ext.models._credentials import SharedCall
from symposia.ext.models._options import check_installed

ACCESS_KEY: Final = "AWS_ACCESS_KEY_ID"
BEARER_KEY: Final = "AWS_BEARER_TOKEN_BEDROCK"
"""The environment variable with an API key of Bedrock's, which needs no signature."""
REGIONS: Final = ("AWS_REGION", "AWS_DEFAULT_REGION")
HOST: Final = "amazonaws.com"
PROVIDER: Final = "aws.bedrock"
"""As OpenTelemetry's conventions for generative AI call it."""

SEARCH_SECONDS: Final = 20.0
"""How long the search for credentials may take. botocore waits two seconds for the metadata service; a program that
gives credentials (``credential_process``) may be slow, and one that asks a person never ends."""

_ADVICE: Final = (
    f"Set {ACCESS_KEY} and AWS_SECRET_ACCESS_KEY, name a profile of ~/.aws in AWS_PROFILE, or set {BEARER_KEY} to an "
    "API key of Bedrock's."
)


LOGIN: Final = (
    "A request has the credentials that the client was given, or else those that AWS's tools find: an API key in the "
    f"environment variable {BEARER_KEY}, keys in {ACCESS_KEY}, the profile of ~/.aws in AWS_PROFILE, or those of the "
    "machine. Renew them, as by `aws sso login`. The account needs the permission bedrock:InvokeModel, and access to "
    "the model in this region."
)


class AwsKeys(NamedTuple):
    """Credentials, as requests are signed with them."""

    access_key: str
    secret_key: str
    session_token: str | None


class AwsCredentials:
    """The credentials of the environment, of ``~/.aws``, or of the machine.

    Args:
        profile: The profile of ``~/.aws``; by default that of ``AWS_PROFILE``, or ``default``.
    """

    def __init__(self, profile: str | None = None) -> None:
        self._profile = profile
        self._found: Any = None  # Any: botocore has no types
        self._keys = SharedCall(self._find)

    async def keys(self) -> AwsKeys:
        """The credentials of now; temporary ones are renewed.

        Raises:
            CredentialsError: There are none, or the search failed or took too long.
        """
        if self._found is not None and not hasattr(self._found, "refresh_needed"):
            return self._frozen()
        try:
            async with asyncio.timeout(SEARCH_SECONDS):
                return await self._keys()
        except TimeoutError as error:
            text = f"The search for AWS credentials took longer than {SEARCH_SECONDS:g} seconds. {_ADVICE}"
            raise CredentialsError(text) from error
        except UsageError:
            raise
        # Expired credentials are a RuntimeError, a missing program of a profile an OSError, its output a ValueError.
        except Exception as error:
            words = str(error).rstrip(".") or type(error).__name__
            raise CredentialsError(f"The AWS credentials cannot be used: {words}. {_ADVICE}") from error

    def _find(self) -> AwsKeys:
        if self._found is None:
            self._found = _session(self._profile).get_credentials()
        if self._found is None:
            raise CredentialsError(f"There are no AWS credentials. {_ADVICE}")
        return self._frozen()

    def _frozen(self) -> AwsKeys:
        frozen = self._found.get_frozen_credentials()
        return AwsKeys(frozen.access_key, frozen.secret_key, frozen.token)


def find_region(profile: str | None) -> str | None:
    """The region that the environment names, or else the profile in ``~/.aws/config``; None if neither does.

    Raises:
        UsageError: There is no such profile, or its file cannot be read.
    """
    for name in REGIONS:
        if region := os.environ.get(name):
            return region
    if not is_installed("botocore"):
        return None
    try:
        return _session(profile).get_config_variable("region")
    except _botocore_error() as error:  # there is no such profile
        raise UsageError(f"The AWS region cannot be found: {error}. Set AWS_REGION, or give the region.") from error


def load_signer(client: str, extra: str) -> None:
    """Import what signs requests, which takes a third of a second, before an event loop waits for it.

    Raises:
        MissingExtraError: It is not installed.
    """
    check_installed("boto3", f"{client} without an API key", extra)
    import_module("boto3")


def _session(profile: str | None) -> Any:  # Any: botocore has no types
    return import_module("botocore.session").Session(profile=profile)


def _botocore_error() -> type[Exception]:
    return import_module("botocore.exceptions").BotoCoreError


# Names of models -----------------------------------------------------------------------------------------------------

_PLACE: Final = re.compile(r"(?P<place>us|us-gov|us-fed|eu|apac|jp|au|ca|in|sa|global)\.(?P<rest>.+)")
"""What an inference profile's name begins with, by Bedrock's page on geographic and global inference."""
_VERSION: Final = re.compile(r"(?:-v\d+(?::\d+)?|:\d+)(?::\w+)?$")
_DATE: Final = re.compile(r"-\d{8}$")


def spellings(model: str) -> Sequence[str]:
    """The names under which data may have a model of Bedrock's, the most exact first.

    ``us.anthropic.claude-sonnet-4-5-20250929-v1:0`` is the model ``claude-sonnet-4-5``, at the price of a region's
    profiles. An ARN ends with such a name, or with an id that says nothing.
    """
    name = model.rpartition("/")[2]
    placed = _PLACE.fullmatch(name)
    place, rest = (placed["place"], placed["rest"]) if placed else ("", name)
    maker, dot, bare = rest.partition(".")
    undated = _DATE.sub("", _VERSION.sub("", bare if dot else rest))
    price = f"{'global' if place == 'global' else 'regional'}.{rest}"
    return (name, price, rest, *((f"{maker}.{undated}",) if dot else ()), undated)
