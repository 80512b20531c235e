"""Agents that execute the code in the messages they receive, and reply with its output."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from symposia.v02._plain import run_plain
from symposia.v02.agentchat import _code_replies
from symposia.v02.agentchat._agent_options import AgentOptions
from symposia.v02.agentchat._conversable import Reply
from symposia.v02.agentchat._executing_agent import ExecutingAgent
from symposia.v02.agentchat._forms import ASYNC, PLAIN, Form
from symposia.v02.agentchat._messages import Message
from symposia.v02.agentchat.agent import Agent
from symposia.v02.coding.base import AsyncCodeExecutor, CodeExecutor
from symposia.v02.formatting_utils import colored
from symposia.v02.io import IOStream


class CodeAgent(ExecutingAgent):
    """Executes code, with an executor or, in AutoGen's older way, block by block with `run_code`.

    Args:
        options: The arguments of `ConversableAgent`.
    """

    _code_execution_config: dict[str, Any] | Literal[False]  # Any: options of many executors
    _code_executor: CodeExecutor | None = None

    def __init__(self, options: AgentOptions) -> None:
        super().__init__(options)
        self._configure_code_execution(options.code_execution_config)
        if self._code_execution_config is not False:
            self._add_own_reply(CodeAgent.generate_code_execution_reply, CodeAgent.a_generate_code_execution_reply)

    def _configure_code_execution(self, config: dict[str, Any] | Literal[False] | None) -> None:
        if config is None:
            warnings.warn(
                "Using None to signal a default code_execution_config is deprecated. Use {} to use default or False to "
                "disable code execution.",
                UserWarning,
                stacklevel=6,  # where a `ConversableAgent` is made
            )
            config = {}
        _code_replies.check_code_execution_config(config)
        self._code_execution_config = config if config is False else dict(config)
        if self._code_execution_config is False:
            return
        if self._code_execution_config.get("executor") is not None:
            from symposia.v02.coding import CodeExecutorFactory  # noqa: PLC0415 - agents without code need none

            self._code_executor = CodeExecutorFactory.create(self._code_execution_config)
            return
        from symposia.v02.code_utils import check_can_use_docker_or_throw, decide_use_docker  # noqa: PLC0415 - as above

        use_docker = decide_use_docker(self._code_execution_config.get("use_docker"))
        check_can_use_docker_or_throw(use_docker)
        self._code_execution_config["use_docker"] = use_docker

    @property
    def code_executor(self) -> CodeExecutor | None:
        """The executor; None without one, or without code execution."""
        return self._code_executor

    @property
    def use_docker(self) -> bool | str | None:
        """Whether code runs in Docker, or the image; None without code execution, or with an executor."""
        if self._code_execution_config is False:
            return None
        return self._code_execution_config.get("use_docker")

    def run_code(self, code: str, **kwargs: Any) -> tuple[int, str, str | None]:
        """Run code. Override it to run code elsewhere.

        Args:
            code: The code.
            kwargs: `lang`, `filename`, `work_dir`, `use_docker`, `timeout`.

        Returns:
            The exit code, the output, and the Docker image, if there is one.
        """
        from symposia.v02.code_utils import execute_code  # noqa: PLC0415 - agents without code need none

        return execute_code(code, **kwargs)

    def execute_code_blocks(self, code_blocks: Sequence[tuple[str, str]]) -> tuple[int, str]:
        """Run blocks of code in order with `run_code`, up to the first that fails.

        Args:
            code_blocks: The language and the code of each.

        Returns:
            The exit code of the last that was run, and the output of all.
        """

        def run(code: str, options: Mapping[str, str | None]) -> tuple[int, str]:
            config = self._code_execution_config or {}
            kept = {key: value for key, value in config.items() if key not in ("last_n_messages", "executor")}
            exit_code, logs, image = self.run_code(code, **options, **kept)
            if image is not None:
                config["use_docker"] = image
            return exit_code, logs

        return _code_replies.run_legacy_blocks(code_blocks, run, _announce)

    def generate_code_execution_reply(
        self,
        messages: list[Message] | None = None,
        sender: Agent | None = None,
        config: dict[str, Any] | Literal[False] | None = None,
    ) -> tuple[bool, Reply]:
        """The reply function that executes code."""
        return run_plain(self._code_reply(PLAIN, messages, sender, config))

    async def a_generate_code_execution_reply(
        self,
        messages: list[Message] | None = None,
        sender: Agent | None = None,
        config: dict[str, Any] | Literal[False] | None = None,
    ) -> tuple[bool, Reply]:
        """As `generate_code_execution_reply`. The event loop goes on while code runs."""
        return await self._code_reply(ASYNC, messages, sender, config)

    async def _code_reply(
        self,
        form: Form,
        messages: list[Message] | None,
        sender: Agent | None,
        config: dict[str, Any] | Literal[False] | None,
    ) -> tuple[bool, Reply]:
        chosen = self._code_execution_config if config is None else config
        if chosen is False:
            return False, None
        history, last = self._history(messages, sender), chosen.get("last_n_messages", "auto")
        if self._code_executor is not None:
            ran = await _run_by_executor(form, self._code_executor, history, last)
        elif blocks := _code_replies.legacy_blocks(history, last):
            ran = await form.in_thread(self.execute_code_blocks, blocks)
        else:
            ran = None
        return (False, None) if ran is None else (True, _code_replies.reply_text(*ran))


async def _run_by_executor(
    form: Form, executor: CodeExecutor, history: list[Message], last: object
) -> tuple[int, str] | None:
    blocks = _code_replies.executor_blocks(history, last, executor.code_extractor)
    if not blocks:
        return None
    _announce(_code_replies.executor_announcement(blocks))
    if form.is_async and isinstance(executor, AsyncCodeExecutor):
        result = await executor.a_execute_code_blocks(blocks)
    else:
        result = await form.in_thread(executor.execute_code_blocks, blocks)
    return result.exit_code, result.output


def _announce(text: str) -> None:
    IOStream.get_default().print(colored(text, "red"), flush=True)
