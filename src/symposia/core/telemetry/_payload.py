"""Values as JSON text for traces and logs. Never fails, whatever the value: observing must not change a program."""

from __future__ import annotations

from pydantic_core import to_json


def json_text(value: object) -> str:
    """A value as JSON; parts that JSON cannot hold are shown as ``str`` says them."""
    try:
        return to_json(value, fallback=str).decode()
    except Exception as error:  # noqa: BLE001 - observing changes nothing, whatever a value's methods do
        return f'"<{type(value).__name__} that cannot be shown: {type(error).__name__}>"'
