"""Remarks about answers that are none, or not whole: cut at a limit, stopped by a filter, or empty."""

from __future__ import annotations

from symposia.core.models import CreateResult


def remark_on(model: str, result: CreateResult) -> str | None:
    """What a user has to know of an answer, and what to do about it; None for a whole one.

    It is no error: half a text may do, and models answer the results of tools with nothing when they are done.

    Args:
        model: The name of the model.
        result: Its answer.
    """
    match result.finish_reason:
        case "length" if result.content or not (result.thought or result.usage.reasoning_tokens):
            return (
                f"An answer of model {model!r} was cut: it reached the limit of its tokens, or the model's context was "
                "full. Ask for a shorter answer, or shorten the conversation. In a program, max_tokens of the client "
                "allows longer ones."
            )
        case "length":
            return (
                f"Model {model!r} reached the limit of its tokens while it reasoned, and gave no answer. Ask for less "
                "at once, or have it reason less. In a program, max_tokens of the client allows more."
            )
        case "content_filter":
            return f"A filter of the vendor stopped an answer of model {model!r}. Change what it is asked."
        case _ if not result.content:
            return f"Model {model!r} gave an empty answer. Ask again in other words, or take another model."
        case _:
            return None
