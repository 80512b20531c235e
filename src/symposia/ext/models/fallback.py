"""A client that asks the next model when one fails."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from symposia.core.argument_checks import check_list
from symposia.core.exceptions import InvalidArgumentError, ModelError
from symposia.core.models import ChatCompletionClient, CreateResult, model_name
from symposia.ext.models.wrappers import ModelCall, OneOfSeveral, begin, is_lost_connection, signed

__all__ = ["FallbackClient"]


class FallbackClient(OneOfSeveral):
    """Asks clients in order, until one answers.

    The next one is asked where a client fails (any `ModelError`: another vendor has another key, another limit, another
    context), where the connection is lost, and where a model refuses (the finish reason ``content_filter``). Wrong
    arguments are raised at once. A stream goes over to the next model before its first piece only. The result says in
    `answered_by` which model answered.

    Its abilities are those that all clients have, so that any of them can take over. If all refuse, the last refusal is
    the answer.

    Args:
        clients: The clients, the preferred one first.

    Raises:
        ArgumentTypeError: One of `clients` is not a client.
        InvalidArgumentError: There are none.
    """

    def __init__(self, clients: Sequence[ChatCompletionClient]) -> None:
        check_list("The clients of FallbackClient", clients)
        super().__init__(clients)
        if not self.clients:
            raise InvalidArgumentError("FallbackClient has no clients: give at least one.")

    async def answer(self, call: ModelCall) -> AsyncGenerator[str | CreateResult, None]:
        """See `ModelClientWrapper.answer`.

        Raises:
            ModelError: All clients failed; the text says how each did.
        """
        failures: list[tuple[str, Exception]] = []
        for left, client in zip(reversed(range(len(self.clients))), self.clients, strict=True):
            name = model_name(client)
            try:
                begun = await begin(call, client)
            except Exception as error:
                if not _another_may_answer(error):
                    raise
                failures.append((name, error))
                continue
            shown = False
            async with aclosing(begun) as items:
                async for item in items:
                    if left and not shown and _is_refusal(item):
                        break
                    shown = True
                    yield signed(item, name)
            if shown:
                return
            failures.append((name, ModelError("It refused, or gave no answer.")))
        raise _all_failed(failures) from failures[-1][1]


def _another_may_answer(error: Exception) -> bool:
    return isinstance(error, ModelError) or is_lost_connection(error)


def _is_refusal(item: str | CreateResult) -> bool:
    return isinstance(item, CreateResult) and item.finish_reason == "content_filter"


def _all_failed(failures: Sequence[tuple[str, Exception]]) -> ModelError:
    """One error for those of all clients. It is transient if any of them is, after the shortest time told."""
    errors = [error for _, error in failures if isinstance(error, ModelError)]
    each = " ".join(f"{number}. {name}: {error}" for number, (name, error) in enumerate(failures, 1))
    told = [error.retry_after for error in errors if error.is_transient and error.retry_after is not None]
    return ModelError(
        f"None of the {len(failures)} models answered. {each}",
        status=errors[-1].status if errors else None,
        response_start=errors[-1].response_start if errors else "",
        is_transient=any(error.is_transient for error in errors) or len(errors) < len(failures),
        retry_after=min(told, default=None),
    )
