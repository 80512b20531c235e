"""`symposia models`: the vendors of models, the profile of a model, and a request to try it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, cast

import typer

from symposia.cli._advice import advised_error
from symposia.cli._exit import Status, fail, status_of_error, stopped_by_interrupt
from symposia.cli._findings import Finding, readiness, show_section, vendor_findings
from symposia.core.exceptions import InvalidArgumentError, ModelError, SymposiaError
from symposia.core.models import ChatCompletionClient, RequestUsage, TokenPrice, UserMessage
from symposia.core.terminal_text import printable
from symposia.ext.models import MissingKeyError, ModelNameError, default_model_name, from_name
from symposia.ext.models.vendors import (
    FactSource,
    ModelFacts,
    ModelProfile,
    ModelVendor,
    find_vendor,
    model_profile_problems,
    model_vendors,
)

WIDTH: Final = 14
SERVER: Final = "openai-compatible"
QUESTION: Final = "Answer with one word: ready."
ABILITIES: Final = {
    "vision": "images",
    "function_calling": "tools",
    "json_output": "JSON",
    "structured_output": "JSON of a schema",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """The answer to a tiny request."""

    answer: str
    usage: RequestUsage
    seconds: float


def models_and_show(name: str | None, *, send: bool, as_json: bool) -> None:
    """List the vendors, or show a model, and perhaps send it a request.

    Args:
        name: The model; None for the list, or for the default model where a request is sent.
        send: Whether a request is sent.
        as_json: Whether the output is JSON.

    Raises:
        typer.Exit: The model cannot be used as was asked.
    """
    try:
        if name is None and send:
            name = default_model_name()
        if name is None:
            _list(as_json=as_json)
            return
        vendor, model = find_vendor(name)
        facts = None if vendor.catalog is None else vendor.catalog.facts(model)
        if not as_json:
            _show_model(vendor, model, facts)
        with stopped_by_interrupt(lambda: "Interrupted. The model call is stopped."):
            # The client is made here, as importing a vendor's SDK would block the event loop.
            trial = asyncio.run(_try(from_name(name))) if send else None
    except ModelError as error:
        fail(str(error), Status.MODEL_FAILED)
    except SymposiaError as error:
        fail(advised_error(error, {}), _status(error))
    if as_json:
        typer.echo(json.dumps(_as_json(vendor, model, facts, trial), indent=2, default=str))
    elif trial is not None:
        _show_trial(trial)


def _status(error: SymposiaError) -> Status:
    """The status for an error; the user's file of profiles is an argument that is wrong."""
    if isinstance(error, InvalidArgumentError) and not isinstance(error, ModelNameError):
        return Status.USAGE
    return status_of_error(error)


def _list(*, as_json: bool) -> None:
    default = _default_model()
    if as_json:
        found = {
            "vendors": [_vendor_as_json(vendor) for vendor in model_vendors()],
            "default": None if default.good is False else default.text,
            "profile_problems": model_profile_problems(),
        }
        typer.echo(json.dumps(found, indent=2))
        return
    show_section("Vendors", vendor_findings())
    server = Finding(SERVER, None, f"any server that uses OpenAI's format: {SERVER}:ADDRESS/NAME")
    show_section("Models", [server, default])
    typer.echo("The profile of a model: symposia models NAME. A request to try it: symposia models NAME --try")


def _default_model() -> Finding:
    """The model that is taken where none is named, or why there is none."""
    try:
        return Finding("default", None, default_model_name())
    except MissingKeyError:
        return Finding("default", False, "none: name a model, or set SYMPOSIA_MODEL or the key of a vendor")
    except SymposiaError as error:
        return Finding("default", False, advised_error(error, {}))


async def _try(client: ChatCompletionClient) -> Trial:
    try:
        began = time.monotonic()
        result = await client.create([UserMessage(content=QUESTION, source="user")])
        return Trial(answer=str(result.content), usage=result.usage, seconds=time.monotonic() - began)
    finally:
        await client.close()


def _show_model(vendor: ModelVendor, model: str, facts: ModelFacts[Any] | None) -> None:  # Any: of any vendor
    typer.secho(printable(f"{vendor.name}/{model}"), bold=True)
    problems = vendor.problems()
    _line("vendor", f"{vendor.title}: {'; '.join(problems) or readiness(vendor)}")
    if facts is None:
        _line("profile", "not known without a client: see the package of the vendor")
        return
    for label, text in (*_lines(model, facts), *(("problem", problem) for problem in model_profile_problems())):
        _line(label, text)


