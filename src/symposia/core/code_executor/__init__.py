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
    from symposia.core.code_executor._executor import CodeExecutor, check_code_blocks
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
    from symposia.core.code_executor._network import ConnectionAttempt, NetworkPolicy, NetworkRule, host_name
    from symposia.core.code_executor._observed import ExecutionObserver, ObservedCodeExecutor
    from symposia.core.code_executor._packages import SandboxPackages, distribution_name
    from symposia.core.code_executor._policy import LEAST_LIMITS, MIB, SandboxMount, SandboxPolicy
    from symposia.core.code_executor._results import (
        Artifact,
        BlockResult,
        BlockwiseCodeResult,
        CodeBlock,
        CodeResult,
        CommandLineCodeResult,
        OutputListener,
        OutputStream,
        RunStatus,
        SandboxResult,
    )
    from symposia.core.code_executor._sandbox import (
        ConnectionListener,
        Progress,
        RunningSandbox,
        Sandbox,
        SandboxBackend,
        default_backend,
        sandbox_answers,
    )
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_effect": ["CODE_EFFECT", "CodeOutput", "CodeRequest", "RequestedBlock", "execute_code", "stream_code"],
            "_executor": ["CodeExecutor", "check_code_blocks"],
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
            "_network": ["ConnectionAttempt", "NetworkPolicy", "NetworkRule", "host_name"],
            "_observed": ["ExecutionObserver", "ObservedCodeExecutor"],
            "_packages": ["SandboxPackages", "distribution_name"],
            "_policy": ["LEAST_LIMITS", "MIB", "SandboxMount", "SandboxPolicy"],
            "_results": [
                "Artifact",
                "BlockResult",
                "BlockwiseCodeResult",
                "CodeBlock",
                "CodeResult",
                "CommandLineCodeResult",
                "OutputListener",
                "OutputStream",
                "RunStatus",
                "SandboxResult",
            ],
            "_sandbox": [
                "ConnectionListener",
                "Progress",
                "RunningSandbox",
                "Sandbox",
                "SandboxBackend",
                "default_backend",
                "sandbox_answers",
            ],
        },
    )

__all__ = [
    "CODE_EFFECT",
    "LEAST_LIMITS",
    "MIB",
    "Alias",
    "Artifact",
    "BlockResult",
    "BlockwiseCodeResult",
    "CodeBlock",
    "CodeExecutor",
    "CodeOutput",
    "CodeRequest",
    "CodeResult",
    "CommandLineCodeResult",
    "ConnectionAttempt",
    "ConnectionListener",
    "ExecutionObserver",
    "FunctionWithRequirements",
    "FunctionWithRequirementsStr",
    "Import",
    "ImportFromModule",
    "NetworkPolicy",
    "NetworkRule",
    "ObservedCodeExecutor",
    "OutputListener",
    "OutputStream",
    "Progress",
    "RequestedBlock",
    "RunStatus",
    "RunningSandbox",
    "Sandbox",
    "SandboxBackend",
    "SandboxMount",
    "SandboxPackages",
    "SandboxPolicy",
    "SandboxResult",
    "UserFunction",
    "check_code_blocks",
    "default_backend",
    "distribution_name",
    "execute_code",
    "function_node",
    "function_source",
    "host_name",
    "sandbox_answers",
    "stream_code",
    "with_requirements",
]
