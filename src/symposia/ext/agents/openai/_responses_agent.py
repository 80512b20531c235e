"""An assistant over the Responses API, with the tools that run at the vendor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias, cast

from pydantic import BaseModel, Field
from typing_extensions import override

from symposia._lazy import lazy_module
from symposia.agentchat.agents import AssistantAgent, ModelCall, Rejection, TurnProgress
from symposia.agentchat.messages import BaseChatMessage, MessageType, MultiModalMessage
from symposia.core import ComponentModel
from symposia.core.argument_checks import check_flag, check_model_name
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError, MissingExtraError, ModelError
from symposia.core.model_context import UnboundedChatCompletionContext
from symposia.core.models import AssistantMessage, CreateResult, LLMMessage, UserMessage
from symposia.core.tools import BaseTool, FunctionTool
from symposia.ext.agents._images import with_images
from symposia.ext.models.openai import BaseOpenAIChatCompletionClient

if TYPE_CHECKING:
    import openai
else:
    openai = lazy_module("openai")

HostedTool: TypeAlias = Mapping[str, Any]
"""A tool that runs at the vendor, as its JSON: ``{"type": "file_search", "vector_store_ids": [...]}``."""
OwnTool: TypeAlias = BaseTool[Any, Any]  # Any: of whatever arguments and results

_REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "code_interpreter": ("container",),
    "computer_use_preview": ("display_height", "display_width", "environment"),
    "file_search": ("vector_store_ids",),
    "image_generation": (),
    "local_shell": (),
    "mcp": ("server_label",),
    "web_search": (),
    "web_search_preview": (),
}
"""The parameters that a tool at the vendor cannot do without. Tools that are not named here are passed on."""

_AWAITED: Final[Mapping[str, str]] = {
    "apply_patch_call": "an edit of files, which this agent does not make",
    "computer_call": "an action on a screen, which this agent does not have",
    "custom_tool_call": "a call of a tool without a schema, which this agent does not make",
    "local_shell_call": "a command on this machine, which this agent does not run: give it a code executor as a tool",
    "mcp_approval_request": "the approval of a call of an MCP server: give the tool require_approval='never', or use "
    "McpWorkbench, whose calls can be approved here",
    "shell_call": "a command on this machine, which this agent does not run: give it a code executor as a tool",
}  # fmt: skip
"""Items of an answer with which the vendor waits for its client. Without the client's part there is no answer."""


class OpenAIAgentConfig(BaseModel, defer_build=True):
    """The saved configuration of an `OpenAIAgent`. The client is not saved: keys are no part of a configuration.

    Attributes:
        tools: Tools at the vendor as their JSON, and others as components.
    """

    name: str
    description: str
    model: str
    instructions: str
    tools: list[ComponentModel | dict[str, Any]] | None = None
    temperature: float | None = 1
    max_output_tokens: int | None = None
    json_mode: bool = False
    store: bool = True
    truncation: str = "disabled"
    model_client_stream: bool = Field(default=False, exclude_if=lambda value: not value)
    max_tool_iterations: int = Field(default=10, exclude_if=lambda value: value == 10)  # noqa: PLR2004 - the default


