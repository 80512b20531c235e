"""The orchestrator of a Magentic-One team: its progress on the task, and the calls of its model.

The model is shown one conversation, which is only appended to until there is another plan: the role, the task, the fact
sheet, the plan, and the messages since then. Each question comes last and is not kept, so that a conversation rebuilt
from a saved state equals one that was followed message by message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, NamedTuple, overload

from pydantic_core import core_schema as cs

from symposia.agentchat import base
from symposia.agentchat.messages import BaseChatMessage, MultiModalMessage, TextMessage
from symposia.agentchat.teams import _magentic_one_prompts as prompts
from symposia.agentchat.teams._progress_ledger import ProgressLedger, ledger_schema, read_ledger
from symposia.agentchat.teams._rule import RuleContext, Transcript
from symposia.agentchat.teams._saved_team import shape, with_default
from symposia.core import FunctionCall, Image
from symposia.core.changes import SavedState
from symposia.core.effects import HumanFunction, HumanQuestion, ask_human
from symposia.core.models import AssistantMessage, ChatCompletionClient, LLMMessage, SystemMessage, UserMessage

if TYPE_CHECKING:
    from pydantic import BaseModel

_ATTEMPTS: Final = 3
"""The most calls of the model for one ledger: two corrections. A third one seldom helps."""

_COUNT: Final = cs.int_schema(ge=0)
_TEXT: Final = with_default(cs.str_schema(), str)
_MAYBE_TEXT: Final = cs.with_default_schema(cs.nullable_schema(cs.str_schema()), default=None)
_SHAPE: Final = shape(
    "MagenticOneOrchestratorState",
    task=_TEXT,
    facts=_TEXT,
    plan=_TEXT,
    n_rounds=with_default(_COUNT, int),
    n_stalls=with_default(_COUNT, int),
    earlier=_TEXT,
    answer=_TEXT,
    next_speaker=_MAYBE_TEXT,
    stop_reason=_MAYBE_TEXT,
    last_speaker=_MAYBE_TEXT,
    task_start=with_default(_COUNT, int),
    task_stop=with_default(_COUNT, int),
    began=with_default(_COUNT, lambda: 1),  # AutoGen's transcript begins with the briefing
    read=cs.with_default_schema(cs.nullable_schema(_COUNT), default=None),
)


@dataclass
class Progress:
    """The progress on a task.

    Attributes:
        task: The task, as text.
        facts: The fact sheet.
        plan: The plan.
        n_rounds: The number of ledgers for this task.
        n_stalls: The count of stalls since the plan; a ledger that is not stalled takes one back.
        earlier: The text about the task before this one.
        answer: The final answer to this task; empty while there is none.
        next_speaker: The participant that was instructed and speaks next.
        stop_reason: Why the team stops next; the final answer was given.
        last_speaker: The participant that has spoken last since the plan; None if none has.
        task_start: Where the messages of the task begin in the transcript.
        task_stop: Where they end.
        began: Where the conversation about the plan begins in the transcript.
        read: The length of the transcript that the rule has read; None after loading a state of AutoGen.
    """

    task: str = ""
    facts: str = ""
    plan: str = ""
    n_rounds: int = 0
    n_stalls: int = 0
    earlier: str = ""
    answer: str = ""
    next_speaker: str | None = None
    stop_reason: str | None = None
    last_speaker: str | None = None
    task_start: int = 0
    task_stop: int = 0
    began: int = 0
    read: int | None = 0

    def save(self) -> SavedState:
        """All of it."""
        return dict(vars(self))

    @classmethod
    def load(cls, state: SavedState) -> Progress:
        """Read what `save` gave, or what AutoGen saved.

        Raises:
            pydantic.ValidationError: It has another shape.
        """
        return cls(**_SHAPE.validate_python(state))

    def of_next_task(self, task: Sequence[BaseChatMessage], start: int, stop: int) -> Progress:
        """The beginning of the work on another task, whose messages are in the transcript from `start` to `stop`."""
        earlier = prompts.EARLIER.format(task=self.task, answer=self.answer or self.facts) if self.task else ""
        text = "\n".join(message.to_model_text() for message in task)
        return Progress(task=text, earlier=earlier, task_start=start, task_stop=stop)

    def images(self, transcript: Transcript) -> list[Image]:
        """The images of the task."""
        task = transcript[self.task_start : self.task_stop]
        messages = [item for item in task if isinstance(item, MultiModalMessage)]
        return [piece for message in messages for piece in message.content if isinstance(piece, Image)]


class _Shown(Sequence[LLMMessage]):
    """The conversation as it is now, with questions behind it: what the model is shown in one call.

    A list of its own would cost each turn in proportion to the conversation: more than the rest of the turn from eight
    thousand turns on. The conversation is only appended to, so this one keeps its length and stays the same, should a
    client keep it. Rejected: to give out the conversation itself with the question appended, which would change later.

    Args:
        conversation: The conversation. It grows, and is not changed otherwise.
        rest: What follows.
    """

    def __init__(self, conversation: list[LLMMessage], *rest: LLMMessage) -> None:
        self._conversation = conversation
        self._length = len(conversation)
        self._rest = rest

    def __len__(self) -> int:
        return self._length + len(self._rest)

    def __iter__(self) -> Iterator[LLMMessage]:
        return chain(islice(self._conversation, self._length), self._rest)

    @overload
    def __getitem__(self, index: int) -> LLMMessage: ...

    @overload
    def __getitem__(self, index: slice) -> list[LLMMessage]: ...

    def __getitem__(self, index: int | slice) -> LLMMessage | list[LLMMessage]:
        if isinstance(index, slice):
            return list(self)[index]
        place = range(len(self))[index]
        return self._conversation[place] if place < self._length else self._rest[place - self._length]

    def __add__(self, more: Sequence[LLMMessage]) -> list[LLMMessage]:
        return [*self, *more]  # as a list can be extended, which some clients do


class OrchestratorUses(NamedTuple):
    """How the model of an orchestrator is asked.

    Attributes:
        ledger: For a progress ledger, before each turn of a participant.
        plan: For the fact sheet and the plan of a task.
        new_plan: For both again, after stalls.
        answer: For the final answer.
    """

    ledger: base.ModelUse
    plan: base.ModelUse
    new_plan: base.ModelUse
    answer: base.ModelUse


class Orchestrator:
    """Asks the model of a Magentic-One team.

    Args:
        participants: Their descriptions by their names.
        client: The model.
        plan_review: Shows each plan to a person.

    Attributes:
        names: The participants.
    """

    def __init__(
        self, participants: Mapping[str, str], client: ChatCompletionClient, plan_review: HumanFunction | None
    ) -> None:
        self.names = tuple(participants)
        self._client = client
        self._plan_review = plan_review
        self._team = "\n".join(f"- {name}: {' '.join(text.split())}" for name, text in participants.items())
        self._role = SystemMessage(content=prompts.ROLE.format(team=self._team))
        self._question = _question(prompts.PROGRESS.format(names=", ".join(self.names)))
        self._json_output: bool | type[BaseModel] | None = None  # made with the first question
        self._conversation: list[LLMMessage] = []  # empty until it is made of the transcript
        self._followed = 0  # how much of the transcript is in it

    def check_uses(self, final_answer: str) -> OrchestratorUses:
        """How the model is asked, for `team.check()`; `final_answer` asks for the answer.

        The reviews of a plan are not counted: each is a decision of a person.
        """
        requests = ((prompts.FACTS, prompts.PLAN), (prompts.NEW_FACTS, prompts.NEW_PLAN), (final_answer,))
        plan, new_plan, answer = ([self._role, *map(_question, texts)] for texts in requests)
        ledger = [self._role, self._question]
        return OrchestratorUses(
            ledger=base.ModelUse(client=self._client, prompt=ledger, calls=base.Bounds(1, _ATTEMPTS)),
            plan=base.ModelUse(client=self._client, prompt=plan, calls=base.Bounds(2, 2)),
            new_plan=base.ModelUse(client=self._client, prompt=new_plan, calls=base.Bounds(0, 2)),
            answer=base.ModelUse(client=self._client, prompt=answer),
        )

    def forget(self) -> None:
        """Make the conversation anew: the transcript or the plan is another one."""
        self._conversation = []

    def follow(self, at: Progress, transcript: Transcript, own: str) -> None:
        """Bring the conversation up to date: message by message, so that a turn costs what is new.

        Args:
            at: How far the work is.
            transcript: The messages of the team.
            own: The name under which the orchestrator speaks.
        """
        if not self._conversation:
            plan = [_answer(at.facts), _question(prompts.PLAN), _answer(at.plan)]
            self._conversation = [*self._opening(at, transcript), *plan]
            self._followed = at.began
        for index in range(self._followed, len(transcript)):
            message = transcript[index]
            if isinstance(message, BaseChatMessage):
                self._conversation.append(self._shown(message, own))
        self._followed = len(transcript)

    async def plan(self, at: Progress, transcript: Transcript, context: RuleContext) -> BaseChatMessage | None:
        """Write the fact sheet and the plan of a new task.

        Returns:
            The message that tells the team; None if a person refuses the plan without saying what to change.
        """
        return await self._plan(self._opening(at, transcript), prompts.PLAN, at, transcript, context)

    async def plan_anew(
        self, reason: str, at: Progress, transcript: Transcript, context: RuleContext
    ) -> BaseChatMessage | None:
        """Write both again, of a conversation that has stalled for `reason`. Returns what `plan` does."""
        request = _question(prompts.NEW_FACTS.format(reason=reason or "nothing new was found."))
        return await self._plan([*self._conversation, request], prompts.NEW_PLAN, at, transcript, context)

    async def ledger(self, context: RuleContext) -> ProgressLedger:
        """Ask for the ledger of progress, again where it cannot be read. The last attempt may have faults."""
        rest: list[LLMMessage] = [self._question]
        attempt = 1
        while True:
            messages = _Shown(self._conversation, *rest)
            result = await context.ask(self._client, messages, json_output=self._output())
            ledger = read_ledger(result.content, self.names)
            if not ledger.faults or attempt == _ATTEMPTS:
                return ledger
            attempt += 1
            objection = prompts.OBJECTION.format(faults=" ".join(ledger.faults))
            rest += [_answer(result.content), _question(objection)]

    async def write(self, request: str, context: RuleContext) -> str:
        """Answer a request that comes after the conversation."""
        return await self._written(_Shown(self._conversation, _question(request)), context)

    async def _plan(
        self, messages: list[LLMMessage], request: str, at: Progress, transcript: Transcript, context: RuleContext
    ) -> BaseChatMessage | None:
        """Let the model write the fact sheet, for which `messages` ask, and then the plan, for which `request` asks.

        Both become part of the progress once the plan is approved. Otherwise a run after a review that failed could
        carry out a plan without an approval.
        """
        facts = await self._written(messages, context)
        messages += [_answer(facts), _question(request)]
        plan = await self._written(messages, context)
        while self._plan_review is not None:
            question = HumanQuestion(
                prompts.REVIEW.format(facts=facts, plan=plan),
                approval_of={"task": at.task, "facts": facts, "plan": plan},
                source=context.source,
            )
            review = await ask_human(self._plan_review, question, context.cancellation_token)
            if review.approved:
                break
            if not review.text:
                return None
            messages += [_answer(plan), _question(prompts.REVISED_PLAN.format(words=review.text))]
            plan = await self._written(messages, context)
        at.facts, at.plan = facts, plan
        text = prompts.BRIEFING.format(task=at.task, team=self._team, facts=facts, plan=plan)
        images = at.images(transcript)  # the participants are not given the messages of the task themselves
        if images:
            return MultiModalMessage(content=[text, *images], source=context.source)
        return TextMessage(content=text, source=context.source)

    async def _written(self, messages: Sequence[LLMMessage], context: RuleContext) -> str:
        result = await context.ask(self._client, messages)
        return _text(result.content)

    def _output(self) -> bool | type[BaseModel] | None:
        """The shape of a ledger for the model: the schema, any JSON, or None if it has neither."""
        if self._json_output is None:
            info = self._client.model_info
            if info.get("structured_output"):
                self._json_output = ledger_schema(self.names)
            elif info["json_output"]:
                self._json_output = True
        return self._json_output

    def _opening(self, at: Progress, transcript: Transcript) -> list[LLMMessage]:
        """The role, and the request for the fact sheet."""
        text = prompts.FACTS.format(earlier=at.earlier, task=at.task)
        images = at.images(transcript) if self._client.model_info["vision"] else []
        return [self._role, UserMessage(content=[text, *images] if images else text, source="user")]

    def _shown(self, message: BaseChatMessage, own: str) -> LLMMessage:
        """A message as the model sees it; of a participant, with its name, which not every vendor passes on."""
        if message.source == own:
            return _answer(message.to_model_text())
        if isinstance(message, MultiModalMessage) and self._client.model_info["vision"]:
            return UserMessage(content=[f"{message.source}:", *message.content], source=message.source)
        return UserMessage(content=f"{message.source}: {message.to_model_text()}", source=message.source)


def _question(text: str) -> UserMessage:
    return UserMessage(content=text, source="user")


def _answer(content: str | Sequence[FunctionCall]) -> AssistantMessage:
    return AssistantMessage(content=_text(content), source="orchestrator")


def _text(content: str | Sequence[FunctionCall]) -> str:
    """An answer as text: a call, of a tool that the model was not given, is what it says."""
    return content if isinstance(content, str) else " ".join(call.arguments for call in content)
