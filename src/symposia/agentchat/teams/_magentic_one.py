"""Teams that an orchestrator leads: it plans, instructs one participant after another, and answers in the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any, ClassVar, Final, Unpack

from typing_extensions import override

from symposia.agentchat import base
from symposia.agentchat.base import ChatAgent, Team
from symposia.agentchat.messages import BaseChatMessage, ProgressLedgerEvent, TextMessage
from symposia.agentchat.teams import _magentic_one_prompts as prompts
from symposia.agentchat.teams._group_chat import BaseGroupChat
from symposia.agentchat.teams._options import CommonTeamOptions, check_participants
from symposia.agentchat.teams._orchestrator import Orchestrator, Progress
from symposia.agentchat.teams._progress_ledger import ProgressLedger
from symposia.agentchat.teams._rule import Decision, Restart, RuleContext, Say, Speak, Stop, TeamRule, Transcript
from symposia.core.argument_checks import check_count, check_function, check_model_client, check_text
from symposia.core.changes import SavedState
from symposia.core.effects import HumanFunction
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.models import ChatCompletionClient

MAX_TURNS: Final = 20
MAX_STALLS: Final = 3
OUT_OF_TURNS: Final = "Max rounds reached."
"""The stop reason; AutoGen's programs look for it."""
NOT_APPROVED: Final = "The plan was not approved."
"""The stop reason after a plan that a person refused without saying what to change."""

_SPECIALISTS: Final = "symposia.ext.teams.magentic_one"
"""The module that makes participants, by name as in the JSON of a component: agentchat imports no extension."""


