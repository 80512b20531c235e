"""The log of pages: what is in which file."""

import asyncio
import logging
import re
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.support.chat_agents import PIXEL, model, says
from typing_extensions import override

from symposia.agentchat.agents import AssistantAgent
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.models import UserMessage
from symposia.ext.experimental.task_centric_memory import MemoryBank, MemoryController
from symposia.ext.experimental.task_centric_memory.utils import Apprentice, Grader, PageLogger, PageLoggerConfig

TREE = "0  Call Tree.html"


def lines(folder: Path, name: str) -> list[str]:
    """The lines of a page, without its frame."""
    text = (folder / name).read_text(encoding="utf-8")
    return text.partition("</h3>\n")[2].removesuffix("\n</body>\n</html>\n").splitlines()


class Work:
    def __init__(self, logger: PageLogger) -> None:
        self.logger = logger

    def outer(self) -> None:
        self.logger.enter_function()
        self.logger.info("before")
        self.inner()
        self.logger.leave_function()

    def inner(self) -> None:
        with self.logger.page():
            self.logger.warning("inside")


def test_each_function_has_a_page_and_the_tree_links_to_all(tmp_path: Path) -> None:
    logger = PageLogger({"level": "DEBUG", "path": str(tmp_path / "logs")})
    Work(logger).outer()
    logger.info("at the end")
    logger.finalize()
    assert lines(tmp_path / "logs", TREE) == [
        '<a href="1.html">1  Work.outer</a>',
        '    <a href="2.html">2  Work.inner</a>',
        "at the end",
    ]
    assert lines(tmp_path / "logs", "1.html") == [
        "CALL STACK",
        "",
        "ENTER Work.outer",
        "before",
        '<a href="2.html">2  Work.inner</a>',
        "LEAVE Work.outer",
    ]
    assert lines(tmp_path / "logs", "2.html")[1:] == [
        '<a href="1.html">1  Work.outer</a>',
        "",
        "ENTER Work.inner",
        "inside",
        "LEAVE Work.inner",
    ]


@pytest.mark.parametrize(
    ("level", "shown"),
    [("DEBUG", "DIWEC"), ("INFO", "IWEC"), ("WARNING", "WEC"), ("ERROR", "EC"), ("CRITICAL", "C"), ("NONE", "")],
)
def test_a_level_shows_its_lines_and_those_above(tmp_path: Path, level: str, shown: str) -> None:
    logger = PageLogger({"level": level, "path": str(tmp_path / "logs")})  # type: ignore[typeddict-item]  # one of them
    for method in (logger.debug, logger.info, logger.warning, logger.error, logger.critical):
        method(method.__name__[0].upper())
    logger.flush()
    assert (tmp_path / "logs").exists() is bool(shown)
    if shown:
        assert "".join(lines(tmp_path / "logs", TREE)) == shown


async def test_messages_models_and_runs_have_pages_of_their_own(tmp_path: Path) -> None:
    logger = PageLogger({"level": "INFO", "path": str(tmp_path)})
    asked = UserMessage(content=["What is <this>?", PIXEL], source="user")
    result = await AssistantAgent("agent", model("Done.")).run(task="Do it.")
    logger.log_message_content(asked.content, "A message")
    logger.log_dict_list([{"a": 1}, {"b": "<2>"}], "Dictionaries")
    assert logger.log_model_call("A call", [asked], says("A dot.")) is not None
    assert logger.log_model_task("A run", [asked], result) is not None
    await asyncio.to_thread(logger.finalize)
    image = f'<img src="{PIXEL.data_uri}" alt="An image of the message">'
    assert lines(tmp_path, "1.html") == ["What is &lt;this&gt;?", image]
    assert lines(tmp_path, "2.html") == ["{&#x27;a&#x27;: 1}", "{&#x27;b&#x27;: &#x27;&lt;2&gt;&#x27;}"]
    assert lines(tmp_path, "3.html")[0] == "3 prompt tokens, 2 completion tokens"
    assert lines(tmp_path, "3.html")[-1] == "A dot."
    assert lines(tmp_path, "4.html")[-2:] == ["user: Do it.", "agent: Done."]


