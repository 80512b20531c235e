"""Running the code in messages: blocks, results, and the executors."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.v02.coding import func_with_reqs, utils
    from symposia.v02.coding.base import CodeBlock, CodeExecutor, CodeExtractor, CodeResult
    from symposia.v02.coding.docker_commandline_code_executor import DockerCommandLineCodeExecutor
    from symposia.v02.coding.factory import CodeExecutorFactory
    from symposia.v02.coding.local_commandline_code_executor import LocalCommandLineCodeExecutor
    from symposia.v02.coding.markdown_code_extractor import MarkdownCodeExtractor
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "base": ["CodeBlock", "CodeExecutor", "CodeExtractor", "CodeResult"],
            "docker_commandline_code_executor": ["DockerCommandLineCodeExecutor"],
            "factory": ["CodeExecutorFactory"],
            "local_commandline_code_executor": ["LocalCommandLineCodeExecutor"],
            "markdown_code_extractor": ["MarkdownCodeExtractor"],
        },
        submodules=[
            "base",
            "docker_commandline_code_executor",
            "factory",
            "func_with_reqs",
            "jupyter",
            "local_commandline_code_executor",
            "markdown_code_extractor",
            "utils",
        ],
    )

__all__ = [
    "CodeBlock",
    "CodeExecutor",
    "CodeExecutorFactory",
    "CodeExtractor",
    "CodeResult",
    "DockerCommandLineCodeExecutor",
    "LocalCommandLineCodeExecutor",
    "MarkdownCodeExtractor",
    "func_with_reqs",
    "utils",
]
