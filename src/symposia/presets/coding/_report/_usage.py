from __future__ import annotations

from collections.abc import Iterable, Sequence

from symposia.presets.coding._result import AgentUsage


def usage_document(usage: Sequence[AgentUsage]) -> dict[str, object]:
    """The tokens by agent, by model and in all, for ``usage.json``."""
    models = dict.fromkeys(each.model for each in usage)
    return {
        "estimated": any(each.estimated for each in usage),
        "agents": {each.agent: {"model": each.model, **_tokens([each])} for each in usage},
        "models": {model: _tokens(each for each in usage if each.model == model) for model in models},
        "total": _tokens(usage),
    }


def _tokens(usage: Iterable[AgentUsage]) -> dict[str, int]:
    spent = list(usage)
    return {
        "prompt_tokens": sum(each.prompt_tokens for each in spent),
        "completion_tokens": sum(each.completion_tokens for each in spent),
    }
