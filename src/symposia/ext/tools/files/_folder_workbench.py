"""Tools on the files of one folder, whose calls end in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import JsonValue
from typing_extensions import override

from symposia.core import CancellationToken
from symposia.core.exceptions import DeadlineExceededError, InvalidArgumentError
from symposia.core.tools import BaseTool, StaticWorkbench, ToolResult, failed_result
from symposia.ext._time_limit import time_limit
from symposia.ext.tools.files._folder import ConfinedFolder


class FolderWorkbench(StaticWorkbench):
    """Tools on the files of one folder.

    Args:
        tools: The tools.
        folder: The folder.
        timeout: The seconds that one call may take.

    Raises:
        InvalidArgumentError: `timeout` is not positive.
    """

    def __init__(self, tools: Sequence[BaseTool[Any, Any]], folder: ConfinedFolder, timeout: float) -> None:
        if timeout <= 0:
            raise InvalidArgumentError(f"The timeout of {type(self).__name__} is {timeout!r}: give seconds above 0.")
        self._files = folder
        self._timeout = timeout
        super().__init__(list(tools))

    @property
    def root(self) -> Path:
        """The folder, as an absolute path."""
        return self._files.root

    @override
    def effect_identity(self) -> dict[str, JsonValue]:
        """The class, and the folder."""
        return {**super().effect_identity(), "root": str(self._files.root)}

    @override
    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, object] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        """Call a tool. After the timeout the result says so. See `Workbench.call_tool`."""
        try:
            async with time_limit(self._timeout, self._too_slow()):
                return await self._answer(name, arguments, cancellation_token, call_id)
        except DeadlineExceededError as error:
            return failed_result(name, error)

    async def _answer(
        self, name: str, arguments: Mapping[str, object] | None, token: CancellationToken | None, call_id: str | None
    ) -> ToolResult:
        """The result of a call, however long it takes."""
        return await super().call_tool(name, arguments, token, call_id)

    def _too_slow(self) -> DeadlineExceededError:
        return DeadlineExceededError(
            f"It has not ended after {self._timeout:g} s, and was given up. Try a smaller part."
        )
