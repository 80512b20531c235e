"""Running code: what an executor promises an agent, and what a sandbox promises an executor."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.core.code_executor._effect import (
        CODE_EFFECT,
        CodeOutput,
        CodeRequest,
        RequestedBlock,
        execute_code,
        stream_code,
    )
    from symposia.core.code_executor._executor import CodeBlock, CodeExecutor, CodeResult, OutputListener, OutputStream
    from symposia.core.code_executor._functions import (
        Alias,
        FunctionWithRequirements,
        FunctionWithRequirementsStr,
        Import,
        ImportFromModule,
        UserFunction,
        function_node,
        function_source,
        with_requirements,
    )
    from symposia.core.code_executor._results import (
        Artifact,
        BlockResult,
        CommandLineCodeResult,
        RunStatus,
        SandboxResult,
    )
    from symposia.core.code_executor._sandbox import (
        MIB,
        Progress,
        Sandbox,
        SandboxBackend,
        SandboxMount,
        SandboxPolicy,
    )
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_effect": ["CODE_EFFECT", "CodeOutput", "CodeRequest", "RequestedBlock", "execute_code", "stream_code"],
            "_executor": ["CodeBlock", "CodeExecutor", "CodeResult", "OutputListener", "OutputStream"],
            "_functions": [
                "Alias",
                "FunctionWithRequirements",
                "FunctionWithRequirementsStr",
                "Import",
                "ImportFromModule",
                "UserFunction",
                "function_node",
                "function_source",
                "with_requirements",
            ],
            "_results": ["Artifact", "BlockResult", "CommandLineCodeResult", "RunStatus", "SandboxResult"],
            "_sandbox": ["MIB", "Progress", "Sandbox", "SandboxBackend", "SandboxMount", "SandboxPolicy"],
        },
    )

__all__ = [
    "CODE_EFFECT",
    "MIB",
    "Alias",
    "Artifact",
    "BlockResult",
    "CodeBlock",
    "CodeExecutor",
    "CodeOutput",
    "CodeRequest",
    "CodeResult",
    "CommandLineCodeResult",
    "FunctionWithRequirements",
    "FunctionWithRequirementsStr",
    "Import",
    "ImportFromModule",
    "OutputListener",
    "OutputStream",
    "Progress",
    "RequestedBlock",
    "RunStatus",
    "Sandbox",
    "SandboxBackend",
    "SandboxMount",
    "SandboxPolicy",
    "SandboxResult",
    "UserFunction",
    "execute_code",
    "function_node",
    "function_source",
    "stream_code",
    "with_requirements",
]