class OpenAIAgent(AssistantAgent):
    """An assistant that answers over OpenAI's Responses API, and can use the tools that run there.

    Its conversation is kept here as well as at the vendor: where the vendor still knows the last response, only what is
    new is sent, and otherwise the whole conversation. Images that a tool at the vendor has made are part of the answer,
    which is a `MultiModalMessage` then.

    Args:
        name: Unique within a team; a Python identifier.
        description: Describes the agent to the speaker selection.
        client: The SDK's client. It belongs to the caller.
        model: The model, or its deployment at Azure.
        instructions: The instructions of the model.
        tools: Tools at the vendor, by name or as JSON, and tools or functions that run here.
        temperature: As the API has it.
        max_output_tokens: The most tokens of an answer, reasoning among them.
        json_mode: Whether answers are JSON.
        store: Whether the vendor keeps the responses, so that only what is new is sent.
        truncation: What happens to a conversation that is too long: ``disabled`` fails, ``auto`` drops what is older.
        model_client_stream: Show the model's text as it comes.
        max_tool_iterations: The most rounds of calls of tools that run here, in one turn.

    Raises:
        ArgumentTypeError: An argument is of another type.
        InvalidArgumentError: `model` is empty, a tool at the vendor lacks a parameter, or as `AssistantAgent`.
    """

    _state_type = "OpenAIAgentState"
    component_version = 1
    component_config_schema = OpenAIAgentConfig

    def __init__(
        self,
        name: str,
        description: str,
        client: openai.AsyncOpenAI,
        model: str,
        instructions: str,
        tools: Iterable[str | HostedTool | OwnTool | Callable[..., Any]] | None = None,
        temperature: float | None = 1,
        max_output_tokens: int | None = None,
        json_mode: bool = False,
        store: bool = True,
        truncation: str = "disabled",
        *,
        model_client_stream: bool = False,
        max_tool_iterations: int = 10,
    ) -> None:
        owner = f"agent '{name}'"
        check_model_name("model", owner, model)
        check_flag("json_mode", owner, json_mode)
        check_flag("store", owner, store)
        _check_client(owner, client)
        given = list(tools or ())
        self._hosted = [_hosted_tool(owner, cast("HostedTool", tool)) for tool in given if _is_hosted(tool)]
        self._own_tools = [_own_tool(tool) for tool in given if not _is_hosted(tool)]
        arguments: dict[str, object] = {
            "model": model,
            "store": store,
            # The API's own defaults are left out: models that reason refuse even them.
            **({"temperature": temperature} if temperature != 1 else {}),
            **({"truncation": truncation} if truncation != "disabled" else {}),
            **({"max_output_tokens": max_output_tokens} if max_output_tokens is not None else {}),
            **({"text": {"format": {"type": "json_object"}}} if json_mode else {}),
            **({"tools": self._hosted} if self._hosted else {}),
        }
        super().__init__(
            name,
            BaseOpenAIChatCompletionClient(
                client, create_args=arguments, api="responses", use_previous_response_id=store
            ),
            description=description,
            system_message=instructions,
            tools=self._own_tools,
            reflect_on_tool_use=True,
            max_tool_iterations=max_tool_iterations,
            model_client_stream=model_client_stream,
        )
        self._model = model
        self._opened: openai.AsyncOpenAI | None = None

    @property
    def model(self) -> str:
        """The model."""
        return self._model

    @property
    def tools(self) -> list[Any]:  # Any: JSON or a tool
        """The tools at the vendor as their JSON, and those that run here."""
        return [*self._hosted, *self._own_tools]

    @property
    @override
    def produced_message_types(self) -> Sequence[MessageType]:
        """Those of an `AssistantAgent`, and text with images."""
        return [*super().produced_message_types, MultiModalMessage]

    @override
    async def make_answer(self, call: ModelCall, progress: TurnProgress) -> BaseChatMessage | Rejection:
        """Make the answer of the model's words, and of the images that were made at the vendor.

        Raises:
            ModelError: The vendor waits for something that this agent does not do.
        """
        items = _items(call.result)
        for item in items:
            if (wanted := _AWAITED.get(str(item.get("type")))) is not None:
                raise ModelError(
                    f"Agent '{self.name}': the model {self._model!r} waits for {wanted}, which this agent does not "
                    "give. Leave the tool out that needs it."
                )
        encoded = [item.get("result") for item in items if item.get("type") == "image_generation_call"]
        answer = await super().make_answer(call, progress)
        return with_images(self.name, call, answer, [image for image in encoded if isinstance(image, str)])

    @override
    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `save_state` returned, or what AutoGen's agent saved, in place of the conversation so far.

        Of AutoGen's state the messages are taken. The conversation goes on without the vendor's response, which may be
        gone there.

        Raises:
            pydantic.ValidationError: It is not a saved conversation.
            Exception: See `AssistantAgent.load_state`.
        """
        if isinstance(state, Mapping) and "history" in state:  # pyright: ignore[reportUnnecessaryIsInstance] - callers may have no types
            messages = [_past_message(self.name, each) for each in cast("Sequence[object]", state["history"])]
            context = UnboundedChatCompletionContext(initial_messages=messages)
            state = {"type": self._state_type, "llm_context": await context.save_state()}
        await super().load_state(state)

    @override
    async def close(self) -> None:
        """Close the client, if the agent was loaded from JSON and has made it."""
        await super().close()
        if self._opened is not None:
            await self._opened.close()

    def to_config(self) -> OpenAIAgentConfig:
        """The configuration; see `dump_component`.

        Raises:
            ComponentError: A tool cannot be saved.
        """
        return self._to_config()

    @classmethod
    def from_config(cls, config: OpenAIAgentConfig) -> Self:
        """An agent with a client of the environment's key; see `load_component`.

        Raises:
            MissingExtraError: The SDK is not installed.
            openai.OpenAIError: There is no key.
        """
        return cls._from_config(config)

    @override
    def _to_config(self) -> OpenAIAgentConfig:
        given = self._constructor_arguments()
        saved = [*self._hosted, *(tool.dump_component() for tool in self._own_tools)]
        names = OpenAIAgentConfig.model_fields.keys() - {"tools"}
        return OpenAIAgentConfig.model_validate(
            {"tools": saved or None, **{name: given[name] for name in given if name in names}}
        )

    @classmethod
    @override
    def _from_config(cls, config: BaseModel) -> Self:
        try:
            import openai  # noqa: PLC0415 - takes a second
        except ImportError:
            raise MissingExtraError(cls.__name__, "openai") from None
        read = cast("OpenAIAgentConfig", config)
        tools: list[HostedTool | OwnTool] = [
            cast("OwnTool", BaseTool.load_component(tool)) if isinstance(tool, ComponentModel) else tool
            for tool in read.tools or ()
        ]
        client = openai.AsyncOpenAI()
        made = cls(
            name=read.name,
            description=read.description,
            client=client,
            model=read.model,
            instructions=read.instructions,
            tools=tools,
            temperature=read.temperature,
            max_output_tokens=read.max_output_tokens,
            json_mode=read.json_mode,
            store=read.store,
            truncation=read.truncation,
            model_client_stream=read.model_client_stream,
            max_tool_iterations=read.max_tool_iterations,
        )
        made._opened = client
        return made

    @classmethod
    @override
    def _from_autogen(cls, config: Mapping[str, Any]) -> Mapping[str, Any]:
        return config

    @classmethod
    @override
    def _to_autogen(cls, config: Mapping[str, Any]) -> Mapping[str, Any]:
        return config


def _check_client(owner: str, client: object) -> None:
    if not hasattr(client, "responses"):
        raise ArgumentTypeError(f"client of {owner} has to be an AsyncOpenAI or AsyncAzureOpenAI, not {client!r}")


def _is_hosted(tool: object) -> bool:
    return isinstance(tool, str | Mapping)


def _own_tool(given: object) -> OwnTool:
    """A tool that runs here. Other things than tools and functions are refused by `AssistantAgent`."""
    if callable(given) and not isinstance(given, BaseTool | type):
        return FunctionTool(given, description=given.__doc__ or "")
    return cast("OwnTool", given)


def _hosted_tool(owner: str, given: str | HostedTool) -> dict[str, Any]:
    """A tool at the vendor as its JSON.

    Raises:
        InvalidArgumentError: The vendor has no such tool, or it lacks a parameter.
    """
    tool: dict[str, Any] = {"type": given} if isinstance(given, str) else dict(given)
    kind = tool.get("type")
    if not isinstance(kind, str) or (isinstance(given, str) and kind not in _REQUIRED):
        raise InvalidArgumentError(
            f"{given!r} of {owner} is no tool at OpenAI: give one of {', '.join(_REQUIRED)}, or the JSON of another."
        )
    missing = [name for name in _REQUIRED.get(kind, ()) if name not in tool]
    if missing:
        raise InvalidArgumentError(
            f"The tool {kind!r} of {owner} needs {', '.join(missing)}: give {{'type': {kind!r}, {missing[0]!r}: …}}."
        )
    return tool


def _items(result: CreateResult) -> list[dict[str, object]]:
    """The items of an answer, as far as a message of ours does not hold them."""
    return [item for items in (result.vendor_blocks or {}).values() for item in items]


def _past_message(agent: str, entry: object) -> LLMMessage:
    """A message of AutoGen's state."""
    said = cast("Mapping[str, object]", entry if isinstance(entry, Mapping) else {})
    role, content = said.get("role"), said.get("content")
    if not isinstance(content, str) or role not in {"user", "assistant"}:
        raise InvalidArgumentError(
            f"The history of agent '{agent}' has an entry that is no message: {entry!r}. Load "
            "a state that an OpenAIAgent saved."
        )
    if role == "assistant":
        return AssistantMessage(content=content, source=agent)
    return UserMessage(content=content, source="user")