def test_text_is_shown_as_text_and_only_links_of_the_log_are_links(tmp_path: Path) -> None:
    logger = PageLogger({"level": "INFO", "path": str(tmp_path / "logs")})
    picture = tmp_path / 'a "b".png'
    link = logger.log_link_to_local_file(str(picture))
    line = f"See {link}, and <script>alert(1)</script>"
    logger.info(line)
    logger.add_link_to_image("A <b>", str(picture))
    logger.finalize()
    escaped, *image = lines(tmp_path / "logs", TREE)
    assert escaped == f"See {link}, and &lt;script&gt;alert(1)&lt;/script&gt;"
    assert link == '<a href="../a%20%22b%22.png">a &quot;b&quot;.png</a>'
    assert image == [f"A &lt;b&gt;: {link}", '<img src="../a%20%22b%22.png" alt="A &lt;b&gt;">']


async def test_steps_at_the_same_time_do_not_mix_and_an_error_is_named(tmp_path: Path) -> None:
    logger = PageLogger({"level": "INFO", "path": str(tmp_path)})
    both = asyncio.Barrier(2)

    async def step(name: str) -> None:
        with logger.page():
            await both.wait()
            logger.info(name)
            if name == "b":
                raise ConnectionError("no route")

    results = await asyncio.wait_for(asyncio.gather(step("a"), step("b"), return_exceptions=True), 10)
    await asyncio.to_thread(logger.finalize)
    assert isinstance(results[1], ConnectionError)
    assert lines(tmp_path, "1.html")[3:] == ["a", "LEAVE step"]
    assert lines(tmp_path, "2.html")[3:] == ["b", "ConnectionError: no route", "LEAVE step"]


async def test_pages_are_written_while_the_program_runs(tmp_path: Path) -> None:
    logger = PageLogger({"level": "INFO", "path": str(tmp_path)})
    memory = MemoryController(False, model(), None, {"MemoryBank": {"path": str(tmp_path / "bank")}}, logger)
    memory.generalize_task = memory.generate_topics = False
    await memory.add_memo("Add twice.", task="2 + 2")

    async def written() -> None:
        while not (tmp_path / "1.html").exists() or "LEAVE" not in (tmp_path / "1.html").read_text():  # noqa: ASYNC110 - files tell of no event
            await asyncio.sleep(0.01)

    await asyncio.wait_for(written(), 20)
    assert re.findall("Memo: .*", "\n".join(lines(tmp_path, "1.html"))) == ["Memo: Add twice."]


class Advice(logging.Handler):
    """Sets an event when the log advises to give another path, which a thread of the logger does."""

    def __init__(self) -> None:
        super().__init__()
        self.given = threading.Event()

    @override
    def emit(self, record: logging.LogRecord) -> None:
        if "Give PageLogger another path" in record.getMessage():
            self.given.set()


@pytest.fixture
def advice() -> Iterator[Advice]:
    advice = Advice()
    logging.getLogger().addHandler(advice)
    yield advice
    logging.getLogger().removeHandler(advice)


async def test_pages_that_cannot_be_written_are_an_error_and_are_written_when_they_can(
    tmp_path: Path, advice: Advice
) -> None:
    folder = tmp_path / "logs"
    folder.write_text("A file where the folder has to be.")
    logger = PageLogger({"level": "INFO", "path": str(folder)})
    logger.info("first")
    assert await asyncio.to_thread(advice.given.wait, 20)
    with pytest.raises(FileExistsError):
        await asyncio.to_thread(logger.finalize)
    folder.unlink()
    logger.info("second")
    await asyncio.to_thread(logger.finalize)
    assert lines(folder, TREE) == ["first", "second"]


def test_what_is_no_page_logger_is_refused() -> None:
    other: Any = logging.getLogger("mine")
    for make in (Apprentice, Grader, partial(MemoryController, False)):
        with pytest.raises(ArgumentTypeError, match=r"logger of .* PageLogger\({'level': 'INFO'"):
            make(model(), logger=other)
    with pytest.raises(ArgumentTypeError, match="logger of MemoryBank"):
        MemoryBank(False, logger=other)


def test_leaving_what_was_not_entered_does_nothing_and_a_wrong_level_is_refused(tmp_path: Path) -> None:
    logger = PageLogger({"level": "INFO", "path": str(tmp_path / "logs")})
    logger.leave_function()
    logger.finalize()
    assert not (tmp_path / "logs").exists()
    wrong = PageLoggerConfig(level="LOUD")  # type: ignore[typeddict-item]  # the error is what is tested
    with pytest.raises(InvalidArgumentError, match=r"This PageLoggerConfig cannot be used: level: .*'DEBUG'"):
        PageLogger(wrong)