class MagenticOneRule(TeamRule):
    """Leads a team by a model: plan, instruct, judge, and plan anew where the work stalls.

    For each task the model writes a fact sheet and a plan, and the participants begin with these. Before each turn it
    fills in a ledger of progress: whether the task is done, whether the work goes in circles or leads on, who acts
    next, and with which instruction. A ledger that is stalled counts one stall, and one that is not takes one back.
    With `max_stalls` of them, the fact sheet and the plan are written anew, and the participants begin anew. In the
    end, the model writes the final answer.

    A ledger that cannot be read is sent back with what is wrong. If the third attempt cannot be read either, what is
    missing counts as a stall, and the participant after the last speaker continues with the plan.

    Args:
        participants: Their descriptions by their names.
        client: The model.
        max_turns: How many turns the participants may take in a run; then the final answer is written. None for any.
        max_stalls: With how many stalls there is a new plan; at the earliest after a participant has acted.
        final_answer_prompt: Asks for the final answer; may name ``{task}``.
        plan_review: Asks a person to approve each plan before it is carried out, as `input` does. A refusal with words
            says what to change, and the model writes the plan again. One without words ends the run.

    Raises:
        ArgumentTypeError: `client` is no model client, or an argument of another type.
        InvalidArgumentError: No participant, a limit below its minimum, or a prompt that names something else.
    """

    def __init__(
        self,
        participants: Mapping[str, str],
        client: ChatCompletionClient,
        *,
        max_turns: int | None = MAX_TURNS,
        max_stalls: int = MAX_STALLS,
        final_answer_prompt: str = prompts.FINAL_ANSWER,
        plan_review: HumanFunction | None = None,
    ) -> None:
        owner = "Magentic-One"
        check_model_client(owner, client)
        check_count("max_stalls", owner, max_stalls)
        check_text("final_answer_prompt", owner, final_answer_prompt)
        check_function("plan_review", owner, plan_review, "def review(question) -> bool")
        if max_turns is not None:
            check_count("max_turns", owner, max_turns)
        _check(participants, max_turns, max_stalls, final_answer_prompt)
        self._orchestrator = Orchestrator(participants, client, plan_review)
        self._max_turns = max_turns
        self._max_stalls = max_stalls
        self._final_answer_prompt = final_answer_prompt
        self._at = Progress()

    @override
    async def decide(self, transcript: Transcript, context: RuleContext, /) -> Decision:
        """Take the next step: plan, instruct, let the participant speak that was instructed, answer, or stop.

        Each message of the orchestrator is a decision of its own, committed before the next one. So a participant that
        fails is asked again by the next run, and neither it nor the others hear its instruction twice.

        Raises:
            InvalidArgumentError: There is no task.
            ModelError: The model failed. So did the run, which the next one continues.
            HumanInputError: `plan_review` failed. The next run asks again.
        """
        start = self._new_task(transcript, context)
        if start is not None:
            task = [item for item in transcript[start:] if isinstance(item, BaseChatMessage)]
            self._at = self._at.of_next_task(task, start, len(transcript))
            return self._brief(await self._orchestrator.plan(self._at, transcript, context), transcript)
        at = self._at
        at.read = len(transcript)
        if at.stop_reason is not None:
            reason, at.stop_reason = at.stop_reason, None
            return Stop(reason)
        if at.next_speaker is not None:
            at.last_speaker, at.next_speaker = at.next_speaker, None
            return Speak((at.last_speaker,))
        if not at.task:
            raise InvalidArgumentError("A Magentic-One team works on a task: give run() one.")
        self._orchestrator.follow(at, transcript, context.source)
        if self._max_turns is not None and context.turns >= self._max_turns:
            return await self._finish(prompts.OUT_OF_TURNS, OUT_OF_TURNS, transcript, context)
        return await self._judge(transcript, context)

    def _new_task(self, transcript: Transcript, context: RuleContext) -> int | None:
        """Where the messages of a new task begin in the transcript: those that no participant has contributed."""
        read = self._at.read
        if read is None:
            own = {context.source, *self._orchestrator.names}
            read = max((index + 1 for index, item in enumerate(transcript) if item.source in own), default=0)
        if read == len(transcript):
            return None
        answered = {index for each in context.answered for index in range(each.start, each.start + len(each.items))}
        for index in range(read, len(transcript)):
            if index not in answered and isinstance(transcript[index], BaseChatMessage):
                return index
        return None

    async def _judge(self, transcript: Transcript, context: RuleContext) -> Decision:
        """Read the ledger, and act on it."""
        at = self._at
        ledger = await self._orchestrator.ledger(context)
        at.n_rounds += 1
        if ledger.is_satisfied:
            reason = ledger.reason or "The task is done."
            context.emit(self._judgement(ledger, reason, context))
            return await self._finish("", reason, transcript, context)
        at.n_stalls = at.n_stalls + 1 if ledger.is_stalled else max(0, at.n_stalls - 1)
        # A plan before its first turn cannot have failed. Without this check, `max_stalls=1` could plan without end.
        if at.last_speaker is not None and at.n_stalls >= max(1, self._max_stalls):
            context.emit(self._judgement(ledger, ledger.reason, context))
            return self._brief(await self._orchestrator.plan_anew(ledger.reason, at, transcript, context), transcript)
        at.next_speaker = ledger.next_speaker or self._next_in_order()
        instruction = ledger.instruction or prompts.CONTINUE
        context.emit(self._judgement(ledger, instruction, context))
        return self._say(TextMessage(content=instruction, source=context.source), transcript)

    def _judgement(self, ledger: ProgressLedger, content: str, context: RuleContext) -> ProgressLedgerEvent:
        return ProgressLedgerEvent(
            content=content,
            is_satisfied=ledger.is_satisfied,
            is_in_loop=ledger.is_in_loop,
            is_progressing=ledger.is_progressing,
            next_speaker=self._at.next_speaker,
            stalls=self._at.n_stalls,
            max_stalls=max(1, self._max_stalls),
            source=context.source,
        )

    def _next_in_order(self) -> str:
        """The participant after the one that spoke last."""
        names, last = self._orchestrator.names, self._at.last_speaker
        return names[0] if last is None else names[(names.index(last) + 1) % len(names)]

    async def _finish(self, note: str, reason: str, transcript: Transcript, context: RuleContext) -> Say:
        """Give the final answer, and stop after it."""
        at = self._at
        at.answer = await self._orchestrator.write(note + self._final_answer_prompt.format(task=at.task), context)
        at.stop_reason = reason
        return self._say(TextMessage(content=at.answer, source=context.source), transcript)

    def _brief(self, briefing: BaseChatMessage | None, transcript: Transcript) -> Decision:
        """Let the participants begin with a plan, or stop for the lack of an approved one."""
        if briefing is None:
            # Without a task, so that a run after this one does not continue the work.
            self._at = Progress(read=len(transcript))
            self._orchestrator.forget()
            return Stop(NOT_APPROVED)
        at = self._at
        at.n_stalls = 0
        at.next_speaker = at.last_speaker = at.stop_reason = None
        at.began = len(transcript) + 1
        self._orchestrator.forget()
        at.read = len(transcript) + 1
        return Restart((briefing,))

    def _say(self, message: BaseChatMessage, transcript: Transcript) -> Say:
        self._at.read = len(transcript) + 1
        return Say((message,))

    def check_outline(self, participants: base.Outlines) -> base.RuleOutline:  # noqa: ARG002 - the rule knows them
        """Any of the participants speaks, and the rule ends the run."""
        uses = self._orchestrator.check_uses(self._final_answer_prompt)
        return base.RuleOutline(
            turns=base.Bounds(0, self._max_turns),
            can_end=True,
            models=[uses.ledger, replace(uses.new_plan, interval=max(1, self._max_stalls))],
            at_start=[uses.plan],
            at_end=[uses.ledger, uses.answer],
            says=base.ONCE,
        )

    def save_state(self) -> SavedState:
        """The progress on the task, from which the conversation with the model can be rebuilt."""
        return self._at.save()

    def load_state(self, state: SavedState, /) -> None:
        """Continue from a saved state, also of AutoGen.

        Raises:
            InvalidArgumentError: The next speaker is no participant.
            pydantic.ValidationError: It is no state of this rule.
        """
        at = Progress.load(state)
        names = self._orchestrator.names
        if unknown := {at.next_speaker, at.last_speaker} - {None, *names}:
            raise InvalidArgumentError(
                f"The saved state is of another team: it names {sorted(map(str, unknown))}, and the participants are "
                f"{list(names)}."
            )
        self._at = at
        self._orchestrator.forget()

    def reset(self) -> None:
        """Forget the task."""
        self._at = Progress()
        self._orchestrator.forget()


