"""`PageLogger`: a log of steps as pages of HTML, one for each step, with a tree of calls."""

from __future__ import annotations

import html
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from os import path as os_path
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias
from urllib.parse import quote
from weakref import finalize

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from symposia._lazy import lazy_module
from symposia.core import FunctionCall, Image
from symposia.core.argument_checks import check_instance
from symposia.core.models import CreateResult, FunctionExecutionResult, LLMMessage, RequestUsage
from symposia.ext.experimental.task_centric_memory._configs import checked_config
from symposia.ext.experimental.task_centric_memory.utils._pages import CALL_TREE, Page, PageFiles, parts_of_message

if TYPE_CHECKING:
    from symposia.agentchat import base
else:
    base = lazy_module("symposia.agentchat.base")

__all__ = ["PageLogger", "PageLoggerConfig"]

MessageContent: TypeAlias = str | list[str | Image] | list[FunctionCall] | list[FunctionExecutionResult]

LEVELS: Final = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50, "NONE": 100}


@with_config(ConfigDict(extra="forbid"))
class PageLoggerConfig(TypedDict, total=False):
    """The configuration of a `PageLogger`.

    Attributes:
        level: The least severe lines that are logged. Pages are logged at ``INFO``. ``NONE``, the default, writes
            nothing.
        path: The folder, ``./pagelogs/default`` by default.
    """

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "NONE"]
    path: str


