"""Google Cloud: the default credentials, and the project that they name.

Nothing here blocks an event loop. google.auth reads files, runs programs and asks the metadata service of the machine,
several times, so it does that in a worker thread.
"""

from __future__ import annotations

import asyncio
from functools import partial
from importlib import import_module
from typing import Any, Final

from symposia.core.exceptions import CredentialsError, UsageError
from symposia.ext.models._credentials import SharedCall, token_of

CREDENTIALS: Final = "GOOGLE_APPLICATION_CREDENTIALS"
PROJECT: Final = "GOOGLE_CLOUD_PROJECT"
SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
HOST: Final = "googleapis.com"
PROVIDER: Final = "gcp.vertex_ai"
"""As OpenTelemetry's conventions for generative AI call it."""

LOGIN: Final = (
    f"A request has the credentials that the client was given, or else the default ones of Google Cloud: those of the "
    f"file in the environment variable {CREDENTIALS}, of gcloud, or of the machine. Log in with `gcloud auth "
    "application-default login`, or set the variable. The account needs the role roles/aiplatform.user in the project, "
    "where the Vertex AI API has to be enabled."
)

SEARCH_SECONDS: Final = 20.0
"""How long the search for credentials may take."""


class GoogleCredentials:
    """The default credentials of Google Cloud: of the environment, of ``gcloud``, or of the machine.

    Args:
        options: The options of the client that take credentials, as errors name them.
    """

    def __init__(self, options: str) -> None:
        self._advice = (
            f"Run `gcloud auth application-default login`, set the environment variable {CREDENTIALS} to a file, or "
            f"give {options}."
        )
        self._found: tuple[Any, str | None] | None = None  # Any: google.auth has no types
        self._default = SharedCall(self._search)
        self._renewed: Any = None  # Any: likewise
        self._renewal: SharedCall[None] | None = None

    async def find(self) -> tuple[Any, str | None]:
        """The credentials, which renew themselves, and the project that they name.

        Raises:
            CredentialsError: There are none, or the search took too long.
        """
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 - heavy; the SDKs have imported it

        try:
            async with asyncio.timeout(SEARCH_SECONDS):
                return await self._default()
        except TimeoutError as error:
            text = f"The search for credentials of Google Cloud took longer than {SEARCH_SECONDS:g} seconds."
            raise CredentialsError(f"{text} {self._advice}") from error
        except GoogleAuthError as error:
            raise CredentialsError(f"There are no credentials of Google Cloud: {error} {self._advice}") from error

    def _search(self) -> tuple[Any, str | None]:
        found = self._found
        if found is None:
            found = self._found = import_module("google.auth").default(scopes=[SCOPE])
        return found

    async def renew(self, credentials: Any) -> None:  # Any: see `find`
        """Have credentials renewed that have no token, or one that has expired.

        The SDKs do so too: for a time without limit, and Anthropic's for each of the requests that wait.

        Raises:
            TokenError: They cannot be renewed, or not in time.
        """
        if credentials.token and not credentials.expired:
            return
        if self._renewal is None or self._renewed is not credentials:
            self._renewed, self._renewal = credentials, SharedCall(partial(_refresh, credentials))
        await token_of(self._renewal())


def _refresh(credentials: Any) -> None:  # Any: google.auth has no types
    if credentials.expired or not credentials.token:  # the call that ended before this one may have renewed them
        credentials.refresh(import_module("google.auth.transport.requests").Request())


def missing_project(variable: str, option: str) -> UsageError:
    """The error of a request without a project, which neither the options nor the credentials name."""
    return UsageError(f"There is no project of Google Cloud: set {variable}, or give {option}.")
