"""Prints the changelog with what is unreleased as a release: ``_changelog.py VERSION CHANGELOG``."""

import sys
from datetime import UTC, date, datetime
from pathlib import Path

UNRELEASED = "## Unreleased\n"


def released(changelog: str, version: str, day: date) -> str:
    """Return the changelog with its unreleased changes below `version`, and with none unreleased.

    Raises:
        ValueError: There is no section of unreleased changes, or it has no entry.
    """
    before, heading, rest = changelog.partition(UNRELEASED)
    if not heading:
        raise ValueError(f"The changelog has no line {UNRELEASED.strip()!r}.")
    changes, newer, older = rest.partition("\n## ")
    if "\n- " not in changes:
        raise ValueError("The changelog says of no change since the last release: add a line for each that users see.")
    return f"{before}{UNRELEASED}\n## {version} ({day.isoformat()})\n{changes}{newer}{older}"


if __name__ == "__main__":
    try:
        sys.stdout.write(released(Path(sys.argv[2]).read_text("utf-8"), sys.argv[1], datetime.now(UTC).date()))
    except ValueError as error:
        sys.exit(str(error))