class PageLogger:
    """Writes a folder of pages while a program runs: open ``0  Call Tree.html`` in a browser to follow it.

    Text is escaped, so that what a model or a user wrote is shown, and not carried out by the browser. Each task of
    asyncio has its own open pages, so that steps at the same time do not mix.

    Args:
        config: The configuration.

    Raises:
        InvalidArgumentError: `config` has a key that does not exist, or another value than the key allows.
    """

    def __init__(self, config: PageLoggerConfig | None = None) -> None:
        given = checked_config(config, PageLoggerConfig)
        self.level = LEVELS[given.get("level", "NONE")]
        self.log_dir = given.get("path", "./pagelogs/default")
        self._files = PageFiles(Path(self.log_dir))
        self._tree = Page(0, CALL_TREE)
        self._count = 0
        self._links: set[str] = set()
        finalize(self, self._files.write_or_log)

    def finalize(self) -> None:
        """Write what is not written yet. It waits for the disk: in a coroutine, call it in a thread.

        Raises:
            OSError: The folder cannot be written.
        """
        self._files.write()

    def flush(self, finished: bool = False) -> None:  # noqa: ARG002 - for AutoGen's programs
        """Write what is not written yet; see `finalize`."""
        self._files.write()

    def debug(self, line: str) -> None:
        """Add a line to the page, at the level ``DEBUG``."""
        self._log("DEBUG", line)

    def info(self, line: str) -> None:
        """Add a line to the page, at the level ``INFO``."""
        self._log("INFO", line)

    def warning(self, line: str) -> None:
        """Add a line to the page, at the level ``WARNING``."""
        self._log("WARNING", line)

    def error(self, line: str) -> None:
        """Add a line to the page, at the level ``ERROR``."""
        self._log("ERROR", line)

    def critical(self, line: str) -> None:
        """Add a line to the page, at the level ``CRITICAL``."""
        self._log("CRITICAL", line)

    def log_message_content(self, message_content: MessageContent, summary: str) -> None:
        """Add a page with the content of a message, its images included."""
        if self._logs("INFO"):
            self._add_page(summary, parts_of_message(message_content))

    def log_dict_list(self, content: Sequence[Mapping[str, object]], summary: str) -> None:
        """Add a page with dictionaries, one a line."""
        if self._logs("INFO"):
            self._add_page(summary, [html.escape(str(dict(each))) for each in content])

    def log_model_call(self, summary: str, input_messages: Sequence[LLMMessage], response: CreateResult) -> Page | None:
        """Add a page with what a model was asked, its answer and its usage."""
        if not self._logs("INFO"):
            return None
        answer = parts_of_message(response.content)
        return self._add_exchange(summary, input_messages, answer, response.usage)

    def log_model_task(
        self, summary: str, input_messages: Sequence[LLMMessage], task_result: base.TaskResult
    ) -> Page | None:
        """Add a page with a task and the messages of its run."""
        if not self._logs("INFO"):
            return None
        lines = [html.escape(f"{each.source}: {each.to_text()}") for each in task_result.messages]
        usages = [each.models_usage for each in task_result.messages if each.models_usage]
        return self._add_exchange(summary, input_messages, lines, sum(usages, RequestUsage(0, 0)))

    def log_link_to_local_file(self, file_path: str) -> str:
        """A link to a file, which can be part of a line."""
        link = f'<a href="{self._address(file_path)}">{html.escape(Path(file_path).name)}</a>'
        self._links.add(link)
        return link

    def add_link_to_image(self, description: str, source_image_path: str) -> None:
        """Add a picture to the page, small, and a link to its file."""
        if self._logs("INFO"):
            link = self.log_link_to_local_file(source_image_path)
            source = self._address(source_image_path)
            self._add_lines(
                f'{html.escape(description)}: {link}\n<img src="{source}" alt="{html.escape(description)}">'
            )

    def _address(self, file_path: str) -> str:
        return quote(os_path.relpath(file_path, self.log_dir))

    def enter_function(self) -> Page | None:
        """Add a page for the function that calls this, and log to it until `leave_function`."""
        return self._enter(_caller())

    def leave_function(self) -> None:
        """Go back to the page before."""
        if page := self._open_page():
            page.lines.append(html.escape(f"LEAVE {page.title}"))
            self._files.change(page)
            _open_pages.set(tuple(each for each in _open_pages.get() if each[1] is not page))

    def page(self) -> AbstractContextManager[None]:
        """A page for the function that calls this, for a ``with`` block. It names the error that ends the block."""
        return self._page(_caller())

    @contextmanager
    def _page(self, name: str) -> Generator[None]:
        self._enter(name)
        try:
            yield
        except BaseException as error:
            self.error(f"{type(error).__name__}: {error}")
            raise
        finally:
            self.leave_function()

    def _enter(self, name: str) -> Page | None:
        if not self._logs("INFO"):
            return None
        outer = [page.indented_link for logger, page in _open_pages.get() if logger is self]
        page = self._add_page(name, ["CALL STACK", *outer, "", f"ENTER {html.escape(name)}"])
        _open_pages.set((*_open_pages.get(), (self, page)))
        return page

    def _logs(self, level: str) -> bool:
        return self.level <= LEVELS[level]

    def _log(self, level: str, line: str) -> None:
        if self._logs(level):
            text = html.escape(line)
            for link in self._links:
                text = text.replace(html.escape(link), link)
            self._add_lines(text)

    def _add_lines(self, *lines: str) -> None:
        page = self._open_page() or self._tree
        page.lines += lines
        self._files.change(page)

    def _add_page(self, title: str, lines: Sequence[str]) -> Page:
        """A page inside of the open one."""
        self._count += 1
        outer = self._open_page()
        page = Page(self._count, title, depth=outer.depth + 1 if outer else 0)
        page.lines += lines
        self._tree.lines.append(page.indented_link)
        if outer:
            outer.lines.append(page.link)
            self._files.change(outer)
        self._files.change(self._tree, page)
        return page

    def _add_exchange(
        self, summary: str, messages: Sequence[LLMMessage], answer: Sequence[str], usage: RequestUsage
    ) -> Page:
        lines = [f"{usage.prompt_tokens} prompt tokens, {usage.completion_tokens} completion tokens"]
        for message in messages:
            lines += ["", f"--- {message.type}", *parts_of_message(message.content)]
        return self._add_page(summary, [*lines, "", "--- Response", *answer])

    def _open_page(self) -> Page | None:
        return next((page for logger, page in reversed(_open_pages.get()) if logger is self), None)


def checked_logger(owner: str, given: PageLogger | None) -> PageLogger:
    """The logger that was given; without one, a logger that writes nothing.

    Raises:
        ArgumentTypeError: It is something else, such as a logger of `logging`.
    """
    check_instance("logger", owner, given, PageLogger, "PageLogger({'level': 'INFO', 'path': 'logs'})")
    return given or PageLogger()


_open_pages: Final[ContextVar[tuple[tuple[PageLogger, Page], ...]]] = ContextVar("open_pages", default=())
"""Of all loggers, the outermost first. One variable for each logger would never be freed."""


def _caller() -> str:
    """The name of the function that called the method that calls this, with its class."""
    qualified = sys._getframe(2).f_code.co_qualname  # noqa: SLF001 - the way to a caller's name
    return qualified.rpartition("<locals>.")[2]
