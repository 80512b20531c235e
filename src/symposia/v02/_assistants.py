"""The assistants of an OpenAI service: found by what they are made of, or made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from symposia._lazy import lazy_module

if TYPE_CHECKING:
    import openai
    from openai import pagination, types
    from openai.types import beta
else:
    types = lazy_module("openai.types")
    openai, pagination, beta = lazy_module("openai"), lazy_module("openai.pagination"), lazy_module("openai.types.beta")

Tool = Mapping[str, Any]  # Any: JSON

_HEADERS: Final = {"OpenAI-Beta": "assistants=v2"}


@dataclass(frozen=True)
class Wanted:
    """What a program says of an assistant.

    Attributes:
        name: Its name.
        model: Its model.
        instructions: Its instructions; None if any will do.
        tools: Its tools as JSON.
        files: The ids of files for its tools.
        resources: The files of its tools as JSON, in place of `files`.
    """

    name: str
    model: str
    instructions: str | None
    tools: Sequence[Tool]
    files: Sequence[str]
    resources: Mapping[str, object] | None


def wanted_assistant(name: str, model: str, instructions: str | None, config: Mapping[str, Any]) -> Wanted:  # Any: JSON
    """What a configuration says of an assistant: `tools`, `file_ids`, `tool_resources`."""
    return Wanted(
        name=name,
        model=model,
        instructions=instructions,
        tools=[_current(tool) for tool in config.get("tools") or ()],
        files=config.get("file_ids") or (),
        resources=config.get("tool_resources"),
    )


def _current(tool: Tool) -> Tool:
    """A tool as the service has it: what was ``retrieval`` is ``file_search`` today."""
    return {**tool, "type": "file_search"} if tool.get("type") == "retrieval" else tool


class Assistants:
    """The assistants of a service. Blocks.

    The paths are given in full: the SDK's own methods for them are deprecated, and warn at each call.

    Args:
        client: The SDK's client.

    Raises:
        openai.OpenAIError: Of every method: a request failed.
    """

    def __init__(self, client: openai.OpenAI) -> None:
        self._client = client

    def named(self, name: str) -> list[beta.Assistant]:
        """The assistants with a name, the newest first."""
        options: Any = {"headers": _HEADERS, "params": {"order": "desc", "limit": "100"}}  # Any: the SDK's private type
        found = self._client.get_api_list(
            "/assistants", model=beta.Assistant, page=pagination.SyncCursorPage[beta.Assistant], options=options
        )
        return [each for each in found if each.name == name]

    def get(self, assistant_id: str) -> beta.Assistant:

        return self._client.get(f"/assistants/{assistant_id}", cast_to=beta.Assistant, options={"headers": _HEADERS})

    def create(self, wanted: Wanted, default_instructions: str) -> beta.Assistant:
        """Make an assistant. Its files are given to the code interpreter, and to the search in a vector store."""
        resources = self._resources(wanted) if wanted.resources is None else wanted.resources
        made_of: dict[str, object] = {
            "name": wanted.name,
            "model": wanted.model,
            "instructions": default_instructions if wanted.instructions is None else wanted.instructions,
            "tools": list(wanted.tools),
        }
        return self._write("/assistants", {**made_of, **({"tool_resources": resources} if resources else {})})

    def update(self, assistant_id: str, fields: Mapping[str, object]) -> beta.Assistant:
        return self._write(f"/assistants/{assistant_id}", fields)

    def delete(self, assistant_id: str) -> None:
        self._client.delete(f"/assistants/{assistant_id}", cast_to=object, options={"headers": _HEADERS})

    def delete_thread(self, thread_id: str) -> None:
        self._client.delete(f"/threads/{thread_id}", cast_to=object, options={"headers": _HEADERS})

    def said_in(self, thread_id: str) -> list[tuple[str, str]]:
        """The role and the text of the messages of a thread, the oldest first; at most 100."""
        options: Any = {"headers": _HEADERS, "params": {"order": "asc", "limit": "100"}}  # Any: as above
        page: Any = self._client.get(f"/threads/{thread_id}/messages", cast_to=object, options=options)  # Any: JSON
        return [(each["role"], _text(each["content"])) for each in page["data"]]

    def create_vector_store(self, name: str, files: Sequence[str]) -> types.VectorStore:
        """Make a vector store of files. The service waits for it before a search."""
        fields = {"name": name, "file_ids": list(files)}
        return self._client.post(
            "/vector_stores", cast_to=types.VectorStore, body=fields, options={"headers": _HEADERS}
        )

    def _resources(self, wanted: Wanted) -> Mapping[str, object]:
        kinds = {tool["type"] for tool in wanted.tools} if wanted.files else set[str]()
        resources: dict[str, object] = {}
        if "code_interpreter" in kinds:
            resources["code_interpreter"] = {"file_ids": list(wanted.files)}
        if "file_search" in kinds:
            store = self.create_vector_store(f"Files of {wanted.name}", wanted.files)
            resources["file_search"] = {"vector_store_ids": [store.id]}
        return resources

    def _write(self, path: str, fields: Mapping[str, object]) -> beta.Assistant:

        return self._client.post(path, cast_to=beta.Assistant, body=dict(fields), options={"headers": _HEADERS})


def matching(
    candidates: Iterable[beta.Assistant], instructions: str | None, tools: Sequence[Tool]
) -> beta.Assistant | None:
    """The first assistant with these instructions, or any for None, and with these tools.

    Tools are the same if their types and the names of their functions are.
    """
    wanted = {_name_of(tool) for tool in tools}
    for each in candidates:
        is_instructed = instructions is None or each.instructions == instructions
        if is_instructed and {_name_of(tool.model_dump()) for tool in each.tools} == wanted:
            return each
    return None


def _name_of(tool: Tool) -> tuple[str, str | None]:
    function: Mapping[str, str] = tool.get("function") or {}
    return tool["type"], function.get("name")


def _text(content: Sequence[Mapping[str, Any]]) -> str:  # Any: JSON
    return "\n".join(part["text"]["value"] if part.get("text") else f"<{part['type']}>" for part in content)
