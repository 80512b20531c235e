"""Running code: what an executor promises an agent, and what a sandbox promises an executor."""

from symposia.core.code_executor._command_line import BlockResult, CommandLineCodeResult
from symposia.core.code_executor._executor import CodeBlock, CodeExecutor, CodeResult
from symposia.core.code_executor._sandbox import (
    MIB,
    Artifact,
    OutputListener,
    OutputStream,
    RunStatus,
    Sandbox,
    SandboxBackend,
    SandboxMount,
    SandboxPolicy,
    SandboxResult,
)

__all__ = [
    "MIB",
    "Artifact",
    "BlockResult",
    "CodeBlock",
    "CodeExecutor",
    "CodeResult",
    "CommandLineCodeResult",
    "OutputListener",
    "OutputStream",
    "RunStatus",
    "Sandbox",
    "SandboxBackend",
    "SandboxMount",
    "SandboxPolicy",
    "SandboxResult",
]
