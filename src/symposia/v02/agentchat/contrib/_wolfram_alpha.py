"""Questions to Wolfram|Alpha."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from pydantic import BaseModel, model_validator

SECONDS: Final = 30
NOT_UNDERSTOOD: Final = 501


def get_from_dict_or_env(data: Mapping[str, Any], key: str, env_key: str, default: str | None = None) -> str:
    """A value of a mapping, else of the environment, else the default.

    Args:
        data: The mapping.
        key: The key there.
        env_key: The environment variable.
        default: The value without either.

    Raises:
        ValueError: There is none.
    """
    value = data.get(key) or os.environ.get(env_key) or default
    if value is None:
        raise ValueError(f"There is no {key}: give it as an argument, or set the environment variable {env_key}.")
    return value


class WolframAlphaAPIWrapper(BaseModel):
    """Asks Wolfram|Alpha for short answers. Blocks.

    Attributes:
        wolfram_alpha_appid: The id of the program at Wolfram; by default that of `WOLFRAM_ALPHA_APPID`.
        url: The address of the service.
    """

    wolfram_alpha_appid: str
    url: str = "https://api.wolframalpha.com/v1/result"

    @model_validator(mode="before")
    @classmethod
    def validate_environment(cls, values: dict[str, Any]) -> dict[str, Any]:  # Any: pydantic checks them
        """The arguments with the id of the environment."""
        appid = get_from_dict_or_env(values, "wolfram_alpha_appid", "WOLFRAM_ALPHA_APPID")
        return {**values, "wolfram_alpha_appid": appid}

    def run(self, query: str) -> tuple[str, bool]:
        """Ask.

        Returns:
            The answer, or what is wrong, and whether it is an answer.
        """
        address = f"{self.url}?{urlencode({'appid': self.wolfram_alpha_appid, 'i': query})}"
        try:
            with urlopen(address, timeout=SECONDS) as response:  # noqa: S310 - the address of a service over HTTP
                return response.read().decode(), True
        except HTTPError as error:
            with error:
                if error.code == NOT_UNDERSTOOD:
                    return "Wolfram|Alpha does not understand the question. Ask it in another way.", False
                return f"Wolfram|Alpha failed with the status {error.code}.", False
        except (URLError, TimeoutError) as error:
            return f"Wolfram|Alpha cannot be reached: {getattr(error, 'reason', error)}", False
