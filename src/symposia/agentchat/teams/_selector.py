"""The selector: a model or a function selects the next speaker, of those that a function allows."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import ClassVar, TypeAlias, TypeVar, Unpack, cast

from symposia.agentchat import base
from symposia.agentchat._arguments import check_model_context
from symposia.agentchat.base import ChatAgent, Team
from symposia.agentchat.messages import BaseChatMessage, Messages, ModelClientStreamingChunkEvent, SelectorEvent
from symposia.agentchat.state import SelectorManagerState
from symposia.agentchat.teams._group_chat import BaseGroupChat
from symposia.agentchat.teams._options import TeamOptions, check_participants
from symposia.agentchat.teams._rule import RuleContext, Speak, TeamRule, Transcript
from symposia.agentchat.teams._speaker_choice import ChosenSpeaker, SpeakerChoice, names_in
from symposia.core.argument_checks import check_count, check_flag, check_function, check_model_client, check_text
from symposia.core.changes import SavedState
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.model_context import ChatCompletionContext, ContextLimits
from symposia.core.models import AssistantMessage, ChatCompletionClient, LLMMessage, UserMessage

T = TypeVar("T")
SelectorFunc: TypeAlias = Callable[[Messages], str | None] | Callable[[Messages], Awaitable[str | None]]
CandidateFunc: TypeAlias = Callable[[Messages], list[str]] | Callable[[Messages], Awaitable[list[str]]]

SELECTOR_PROMPT = """\
Several participants work on a task in one conversation. Decide who of them speaks next.

Participants:
{roles}

The conversation so far:

{history}

