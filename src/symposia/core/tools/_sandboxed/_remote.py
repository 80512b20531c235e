"""Functions in a sandbox: what is asked of the program inside, and what its answers mean."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Final, Literal, cast

from pydantic import JsonValue
from pydantic_core import from_json, to_jsonable_python

from symposia.core.code_executor import SandboxResult
from symposia.core.exceptions import SandboxDiedError, SandboxUnavailableError, ToolFunctionError
from symposia.core.json_values import JsonObject
from symposia.core.tools._sandboxed._description import remote_function
from symposia.core.tools._sandboxed._sandbox import FunctionSandbox

# The work folder, which earlier calls could write, is first on the path of modules. Nothing may be imported from it.
_PREFIX: Final = "import os, sys\nsys.path[:] = [each for each in sys.path if each not in ('', os.getcwd())]\n"
_MOST_DESCRIPTION: Final = 32 * 1024  # characters: it becomes the schema that a model gets with each request
_MISSING_MODULE: Final = "ModuleNotFoundError: No module named"


class RemoteFunction:
    """A function given as source, which is described and called in a sandbox.

    Nothing of the source is parsed or compiled in this process. To parse it for the name and the annotations was
    rejected: annotations and defaults are expressions, which only running gives a value, and the name is in the JSON.

    Args:
        tool: The name of the tool, for errors.
        source: The definition of the function.
        imports: The statements that stand above it.
        sandbox: Where it runs.
    """

    def __init__(self, tool: str, source: str, imports: str, sandbox: FunctionSandbox) -> None:
        self._tool = tool
        self._source = source
        self._imports = imports
        self._sandbox = sandbox
        self._guest = ""

    async def as_function(self) -> Callable[..., Awaitable[object]]:
        """A function of this process with the same signature, which calls the one in the sandbox.

        Raises:
            SandboxError: No sandbox starts, or it ended in the middle.
            ToolFunctionError: The source fails, has no function, or one that cannot be a tool.
        """
        try:
            description = await self._ask("describe", "description")
        except ToolFunctionError as error:
            raise self._with_remedy(error) from error
        try:
            # In a thread: an Enum of some thousand members takes a tenth of a second.
            return await asyncio.to_thread(remote_function, self._tool, cast("JsonObject", description), self._call)
        except Exception as error:  # pydantic and Python raise many kinds for types that hostile code describes
            raise self._failed(f"has a signature that cannot be read: {error!r}") from error

    async def _call(self, positional: Sequence[object], keywords: Mapping[str, object]) -> JsonValue:
        arguments = {"positional": list(positional), "keywords": dict(keywords)}
        return await self._ask("call", "result", **to_jsonable_python(arguments))

    async def _ask(self, kind: Literal["describe", "call"], expected: str, **more: JsonValue) -> JsonValue:
        request = {"kind": kind, "tool": self._tool, "source": self._source, "imports": self._imports, **more}
        token = secrets.token_hex(16)
        self._guest = self._guest or await asyncio.to_thread(_guest_program)
        program = f"{_PREFIX}exec({self._guest!r})\nmain({json.dumps(request)!r}, {token!r})\n"
        try:
            result = await self._sandbox.run(program)
        except SandboxUnavailableError as error:
            raise SandboxUnavailableError(
                f"The tool {self._tool!r} comes as source, which runs in a sandbox unless it is loaded with "
                f"load_component(…, trust_code=True). {error}"
            ) from error
        except SandboxDiedError as error:
            raise SandboxDiedError(f"The tool {self._tool!r} lost its sandbox, and gets a new one: {error}") from error
        if kind == "describe" and len(result.stdout) > _MOST_DESCRIPTION:
            raise self._failed(f"has a signature whose description is longer than {_MOST_DESCRIPTION:,} characters")
        answer = self._read(result, token)
        if expected in answer:
            return answer[expected]
        raise self._failed(f"failed:\n{answer.get('error')}")

    def _read(self, result: SandboxResult, token: str) -> JsonObject:
        policy = self._sandbox.policy
        if result.stdout_cut:
            raise self._failed(f"gave a result of more than {policy.output_kept_bytes:,} bytes")
        line = result.stdout.removeprefix(token)
        if line != result.stdout:
            try:
                answer: object = from_json(line)
            except ValueError as error:
                raise self._failed(f"gave a result that is not JSON: {error}") from error
            if isinstance(answer, dict):
                return cast("JsonObject", answer)
        if limit := policy.limit_met(result.status):
            raise self._failed(f"was ended at {limit}")
        raise self._failed(f"ended its process with exit status {result.exit_code}, and gave no result")

    def _with_remedy(self, error: ToolFunctionError) -> ToolFunctionError:
        if _MISSING_MODULE not in str(error).rpartition("\n")[2]:
            return error
        return ToolFunctionError(
            f"{error}\nThe Python of the sandbox does not have it. Load the tool inside `with"
            " run_component_code_in(FunctionSandbox(packages=[…])):` with the names of its packages. Trusted code runs "
            "in this process, with load_component(…, trust_code=True)."
        )

    def _failed(self, what: str) -> ToolFunctionError:
        return ToolFunctionError(f"The tool {self._tool!r} {what}")


@cache
def _guest_program() -> str:
    """The program for inside. The first call reads a file."""
    return resources.files("symposia.core.tools._sandboxed").joinpath("_guest.py").read_text("utf-8")
