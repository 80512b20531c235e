from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Unpack

from symposia.agentchat.base import ChatAgent, Team
from symposia.agentchat.teams._group_chat import BaseGroupChat, participant_names
from symposia.agentchat.teams._options import TeamOptions
from symposia.agentchat.teams._selector_rule import SELECTOR_PROMPT, CandidateFunc, SelectorFunc, SelectorRule
from symposia.core.model_context import ChatCompletionContext
from symposia.core.models import ChatCompletionClient


class SelectorGroupChat(BaseGroupChat):
    """A team in which a model, or a function, chooses who speaks next.

    What each of these does is told more closely at `SelectorRule`.

    Args:
        participants: At least two.
        model_client: The model that chooses.
        selector_prompt: What it is asked, with ``{roles}``, ``{participants}`` and ``{history}``.
        allow_repeated_speaker: Whether one may speak twice in a row.
        max_selector_attempts: How often the model is asked until it names one candidate.
        selector_func: Chooses in place of the model; may be a coroutine function.
        candidate_func: Gives the candidates; may be a coroutine function.
        model_client_streaming: Whether the model's answer is streamed; shown with `emit_team_events`.
        model_context: Which part of the conversation the model sees.
        options: See `TeamOptions`.

    Raises:
        InvalidArgumentError: As `BaseGroupChat` and `SelectorRule`.
    """

    DEFAULT_NAME: ClassVar[str] = "SelectorGroupChat"
    _manager: ClassVar[str] = "SelectorGroupChatManager"
    _manager_state: ClassVar[str] = "SelectorManagerState"

    def __init__(
        self,
        participants: Sequence[ChatAgent | Team],
        model_client: ChatCompletionClient,
        *,
        selector_prompt: str = SELECTOR_PROMPT,
        allow_repeated_speaker: bool = False,
        max_selector_attempts: int = 3,
        selector_func: SelectorFunc | None = None,
        candidate_func: CandidateFunc | None = None,
        model_client_streaming: bool = False,
        model_context: ChatCompletionContext | None = None,
        **options: Unpack[TeamOptions],
    ) -> None:
        participant_names(participants)
        rule = SelectorRule(
            {participant.name: participant.description for participant in participants},
            model_client,
            prompt=selector_prompt,
            allow_repeated_speaker=allow_repeated_speaker,
            max_attempts=max_selector_attempts,
            selector_func=selector_func,
            candidate_func=candidate_func,
            streaming=model_client_streaming,
            model_context=model_context,
        )
        super().__init__(participants, rule=rule, **options)