def _check(participants: Mapping[str, str], max_turns: int | None, max_stalls: int, final_answer_prompt: str) -> None:
    if not participants:
        raise InvalidArgumentError(
            "At least one participant is required for MagenticOneGroupChat: give agents or teams, or leave out "
            "participants for its specialists."
        )
    if max_turns is not None and max_turns < 1:
        raise InvalidArgumentError(
            f"The maximum number of turns must be greater than 0, and max_turns is {max_turns}: give a number from 1 "
            "on, or None for any number."
        )
    if max_stalls < 0:
        raise InvalidArgumentError(f"max_stalls is {max_stalls}: give the number of stalls that lead to a new plan.")
    try:
        final_answer_prompt.format(task="")
    except (LookupError, ValueError) as error:
        raise InvalidArgumentError(
            f"final_answer_prompt may name {{task}}, and braces that stand for themselves have to be doubled: {error!r}"
        ) from error


class MagenticOneGroupChat(BaseGroupChat):
    """A team that an orchestrator leads: it plans, instructs one participant after another, and answers in the end.

    The parameters are explained at `MagenticOneRule`.

    Args:
        participants: Agents or teams, whose descriptions tell the orchestrator what they can do. None for those that
            `symposia.ext.teams.magentic_one.specialists` makes of the model: agents for files, the web and code, and a
            terminal that runs its code in a sandbox.
        model_client: The model of the orchestrator.
        max_turns: How many turns the participants may take in a run; None for any number.
        max_stalls: With how many stalls there is a new plan.
        final_answer_prompt: Asks for the final answer; may name ``{task}``.
        plan_review: Asks a person to approve each plan before it is carried out.
        options: See `TeamOptions`.

    Raises:
        ArgumentTypeError: There is no model client, or an argument of another type.
        InvalidArgumentError: As `BaseGroupChat` and `MagenticOneRule`.
    """

    DEFAULT_NAME: ClassVar[str] = "MagenticOneGroupChat"
    _manager: ClassVar[str] = "MagenticOneOrchestrator"
    _manager_state: ClassVar[str] = "MagenticOneOrchestratorState"

    def __init__(
        self,
        participants: Sequence[ChatAgent | Team] | None = None,
        model_client: ChatCompletionClient | None = None,
        *,
        max_turns: int | None = MAX_TURNS,
        max_stalls: int = MAX_STALLS,
        final_answer_prompt: str = prompts.FINAL_ANSWER,
        plan_review: HumanFunction | None = None,
        **options: Unpack[CommonTeamOptions],
    ) -> None:
        if model_client is None:
            raise ArgumentTypeError("MagenticOneGroupChat needs a model_client, which plans and leads the work.")
        check_model_client("MagenticOneGroupChat", model_client)
        members: Sequence[ChatAgent | Team] = (
            import_module(_SPECIALISTS).specialists(model_client) if participants is None else participants
        )
        check_participants(members)
        rule = MagenticOneRule(
            {member.name: member.description for member in members},
            model_client,
            max_turns=max_turns,
            max_stalls=max_stalls,
            final_answer_prompt=final_answer_prompt,
            plan_review=plan_review,
        )
        super().__init__(members, rule=rule, **options)

    def _constructor_arguments(self) -> dict[str, Any]:  # Any: each is of its parameter's type
        """The arguments; specialists that the team has made are saved as they are."""
        given = super()._constructor_arguments()
        if "participants" not in given:  # the constructor of a subclass may have no such parameter
            return given
        return {**given, "participants": self._members}

    @classmethod
    def _from_autogen(cls, config: Mapping[str, object]) -> Mapping[str, object]:
        """The arguments, as AutoGen saves them: it leaves out a number of turns that is None."""
        return {"max_turns": None, **config}
