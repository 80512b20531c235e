"""Google Cloud: the default credentials, and the project that they name.

Nothing here blocks an event loop. google.auth reads files, runs programs and asks the metadata service of the machine,
several times, so it does that in a worker thread.
"""

from __future__ import annotations

import asyncio
import threading
from importlib import import_module
from typing import Any, Final

from symposia.core.exceptions import UsageError

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
        self._lock = threading.Lock()
        self._found: tuple[Any, str | None] | None = None  # Any: google.auth has no types

    async def find(self) -> tuple[Any, str | None]:
        """The credentials, which renew themselves, and the project that they name.

        Raises:
            UsageError: There are none, or the search took too long.
        """
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 - heavy; the SDKs have imported it

        try:
            async with asyncio.timeout(SEARCH_SECONDS):
                return await asyncio.to_thread(self._search)
        except TimeoutError as error:
            text = f"The search for credentials of Google Cloud took longer than {SEARCH_SECONDS:g} seconds."
            raise UsageError(f"{text} {self._advice}") from error
        except GoogleAuthError as error:
            raise UsageError(f"There are no credentials of Google Cloud: {error} {self._advice}") from error

    def _search(self) -> tuple[Any, str | None]:
        with self._lock:  # else each of many first requests would search
            found = self._found
            if found is None:
                found = self._found = import_module("google.auth").default(scopes=[SCOPE])
        return found


def missing_project(variable: str, option: str) -> UsageError:
    """The error of a request without a project, which neither the options nor the credentials name."""
    return UsageError(f"There is no project of Google Cloud: set {variable}, or give {option}.")