def _lines(model: str, facts: ModelFacts[Any]) -> Iterator[tuple[str, str]]:  # Any: of any vendor
    profile: ModelProfile = facts.profile
    if not facts.known:
        like = "taken to have the usual abilities" if facts.like is None else f"taken to be like {facts.like}"
        yield "not known", f"{model} is {like}, and what follows is assumed"
    elif facts.like not in {None, model}:
        yield "like", str(facts.like)
    yield "context", f"{profile.context:,} tokens, prompt and answer together"
    yield "output", f"{profile.max_output:,} tokens at most"
    yield "abilities", ", ".join(text for field, text in ABILITIES.items() if getattr(profile, field)) or "text alone"
    yield "family", profile.family
    common = {field.name for field in fields(ModelProfile)}
    for name, value in asdict(profile).items():  # what the vendor's profiles have beside that
        if name not in common and value is not None:
            yield name.replace("_", " "), _value_text(value)
    yield "price", "not known" if facts.price is None else f"for a million tokens: {_price_text(facts.price)}"
    if facts.profile_source is not None and (facts.known or facts.like is not None):  # else no source says any of it
        yield "from", _source_text(facts.profile_source)
    if facts.price_source is not None:
        yield "price from", _source_text(facts.price_source)
    if facts.stated_in is not None:
        stated = ", ".join(f"{field} = {_value_text(value)}" for field, value in facts.stated.items())
        yield "yours", f"{stated}\nby {facts.stated_in}"


def _value_text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):  # a price in the user's file
        return ", ".join(f"{name} {amount}" for name, amount in cast("Mapping[str, object]", value).items())
    return str(value)


def _price_text(price: TokenPrice) -> str:
    parts = {"input": price.prompt, "output": price.completion, "read from a cache": price.cached}
    parts["written into a cache"] = price.cache_write
    text = ", ".join(f"${amount:g} {what}" for what, amount in parts.items() if amount is not None)
    if price.long is None:
        return text
    return f"{text}\nabove {price.long_from:,} tokens of prompt: {_price_text(price.long)}"


def _source_text(source: FactSource) -> str:
    return f"{source.name}, {source.date.isoformat()}"


def _show_trial(trial: Trial) -> None:
    usage = trial.usage
    tokens = f"{usage.prompt_tokens:,} in, {usage.completion_tokens:,} out"
    _line("answer", trial.answer)
    _line("tokens", f"{tokens}, {'estimated' if usage.estimated else 'counted by the vendor'}")
    _line("money", usage.money)
    _line("time", f"{trial.seconds:.2f} s")


def _line(label: str, text: str) -> None:
    for line in printable(text).splitlines() or [""]:
        typer.echo(f"  {label:<{WIDTH - 1}} {line}")
        label = ""


def _vendor_as_json(vendor: ModelVendor) -> dict[str, object]:
    return {
        "name": vendor.name,
        "title": vendor.title,
        "problems": vendor.problems(),
        "default_model": vendor.default_model,
        "models": [] if vendor.catalog is None else list(vendor.catalog.names),
    }


def _as_json(
    vendor: ModelVendor,
    model: str,
    facts: ModelFacts[Any] | None,  # Any: of any vendor
    trial: Trial | None,
) -> dict[str, object]:
    found: dict[str, object] = {
        "model": model,
        "vendor": vendor.name,
        "problems": vendor.problems(),
        **({} if facts is None else _facts_as_json(facts)),
    }
    if trial is not None:
        usage = trial.usage
        found["trial"] = {
            "answer": trial.answer,
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "estimated": usage.estimated,
            "usd": usage.usd,
            "seconds": round(trial.seconds, 3),
        }
    return found


def _facts_as_json(facts: ModelFacts[Any]) -> dict[str, object]:  # Any: of any vendor
    sources = {"profile": facts.profile_source, "price": facts.price_source}
    return {
        "known": facts.known,
        "like": facts.like,
        "profile": asdict(facts.profile),
        "price": _price_as_json(facts.price),
        "sources": {what: None if source is None else source._asdict() for what, source in sources.items()},
        "stated": dict(facts.stated),
        "stated_in": facts.stated_in,
    }


def _price_as_json(price: TokenPrice | None) -> dict[str, object] | None:
    return None if price is None else {**price._asdict(), "long": _price_as_json(price.long)}
