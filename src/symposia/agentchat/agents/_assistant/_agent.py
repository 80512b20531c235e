"""The agent that answers by a model with tools."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from pydantic import BaseModel

from symposia._lazy import lazy_module
from symposia.agentchat import base
from symposia.agentchat._arguments import checked_guardrails
from symposia.agentchat.agents._assistant._answers import Answers, CallSummary
from symposia.agentchat.agents._assistant._configuration import (
    ROUNDS_WITH_SKILLS,
    AssistantConfiguration,
    ToolLike,
    check_iterations,
    checked_handoffs,
    checked_memories,
    checked_metadata,
    checked_output,
    checked_skills,
    checked_summary,
    checked_tools,
    checked_workbenches,
)
from symposia.agentchat.agents._assistant._output import ContentT, OutputCheck, OutputFallback
from symposia.agentchat.agents._assistant._parts import DefaultParts, ModelInput, Rejection, SchemaParts, TurnProgress
from symposia.agentchat.agents._assistant._tool_calls import AvailableTools, CallDecision
from symposia.agentchat.agents._assistant._tool_states import ToolStates, static_tools
from symposia.agentchat.agents._assistant._turn import AssistantTurn
from symposia.agentchat.agents._base_chat_agent import declared_types
from symposia.agentchat.agents._conversation import Conversation, ConversationAgent
from symposia.agentchat.agents._model_turn import ModelCall
from symposia.agentchat.base import Handoff, Response
from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    HandoffMessage,
    MessageType,
    StopMessage,
    TextMessage,
    ToolCallSummaryMessage,
)
from symposia.core import CancellationToken, FunctionCall, uninterrupted
from symposia.core.argument_checks import check_flag, check_model_client
from symposia.core.changes import Change, copy_state, members
from symposia.core.memory import Memory
from symposia.core.model_context import ChatCompletionContext
from symposia.core.models import ChatCompletionClient, CreateResult, FunctionExecutionResult
from symposia.core.tools import Workbench

if TYPE_CHECKING:
    from symposia.agentchat import _checked_turn as checked_turn_module
    from symposia.agentchat import guardrails as guardrails_module
    from symposia.agentchat import skills as skills_module
else:
    checked_turn_module = lazy_module("symposia.agentchat._checked_turn")
    guardrails_module = lazy_module("symposia.agentchat.guardrails")
    skills_module = lazy_module("symposia.agentchat.skills")

_TOOLS = "tools"
_DESCRIPTION = "An assistant that answers questions and solves tasks, with tools where it has them."
_SYSTEM_MESSAGE = (
    "You are a helpful assistant. Work on the task that you are given, and use your tools where they help. "
    "When the task is done, end your answer with the word TERMINATE."
)


class AssistantAgent(ConversationAgent):
    """An agent that answers by a model with tools.

    It keeps the conversation in its model context, so give it only what is new. In one turn it calls the model and then
    the tools that the model asks for, all calls of one answer at the same time; a plain function runs in a worker
    thread. The turn ends with

    - the model's text (`TextMessage`), or a `StructuredMessage` if there is an `output_content_type`;
    - the results of the last tool calls (`ToolCallSummaryMessage`), if the rounds of tool calls are used up and the
      assistant does not reflect;
    - a `HandoffMessage`, as soon as the model hands off. It can hand off once in an answer: the first handoff counts.

    The failure of a tool, wrong arguments and the name of a tool that does not exist are results that the model reads,
    and the turn goes on. A turn that is cancelled or raises leaves the assistant usable: every tool call in its context
    has a result, and the same messages given once more are not added again.

    The parts of its loop are methods that a subclass can override: `build_model_input` decides what the model is asked,
    `decide_calls` which calls are made, and `make_answer`, `summarize_results` and `make_handoff` how it answers.

    Args:
        name: Unique within a team; a Python identifier.
        model_client: The model.
        tools: Functions, or tools. A function's docstring is its description for the model.
        workbench: Where the tools are, instead of `tools`; one workbench or several.
        handoffs: The agents that the model can pass the turn to: their names, or `Handoff`.
        model_context: Chooses which part of the conversation the model is shown; by default, all of it.
        description: Describes the agent to the speaker selection.
        system_message: The instructions of the model; None for none.
        model_client_stream: Show the model's text as it comes, as `ModelClientStreamingChunkEvent`.
        reflect_on_tool_use: Let the model turn tool results into an answer. By default only if there is an
            `output_content_type`.
        max_tool_iterations: The most rounds of tool calls in one turn.
        tool_call_summary_format: The text of a tool call in a `ToolCallSummaryMessage`: a template that may name
            ``{tool_name}``, ``{arguments}``, ``{result}`` and ``{is_error}``.
        tool_call_summary_formatter: The same as a function, which takes precedence.
        output_content_type: The class that answers are parsed into. A model without structured output is told its
            schema in words.
        output_content_type_format: The text of such an answer; see `StructuredMessage`.
        memory: Asked before each turn for what fits the conversation.
        metadata: Free for the application.
        output_retries: How often in a turn an answer that is not accepted is sent back to the model, with the reason.
            Each, and a last one that is not accepted, is an `OutputRejectedEvent` with its tokens.
        output_check: Returns the fault of an answer that fits the schema; see `OutputCheck`.
        output_fallback: Gives the answer if no attempt was accepted; see `OutputFallback`. By default the turn raises
            `ModelAnswerError`.
        guardrails: Check the messages that the assistant receives, its tool calls and its answer; see
            `symposia.agentchat.guardrails`. A blocked message or answer ends the turn with a `StopMessage`; a blocked
            call has the reason as its result.
        skills: Folders of skills, which the model reads when it needs them, or a `SkillWorkbench`. Their names and
            descriptions are behind the system message. With skills, a `max_tool_iterations` of 1 stands for 10, since
            reading a skill takes a round, and the model reflects by default.

    Raises:
        InvalidArgumentError: The arguments cannot work together, or `name` is not an identifier; the text says why.
        ArgumentTypeError: An argument is of another kind; the text says of which it has to be.
    """

    _state_type = "AssistantAgentState"
    component_version = 2
    component_transient = frozenset({"tool_call_summary_formatter"})

    def __init__(
        self,
        name: str,
        model_client: ChatCompletionClient,
        *,
        tools: Sequence[ToolLike] | None = None,
        workbench: Workbench | Sequence[Workbench] | None = None,
        handoffs: Sequence[Handoff | str] | None = None,
        model_context: ChatCompletionContext | None = None,
        description: str = _DESCRIPTION,
        system_message: str | None = _SYSTEM_MESSAGE,
        model_client_stream: bool = False,
        reflect_on_tool_use: bool | None = None,
        max_tool_iterations: int = 1,
        tool_call_summary_format: str = "{result}",
        tool_call_summary_formatter: CallSummary | None = None,
        output_content_type: type[ContentT] | None = None,
        output_content_type_format: str | None = None,
        memory: Sequence[Memory] | None = None,
        metadata: dict[str, str] | None = None,
        output_retries: int = 0,
        output_check: OutputCheck[ContentT] | None = None,
        output_fallback: OutputFallback[ContentT] | None = None,
        guardrails: Sequence[guardrails_module.Guardrail] | None = None,
        skills: skills_module.SkillWorkbench | Sequence[Path | str] | Path | str | None = None,
    ) -> None:
        super().__init__(name, description)
        agent = f"agent '{name}'"
        check_model_client(agent, model_client)
        check_flag("model_client_stream", agent, model_client_stream)
        check_flag("reflect_on_tool_use", agent, reflect_on_tool_use)
        check_iterations(name, max_tool_iterations)
        made_tools = checked_tools(name, tools, client=model_client)
        made_handoffs = checked_handoffs(name, handoffs, made_tools, client=model_client)
        output = checked_output(
            name,
            output_content_type,
            output_content_type_format,
            retries=output_retries,
            check=output_check,
            fallback=output_fallback,
        )
        self._metadata = checked_metadata(name, metadata)
        self._guardrails = checked_guardrails(agent, guardrails) if guardrails is not None else ()
        self._skills = None if skills is None else checked_skills(name, skills, made_tools, client=model_client)
        told = [self._skills and self._skills.instructions, output and output.instructions(model_client)]
        instructions = "\n".join(filter(None, told)) or None
        self._conversation = Conversation.of_agent(agent, model_client, model_context, system_message, instructions)
        workbenches = checked_workbenches(name, workbench, made_tools, made_handoffs.values(), client=model_client)
        self._configuration = AssistantConfiguration(
            name=name,
            client=model_client,
            conversation=self._conversation,
            memories=checked_memories(name, memory),
            workbenches=workbenches if self._skills is None else [self._skills, *workbenches],
            stream=model_client_stream,
            reflect=bool(output or self._skills) if reflect_on_tool_use is None else reflect_on_tool_use,
            rounds=ROUNDS_WITH_SKILLS if self._skills is not None and max_tool_iterations == 1 else max_tool_iterations,
            answers=Answers(
                agent=name,
                handoffs=made_handoffs,
                call_summary=checked_summary(name, tool_call_summary_formatter, tool_call_summary_format),
            ),
            output=output,
            guardrails=[each for each in self._guardrails if "tool_call" in each.stages],
        )
        self._parts = DefaultParts(self._configuration)
        self._tool_states = ToolStates(name, self._configuration.workbenches)

    @property
    def produced_message_types(self) -> Sequence[MessageType]:
        """Text or structured messages, summaries of tool calls, handoffs, what tools made of agents show, and stops."""
        output = self._configuration.output
        answers: list[MessageType] = [TextMessage] if output is None else [output.factory.StructuredMessage]
        # A tool made of an agent shows the messages of that agent.
        shown = [getattr(tool, "produced_message_types", ()) for tool in static_tools(self._configuration.workbenches)]
        answers += [ToolCallSummaryMessage, HandoffMessage, *([StopMessage] if self._guardrails else [])]
        return [*answers, *(one for each in shown for one in each)]

    async def on_run_start(self) -> None:
        """Prepare the tools, so that a tool that cannot work ends the run before a model is asked.

        A tool whose function comes as source is described in its sandbox, which lacks the packages of some.

        Raises:
            SandboxError, ToolFunctionError: As `BaseTool.prepare`.
        """
        for workbench in self._configuration.workbenches:
            if workbench.is_static:  # others, as one of an MCP server, are asked in each turn
                await workbench.list_tools()

    def check_outline(self) -> base.AgentOutline:
        """The outline for `team.check()`: the model, the prompt, the tools and the handoffs."""
        from symposia.agentchat.agents._assistant._outline import outline_of  # noqa: PLC0415 - only checks need it

        outline = outline_of(self._configuration, declared_types(self, AssistantAgent))
        if not self._guardrails:
            return outline
        rounds = base.Bounds(0, self._configuration.rounds if self._configuration.workbenches else 0)
        return checked_turn_module.guarded_outline(outline, self._guardrails, rounds)

    def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        """Take one turn, and yield its messages and events; the last item is the response.

        Raises:
            ModelError: No answer of the model was accepted; or whatever the model client raises.
            asyncio.CancelledError: The token was cancelled.
        """
        turn = AssistantTurn(self._configuration, self, cancellation_token)
        return self._checked(turn, messages, cancellation_token)

    def _checked(
        self, turn: AssistantTurn, messages: Sequence[BaseChatMessage], token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        if not self._guardrails:
            return turn.run(messages)
        return checked_turn_module.checked_turn(self.name, self._guardrails, messages, token, turn.run)

    # The parts of the loop: a subclass overrides those that it replaces.

    async def build_model_input(self, progress: TurnProgress) -> ModelInput:
        """Decide what the model is asked: the conversation so far, with the tools.

        Where no more calls are made, the tools are still shown, and the choice is ``none``. Without them the request
        would begin differently from the previous one, and the vendor could read no part of it from its cache.

        Args:
            progress: The progress of the turn.
        """
        return await self._parts.build_model_input(progress)

    async def decide_calls(self, calls: Sequence[FunctionCall], tools: AvailableTools) -> Sequence[CallDecision]:
        """Decide which calls of an answer are made, and with which arguments.

        A call of an unknown tool or with wrong arguments is refused, and so are all handoffs but the first.

        Args:
            calls: The calls.
            tools: The available tools.

        Returns:
            For each call, in their order, an `AcceptedCall`, or the result of a call that is not made, such as
            `refuse_call` returns.
        """
        return await self._parts.decide_calls(calls, tools)

    async def make_answer(self, call: ModelCall, progress: TurnProgress) -> BaseChatMessage | Rejection:
        """Make the answer of the turn from the model's words, or reject them.

        Args:
            call: The call of the model, with its `result`. A message with its `message_id` belongs to its chunks.
            progress: The progress of the turn before the call.

        Raises:
            ModelError: The model asks for tools that it was not given, or its answer does not fit the schema.
        """
        return await self._parts.make_answer(call, progress)

    async def summarize_results(
        self, calls: Sequence[FunctionCall], results: Sequence[FunctionExecutionResult]
    ) -> BaseChatMessage:
        """Make the answer of a turn that ends with tool calls, without the model.

        Args:
            calls: The calls of the last answer.
            results: Their results, in the same order.
        """
        return await self._parts.summarize_results(calls, results)

    def make_handoff(
        self, answer: CreateResult, calls: Sequence[FunctionCall], results: Sequence[FunctionExecutionResult]
    ) -> HandoffMessage | None:
        """Make the message that passes the turn on, if one of the calls handed off; None to go on.

        Args:
            answer: The answer of the model.
            calls: The calls in it.
            results: Their results, in the same order.
        """
        return self._parts.make_handoff(answer, calls, results)

    def answer_in_schema(
        self,
        messages: Sequence[BaseChatMessage],
        content_type: type[BaseModel],
        cancellation_token: CancellationToken,
        *,
        retries: int = 0,
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        """Take one turn that is answered in a schema, without tools; see `AnswersInSchema`.

        A model without structured output is told the schema in words.
        """
        configuration = self._configuration.answering_in(content_type, retries)
        instructions = configuration.output and configuration.output.instructions(configuration.client)
        if instructions:
            messages = [*messages, TextMessage(content=instructions, source="user")]
        turn = AssistantTurn(configuration, SchemaParts(configuration, self), cancellation_token)
        return self._checked(turn, messages, cancellation_token)

    async def close(self) -> None:
        """End the sandbox in which scripts of skills ran, if the assistant was given folders of skills."""
        if self._skills is not None and self._skills is not self._constructor_arguments().get("skills"):
            await self._skills.stop()

    async def save_state(self) -> Mapping[str, Any]:
        """The model context, the input of a turn that failed, and the states of tools, such as an `AgentTool`."""
        state = await super().save_state()
        return {**state, _TOOLS: await self._tool_states.save()} if self._tool_states else state

    async def save_changes(self, since: object | None) -> tuple[Change | None, object]:
        """The change of the state since a mark; see `symposia.core.changes.IncrementalState`."""
        if not self._tool_states:
            return await super().save_changes(since)
        before = since if isinstance(since, _Mark) else _Mark(None, {})
        change, conversation = await super().save_changes(before.conversation)
        tools, marks = await self._tool_states.save_changes(before.tools)
        inner, now = change or {}, _Mark(conversation, marks)
        if before.conversation is None:
            states = {name: each["set"] for name, each in (tools or {}).get("update", {}).items()}
            return {"set": {**inner["set"], _TOOLS: states}}, now
        return members({**inner.get("update", {}), _TOOLS: tools}, inner.get("remove", ())), now

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `save_state` returned: all of it, or nothing if a part of it cannot be loaded.

        Tools of which it has no state, as one of AutoGen, keep their own.

        Raises:
            InvalidArgumentError: The states of the tools are no mapping.
            Exception: What `ConversationAgent.load_state`, or a tool, raised.
        """
        if not self._tool_states:
            await super().load_state(state)
            return
        before = copy_state(await self.save_state())
        try:
            await self._load(state)
        except BaseException:
            await uninterrupted(self._load(before))
            raise

    async def _load(self, state: Mapping[str, Any]) -> None:
        await super().load_state(state)
        if _TOOLS in state:
            await self._tool_states.load(state[_TOOLS])

    def _to_config(self) -> BaseModel:
        """The arguments of the constructor, with functions as tools."""
        tools = self._constructor_arguments().get("tools")
        client = self._configuration.client
        return self._derived_config(tools=None if tools is None else checked_tools(self.name, tools, client=client))

    @classmethod
    def _from_config_past_version(cls, config: dict[str, Any], version: int) -> Self:  # noqa: ARG003 - there is but one
        """Version 1 had tools where version 2 of AutoGen has a workbench; here both are known."""
        return cls._from_config(cls.component_config_schema.model_validate(config))

    @classmethod
    def _from_autogen(cls, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """The arguments, as AutoGen saves them.

        It leaves out a system message that is None, saves a workbench where there are no tools, and saves the class of
        structured answers as a factory of messages.
        """
        own = {"system_message": None, **config}
        own["workbench"] = [each for each in own.get("workbench") or () if each.get("config", {}).get("tools") != []]
        if factory := own.pop("structured_message_factory", None):
            own["output_content_type"] = {"json_schema": factory["config"]["json_schema"]}
            own["output_content_type_format"] = factory["config"].get("format_string")
        return own if own["workbench"] else {**own, "workbench": None}

    @classmethod
    def _to_autogen(cls, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """The reverse of `_from_autogen`, with `reflect_on_tool_use`, which AutoGen requires."""
        own: dict[str, Any] = {"reflect_on_tool_use": "output_content_type" in config, **config}
        # AutoGen saves and loads handoffs in full only, though its constructor takes names.
        named = [Handoff(target=each) if isinstance(each, str) else each for each in own.pop("handoffs", ())]
        if named:
            own["handoffs"] = [each.model_dump() if isinstance(each, Handoff) else each for each in named]
        if isinstance(own.get("workbench"), Mapping):
            own["workbench"] = [own["workbench"]]
        form, saved_type = own.pop("output_content_type_format", None), own.pop("output_content_type", None)
        if saved_type:
            from symposia.agentchat.messages import StructuredMessageFactory  # noqa: PLC0415 - most agents answer in text

            factory = StructuredMessageFactory(json_schema=saved_type["json_schema"], format_string=form)
            own["structured_message_factory"] = factory.dump_component().model_dump(mode="json")
        return own


class _Mark(NamedTuple):
    """A saved state: the mark of the conversation, and that of each tool that has a state, by its name."""

    conversation: object | None
    tools: Mapping[str, object]
