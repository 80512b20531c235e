"""Questions of what is served to the person behind the client.

The standard input of a server has its messages, so that an agent that asks on the terminal finds its input at the end.
The client is asked then, by an elicitation. Asking it first was rejected: a function of the program that asks elsewhere
is there because that person is meant.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias, TypeVar, cast

from pydantic import JsonValue

from symposia.core.effects import Effect, EffectRequest, HumanAnswer, HumanRequest
from symposia.core.exceptions import HumanInputError, InputEndedError

Request = TypeVar("Request", bound=EffectRequest)
Result = TypeVar("Result")

Elicit: TypeAlias = Callable[[str, Mapping[str, JsonValue]], Awaitable[Mapping[str, Any]]]  # Any: JSON
"""Asks the client: takes a message and the schema of the answer, returns the protocol's ``ElicitResult`` as JSON."""

_WORDS: Final[Mapping[str, JsonValue]] = {
    "type": "object",
    "properties": {"answer": {"type": "string", "title": "Answer"}},
    "required": ["answer"],
}
_APPROVAL: Final[Mapping[str, JsonValue]] = {
    "type": "object",
    "properties": {
        "approved": {"type": "boolean", "title": "Approve"},
        "reason": {"type": "string", "title": "Reason", "default": ""},
    },
    "required": ["approved"],
}


class ClientQuestions:
    """An effect handler that asks the client what could not be asked on the terminal.

    Args:
        elicit: Asks; None if the client answers no questions.
    """

    def __init__(self, elicit: Elicit | None) -> None:
        self._elicit = elicit

    async def handle(self, effect: Effect[Request, Result], proceed: Callable[[], Awaitable[Result]]) -> Result:
        """See `EffectHandler.handle`.

        Raises:
            HumanInputError: The person did not answer.
            InputEndedError: The client answers no questions.
        """
        try:
            return await proceed()
        except InputEndedError as ended:
            if not isinstance(effect.request, HumanRequest):
                raise
            if self._elicit is None:
                raise InputEndedError(
                    f"{ended}. The client of this server answers no questions: give the agent a function that asks "
                    "elsewhere, or use a client with elicitation."
                ) from ended
            # The result of a human request is a human answer, which types cannot say.
            return cast("Result", await self._ask(self._elicit, effect.request))

    async def _ask(self, elicit: Elicit, request: HumanRequest) -> HumanAnswer:
        is_approval = request.approval_of is not None
        try:
            reply = await elicit(request.prompt, _APPROVAL if is_approval else _WORDS)
        except Exception as error:
            raise HumanInputError(f"The client did not put a question to its user: {error}") from error
        content: Mapping[str, Any] = reply.get("content") or {}
        if reply.get("action") == "accept":
            if is_approval:
                return HumanAnswer(text=str(content.get("reason", "")), approved=content.get("approved") is True)
            return HumanAnswer(text=str(content.get("answer", "")))
        if is_approval:
            return HumanAnswer(text="", approved=False)
        raise HumanInputError("The user of the client declined to answer a question.")
