from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from symposia.agentchat.base import ChatAgent, Team, TerminationCondition
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage
from symposia.agentchat.teams._group_chat import BaseGroupChat, participant_names
from symposia.agentchat.teams._selector_rule import SELECTOR_PROMPT, CandidateFunc, SelectorFunc, SelectorRule
from symposia.core import AgentRuntime
from symposia.core.model_context import ChatCompletionContext
from symposia.core.models import ChatCompletionClient


class SelectorGroupChat(BaseGroupChat):
    """A team in which a model, or a function, chooses who speaks next.

    Beyond those of `BaseGroupChat`, and explained at `SelectorRule`:

    Args:
        model_client: The model that chooses.
        selector_prompt: What it is asked, with ``{roles}``, ``{participants}`` and ``{history}``.
        allow_repeated_speaker: Whether one may speak twice in a row.
        max_selector_attempts: How often the model is asked until it names one candidate.
        selector_func: Chooses in place of the model; may be a coroutine function.
        candidate_func: Gives the candidates; may be a coroutine function.
        model_client_streaming: Whether the model's answer is streamed; shown with `emit_team_events`.
        model_context: Which part of the conversation the model sees.

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
        name: str | None = None,
        description: str | None = None,
        termination_condition: TerminationCondition | None = None,
        max_turns: int | None = None,
        turn_timeout: float | timedelta | None = None,
        runtime: AgentRuntime | None = None,
        selector_prompt: str = SELECTOR_PROMPT,
        allow_repeated_speaker: bool = False,
        max_selector_attempts: int = 3,
        selector_func: SelectorFunc | None = None,
        candidate_func: CandidateFunc | None = None,
        custom_message_types: Sequence[type[BaseAgentEvent | BaseChatMessage]] | None = None,
        emit_team_events: bool = False,
        model_client_streaming: bool = False,
        model_context: ChatCompletionContext | None = None,
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
        super().__init__(
            participants,
            rule=rule,
            name=name,
            description=description,
            termination_condition=termination_condition,
            max_turns=max_turns,
            turn_timeout=turn_timeout,
            runtime=runtime,
            custom_message_types=custom_message_types,
            emit_team_events=emit_team_events,
        )