Choose the one of {participants} whose turn serves the task best now. Answer with that name and nothing else.
"""


class SelectorRule(TeamRule):
    """Selects the next speaker by a model, or by a function.

    The model is offered the candidates only, by a tool whose argument has their names as its type; a model
    without tools is asked for the name as text. If it fails `max_attempts` times, the first candidate speaks who is
    not the previous speaker, or the previous speaker again where that is allowed.

    The functions are called in the event loop, plain ones too. One that waits, for a file or a service, is a coroutine
    function; it can call blocking code by `symposia.core.run_in_worker_thread`.

    Args:
        participants: Their descriptions by their names.
        client: The model.
        prompt: With ``{roles}``, ``{participants}`` and ``{history}`` where these shall stand.
        allow_repeated_speaker: Whether the previous speaker is a candidate.
        max_attempts: How often to ask the model.
        selector_func: Chooses in place of the model; None leaves it to the model.
        candidate_func: Gives the candidates. Of more than one, the previous speaker is left out if not allowed.
        streaming: Whether to ask for the answer in pieces, emit them, and the whole as a `SelectorEvent`.
        model_context: Which part of the conversation the model sees; all of it, by default.

    Raises:
        ArgumentTypeError: `client` is no model client, or an argument of another type.
        InvalidArgumentError: Fewer than two participants, no attempt, or a prompt that names something else.
    """

    def __init__(
        self,
        participants: Mapping[str, str],
        client: ChatCompletionClient,
        *,
        prompt: str = SELECTOR_PROMPT,
        allow_repeated_speaker: bool = False,
        max_attempts: int = 3,
        selector_func: SelectorFunc | None = None,
        candidate_func: CandidateFunc | None = None,
        streaming: bool = False,
        model_context: ChatCompletionContext | None = None,
    ) -> None:
        owner = "the selector"
        check_model_client(owner, client)
        check_text("selector_prompt", owner, prompt)
        check_count("max_selector_attempts", owner, max_attempts)
        check_flag("allow_repeated_speaker", owner, allow_repeated_speaker)
        check_flag("model_client_streaming", owner, streaming)
        check_function("selector_func", owner, selector_func, "def select(messages) -> str | None")
        check_function("candidate_func", owner, candidate_func, "def candidates(messages) -> list[str]")
        check_model_context("model_context", owner, model_context)
        _check(participants, prompt, max_attempts)
        self._participants = {name: " ".join(text.split()) for name, text in participants.items()}
        self._client = client
        self._prompt = prompt
        self._allow_repeated_speaker = allow_repeated_speaker
        self._max_attempts = max_attempts
        self._selector_func = selector_func
        self._candidate_func = candidate_func
        self._streaming = streaming
        self._context = model_context
        self._history = ""  # the whole conversation, where no context chooses a part of it
        self._previous: str | None = None
        self._read_count = 0  # how many items of the transcript are in the context, or the history
        self._is_context_outdated = False

    async def decide(self, transcript: Transcript, context: RuleContext, /) -> Speak:
        """The choice of the function, or else of the model.

        Raises:
            InvalidArgumentError: A function gave a name that no participant has.
        """
        name = await self._chosen_by_function(transcript)
        if name is None:
            name = await self._chosen_by_model(transcript, await self._candidates(transcript), context)
        self._previous = name
        return Speak((name,))

    async def _chosen_by_function(self, transcript: Transcript) -> str | None:
        if self._selector_func is None:
            return None
        name = await _result(self._selector_func(transcript))
        if name is not None and name not in self._participants:
            raise InvalidArgumentError(
                f"Selector function returned an invalid speaker name: {name}. Expected one of: "
                f"{list(self._participants)}."
            )
        return name

    async def _candidates(self, transcript: Transcript) -> list[str]:
        """The participants that may speak; at least one."""
        candidates = list(self._participants)
        if self._candidate_func is not None:
            candidates = await _result(self._candidate_func(transcript))
            self._check_candidates(candidates)
        if self._allow_repeated_speaker:
            return candidates
        return [name for name in candidates if name != self._previous] or candidates

    def _check_candidates(self, candidates: Sequence[str]) -> None:
        if not candidates:
            raise InvalidArgumentError("Candidate function must return a non-empty list of participant names.")
        if isinstance(candidates, str):
            raise InvalidArgumentError(f"Candidate function must return a list of names, and returned {candidates!r}.")
        if unknown := [name for name in candidates if name not in self._participants]:
            raise InvalidArgumentError(
                f"Candidate function returned invalid participant names: {unknown}. Expected one of: "
                f"{list(self._participants)}."
            )

    async def _chosen_by_model(self, transcript: Transcript, candidates: Sequence[str], context: RuleContext) -> str:
        if len(candidates) == 1:
            return candidates[0]
        choice = SpeakerChoice(candidates, by_tool=bool(self._client.model_info["function_calling"]))
        messages: list[LLMMessage] = [UserMessage(content=await self._question(transcript, candidates), source="user")]
        for _ in range(self._max_attempts):
            chosen = await self._ask(choice, messages, context)
            if chosen.name is not None:
                return chosen.name
            messages += [
                AssistantMessage(content=chosen.answer, source=context.source),
                UserMessage(content=chosen.objection, source="user"),
            ]
        # An error here would end a long conversation for a model's slip. The previous speaker is a candidate only where
        # it may speak again, and then the conversation was with it.
        previous = self._previous
        return candidates[0] if previous is None or previous not in candidates else previous

    async def _ask(self, choice: SpeakerChoice, messages: Sequence[LLMMessage], context: RuleContext) -> ChosenSpeaker:
        """Ask once."""
        event = SelectorEvent(content="", source=context.source)
        answer = await context.ask(
            self._client,
            messages,
            tools=choice.tools,
            tool_choice=choice.tool_choice,
            on_chunk=_emitter(context, event.id) if self._streaming else None,
        )
        chosen = choice.read(answer.content)
        if self._streaming:
            event.content = chosen.answer
            context.emit(event)
        return chosen

    async def _question(self, transcript: Transcript, candidates: Sequence[str]) -> str:
        await self._read_on(transcript)
        if self._context is None:
            history = self._history
        else:
            history = "\n\n".join(map(_line, await self._context.get_messages()))
        roles = "\n".join(f"{name}: {text}" for name, text in self._participants.items())
        return self._prompt.format(roles=roles, participants=list(candidates), history=history)

    async def _read_on(self, transcript: Transcript) -> None:
        """Bring the context, or the history, up to date.

        Message by message, so that a choice costs what is new. After loading or a reset the transcript is another one,
        and is read from its beginning.
        """
        if self._is_context_outdated:
            self._history = ""
            if self._context is not None:
                await self._context.clear()
            self._read_count = 0
            self._is_context_outdated = False
        added: list[str] = []
        for index in range(self._read_count, len(transcript)):
            message = transcript[index]
            if not isinstance(message, BaseChatMessage):
                continue
            if self._context is None:
                added.append(_line(message.to_model_message()))
            else:
                await self._context.add_message(message.to_model_message())
        self._history = "\n\n".join([self._history, *added] if self._history else added)
        self._read_count = len(transcript)

    def check_outline(self, participants: base.Outlines) -> base.RuleOutline:
        """Any of the participants speaks, unless the function that gives the candidates names only others."""
        named = names_in(self._candidate_func, list(participants)) if self._candidate_func is not None else None
        names = list(self._participants)
        choice = SpeakerChoice(names, by_tool=bool(self._client.model_info["function_calling"]))
        roles = "\n".join(f"{name}: {text}" for name, text in self._participants.items())
        prompt = self._prompt.format(roles=roles, participants=names, history="")
        limits = ContextLimits() if self._context is None else self._context.shown_at_most()
        is_asked_always = self._selector_func is None and self._candidate_func is None and len(names) > 2  # noqa: PLR2004 - of two that alternate, one is left
        use = base.ModelUse(
            client=self._client,
            prompt=[UserMessage(content=prompt, source="user")],
            tools=choice.tools,
            calls=base.Bounds(int(is_asked_always), self._max_attempts),
            shown_messages=limits.messages,
            shown_tokens=limits.tokens,
        )
        return base.RuleOutline(
            silent={
                name: f"candidate_func names {', '.join(sorted(named))} only"
                for name in participants
                if named and name not in named
            },
            can_end=False,
            models=[use],
            findings=[*self._alike(), *self._unnamed(prompt, choice)],
        )

    def _alike(self) -> Iterator[base.Finding]:
        """Participants that the model cannot tell apart."""
        for text in dict.fromkeys(self._participants.values()):
            names = [name for name, each in self._participants.items() if each == text]
            if len(names) > 1:
                yield base.Finding(
                    severity="warning",
                    where="",
                    what=f"{', '.join(names)} have the same description, so the model cannot choose between them.",
                    advice="Give each a description of its own.",
                )

    def _unnamed(self, prompt: str, choice: SpeakerChoice) -> Iterator[base.Finding]:
        """Participants that the model is not told of."""
        missing = [name for name in self._participants if name not in prompt]
        if missing and not choice.tools:
            yield base.Finding(
                severity="error",
                where="",
                what=f"selector_prompt does not name {', '.join(missing)}, and the model cannot be offered the names.",
                advice="Put {roles} or {participants} into it.",
            )

    def save_state(self) -> SavedState:
        """The previous speaker. The model's context is not saved: it is made from the transcript again."""
        return {"previous_speaker": self._previous}

    def load_state(self, state: SavedState, /) -> None:
        """Continue from a saved state."""
        self._previous = SelectorManagerState.model_validate(state).previous_speaker
        self._is_context_outdated = True

    def reset(self) -> None:
        """Forget the previous speaker and the model's context."""
        self._previous = None
        self._is_context_outdated = True


