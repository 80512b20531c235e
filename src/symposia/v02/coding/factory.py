"""Makes the executor of a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from symposia.core.code_executor import CodeExecutor as CoreCodeExecutor
from symposia.v02.coding.base import CodeExecutionConfig, CodeExecutor

__all__ = ["CodeExecutorFactory"]


class CodeExecutorFactory:
    """Makes executors."""

    @staticmethod
    def create(code_execution_config: CodeExecutionConfig | Mapping[str, object]) -> CodeExecutor:
        """The executor that a configuration names or has.

        Args:
            code_execution_config: Its ``executor`` is an executor, one of AutoGen 0.4 included, or
                ``"commandline-local"`` or ``"ipython-embedded"``, whose arguments are under the same key.

        Raises:
            ValueError: It has no such executor.
        """
        config = cast("Mapping[str, Any]", code_execution_config)  # Any: arguments of many executors
        wanted = config.get("executor")
        if isinstance(wanted, CoreCodeExecutor):
            from symposia.v02.coding._adapted import AdaptedCodeExecutor  # noqa: PLC0415 - only where it is used

            return AdaptedCodeExecutor(wanted)
        if isinstance(wanted, CodeExecutor):
            return wanted
        arguments = config.get(str(wanted), {})
        if wanted == "commandline-local":
            from symposia.v02.coding.local_commandline_code_executor import (  # noqa: PLC0415 - as above
                LocalCommandLineCodeExecutor,
            )

            return LocalCommandLineCodeExecutor(**arguments)
        if wanted == "ipython-embedded":
            from symposia.v02.coding.jupyter.embedded_ipython_code_executor import (  # noqa: PLC0415 - as above
                EmbeddedIPythonCodeExecutor,
            )

            return EmbeddedIPythonCodeExecutor(**arguments)
        raise ValueError(
            f"Unknown code executor {wanted}. Give 'commandline-local', 'ipython-embedded' or a CodeExecutor."
        )
