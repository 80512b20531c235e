"""Writes the prices of models that are shipped, from the installed genai-prices: ``_model_prices.py [--check]``.

With ``--check`` nothing is written, and the exit status is 1 where a file differs. To take newer prices, raise the
version of genai-prices in ``constraints.txt`` first.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

from genai_prices import data_snapshot
from genai_prices.types import (
    ClauseEquals,
    ClauseOr,
    ClauseStartsWith,
    MatchLogic,
    ModelInfo,
    ModelPrice,
    TieredPrices,
)

PLACE = Path(__file__).parent.parent / "src/symposia/ext/models/_data/prices"
VENDORS = ("anthropic", "aws", "azure", "deepseek", "google", "groq", "meta", "mistral", "openai", "x-ai")
FIELDS = {
    "prompt": "input_mtok",
    "completion": "output_mtok",
    "cached": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
}
DATE = re.compile(r"[-@](\d{4}-?\d{2}-?\d{2}|latest)$")


def main() -> int:
    """Write the files, or compare them."""
    checking = sys.argv[1:] == ["--check"]
    day = tomllib.loads((PLACE / "openai.toml").read_text())["date"] if checking else datetime.now(UTC).date()
    texts = {
        PLACE / f"{provider.id}.toml": "\n\n".join((head(day), *entries(provider.models, day))) + "\n"
        for provider in data_snapshot.get_snapshot().providers
        if provider.id in VENDORS
    }
    if checking:
        differing = [path for path, text in texts.items() if not path.is_file() or path.read_text() != text]
        sys.stderr.writelines(f"{path.name} differs from genai-prices.\n" for path in differing)
        return bool(differing)
    PLACE.mkdir(exist_ok=True)
    for path, text in texts.items():
        path.write_text(text)
    return 0


def head(day: date) -> str:
    """The unit, the source and the day of the prices."""
    source = f"genai-prices {version('genai-prices')}"
    unit = "# US dollars for a million tokens. Written by scripts/update-model-prices."
    return f'{unit}\nsource = "{source}"\ndate = {day}'


def entries(models: list[ModelInfo], day: date) -> Iterator[str]:
    """A table for each model that has a price for its prompts and its answers on a day."""
    taken = {model.id for model in models}
    for model in models:
        price = model.get_prices(datetime.combine(day, time(12), UTC))
        base = {field: amount(price, name, long=False) for field, name in FIELDS.items()}
        if base["prompt"] is None or base["completion"] is None:
            continue
        own = [name for name in names(model) if name == model.id or name not in taken]
        taken.update(own)
        lines = ["[[models]]", f"names = [{', '.join(quoted(own))}]", *fields(base)]
        start = long_from(price)
        if start is not None:
            lines += [f"long_from = {start}"]
            long = {field: amount(price, name, long=True) for field, name in FIELDS.items()}
            lines += [f"long = {{ {', '.join(fields(long))} }}"]
        yield "\n".join(lines)


def fields(amounts: dict[str, Decimal | None]) -> list[str]:
    """The amounts that there are, as TOML."""
    return [f"{field} = {value.normalize():f}" for field, value in amounts.items() if value is not None]


def amount(price: ModelPrice, name: str, *, long: bool) -> Decimal | None:
    """The price of one kind of token, of short requests or of the longest."""
    value = getattr(price, name, None)
    if isinstance(value, TieredPrices):
        return value.tiers[-1].price if long else value.base
    return value


def long_from(price: ModelPrice) -> int | None:
    """The tokens of a prompt from which the longest have their price; None if all have one."""
    value = getattr(price, FIELDS["prompt"], None)
    return value.tiers[-1].start if isinstance(value, TieredPrices) else None


def names(model: ModelInfo) -> list[str]:
    """The names under which a model is asked for, without dates, unless one day's version has its own price."""
    found = [model.id, *matched(model.match)]
    if not DATE.search(model.id.removesuffix("-latest")):
        found = [DATE.sub("", name) for name in found]
    return list(dict.fromkeys(name.rstrip("-@") for name in found))


def matched(logic: MatchLogic) -> Iterator[str]:
    """The names in a rule that are texts; patterns are those of dates."""
    match logic:
        case ClauseOr():
            for clause in logic.or_:
                yield from matched(clause)
        case ClauseEquals():
            yield logic.equals
        case ClauseStartsWith():
            yield logic.starts_with
        case _:
            pass


def quoted(texts: list[str]) -> list[str]:
    """The texts as TOML."""
    return [f'"{text}"' for text in texts]


if __name__ == "__main__":
    sys.exit(main())