def _check(participants: Mapping[str, str], prompt: str, max_attempts: int) -> None:
    if len(participants) < 2:  # noqa: PLR2004 - to choose takes two
        raise InvalidArgumentError("At least two participants are required for SelectorGroupChat.")
    if max_attempts < 1:
        raise InvalidArgumentError(f"max_selector_attempts is {max_attempts}: the model has to be asked at least once.")
    try:
        prompt.format(roles="", participants="", history="")
    except (LookupError, ValueError) as error:
        raise InvalidArgumentError(
            "selector_prompt may name {roles}, {participants} and {history}, and braces that stand for themselves have "
            f"to be doubled: {error!r}"
        ) from error


# Not `call_function`, which has a plain function run in a worker thread: that takes four times as long as all the rest
# of a turn, and these functions compute a name from a list. AutoGen calls them in the event loop too.
async def _result(value: T | Awaitable[T]) -> T:
    return await cast("Awaitable[T]", value) if inspect.isawaitable(value) else cast("T", value)


def _emitter(context: RuleContext, message_id: str) -> Callable[[str], None]:
    def emit(chunk: str) -> None:
        context.emit(ModelClientStreamingChunkEvent(content=chunk, source=context.source, full_message_id=message_id))

    return emit


def _line(message: LLMMessage) -> str:
    """A message of the context as a line of the history."""
    source = message.source if isinstance(message, UserMessage | AssistantMessage) else message.type
    content = message.content
    if not isinstance(content, str):
        content = " ".join(part if isinstance(part, str) else "[image]" for part in content)
    return f"{source}: {content}"


class SelectorGroupChat(BaseGroupChat):
    """A team whose next speaker is selected by a model, or by a function.

    The parameters are explained at `SelectorRule`.

    Args:
        participants: At least two.
        model_client: The model that chooses.
        selector_prompt: The prompt, with ``{roles}``, ``{participants}`` and ``{history}``.
        allow_repeated_speaker: Whether a participant may speak twice in a row.
        max_selector_attempts: The number of attempts of the model to name one candidate.
        selector_func: Chooses in place of the model; may be a coroutine function.
        candidate_func: Gives the candidates; may be a coroutine function.
        model_client_streaming: Whether the model's answer is streamed; shown with `emit_team_events`.
        model_context: Which part of the conversation the model sees.
        options: See `TeamOptions`.

    Raises:
        InvalidArgumentError: As `BaseGroupChat` and `SelectorRule`.
    """

    component_transient = BaseGroupChat.component_transient | {"selector_func", "candidate_func"}
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
        check_participants(participants)
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
