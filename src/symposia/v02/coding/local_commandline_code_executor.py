"""Runs code on this machine."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

from typing_extensions import override

from symposia.core.code_executor import UserFunction
from symposia.ext.code_executors.local import LocalCommandLineCodeExecutor as CoreLocalExecutor
from symposia.v02.coding._command_line import CommandLineExecutor
from symposia.v02.coding._plan import DEFAULT_POLICY, refuse_dangerous
from symposia.v02.coding.base import CodeBlock, CommandLineCodeResult

__all__ = ["LocalCommandLineCodeExecutor", "LocalCommandlineCodeExecutor"]


class LocalCommandLineCodeExecutor(CommandLineExecutor):
    """Runs code blocks on this machine, without any isolation; it warns of that.

    Code has the rights of your user, but none of your environment variables beside a few harmless ones. Python, shell
    and PowerShell blocks are run; JavaScript, HTML and CSS are saved. The first line of a block names its file if it is
    a comment, with ``filename:`` or without.

    Args:
        timeout: Seconds that a block may run.
        virtual_env_context: What `create_virtual_env` gives: code runs with that environment's Python.
        work_dir: Where the code runs; made where it is missing.
        functions: Functions of the user that the code may call. Their packages have to be installed already.
        functions_module: The module that the code imports them from.
        execution_policies: For languages by name, whether blocks in them are run, or saved alone.

    Raises:
        ValueError: The timeout is less than a second, or the module's name cannot be imported.
    """

    SUPPORTED_LANGUAGES: ClassVar[list[str]] = list(DEFAULT_POLICY)
    FUNCTION_PROMPT_TEMPLATE: ClassVar[str] = (
        "These functions are defined in the module `$module_name`, from which your code can import them by name, as in "
        "`from $module_name import foo` for a function `foo`.\n\n$functions"
    )

    def __init__(
        self,
        timeout: int = 60,
        virtual_env_context: SimpleNamespace | None = None,
        work_dir: Path | str = Path(),
        functions: Sequence[UserFunction] = (),
        functions_module: str = "functions",
        execution_policies: Mapping[str, bool] | None = None,
    ) -> None:
        self._core = CoreLocalExecutor(
            timeout=timeout,
            work_dir=work_dir,
            functions=functions,
            functions_module=functions_module,
            cleanup_temp_files=False,
            virtual_env_context=virtual_env_context,
        )
        super().__init__(self._core, work_dir=work_dir, timeout=timeout, execution_policies=execution_policies)

    @property
    def functions(self) -> list[UserFunction]:
        """Functions of the user that the code may call."""
        return list(self._core.functions)

    @property
    def functions_module(self) -> str:
        """The module that the code imports them from."""
        return self._core.functions_module

    def format_functions_for_prompt(self, prompt_template: str = FUNCTION_PROMPT_TEMPLATE) -> str:
        """Describe the functions to a model.

        Args:
            prompt_template: Text in which ``$module_name`` and ``$functions`` are replaced.
        """
        return self._core.format_functions_for_prompt(prompt_template)

    @staticmethod
    def sanitize_command(lang: str, code: str) -> None:
        """Refuse shell code with a command that destroys what is around it.

        Raises:
            ValueError: It has one.
        """
        refuse_dangerous(lang, code)

    @override
    async def _run(self, block: CodeBlock) -> CommandLineCodeResult:
        self.sanitize_command(block.language.lower(), block.code)
        return await super()._run(block)

    def restart(self) -> None:
        """Do nothing but warn: nothing of a block stays running."""
        warnings.warn("A local executor has nothing to restart: nothing of a block stays running.", stacklevel=2)


LocalCommandlineCodeExecutor = LocalCommandLineCodeExecutor
