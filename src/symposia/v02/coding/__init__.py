"""Running the code in messages: blocks, results, and the executors."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.v02.coding.base import CodeBlock, CodeExecutor, CodeExtractor, CodeResult
    from symposia.v02.coding.markdown_code_extractor import MarkdownCodeExtractor
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "base": ["CodeBlock", "CodeExecutor", "CodeExtractor", "CodeResult"],
            "markdown_code_extractor": ["MarkdownCodeExtractor"],
        },
        submodules=["base", "markdown_code_extractor"],
    )

__all__ = ["CodeBlock", "CodeExecutor", "CodeExtractor", "CodeResult", "MarkdownCodeExtractor"]
