"""Programs from articles, run the way their readers do: pasted one after the other, with the call that comes last."""

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from symposia.testing.model_server import Failure, MockModelServer, Reply

WARNINGS = (
    *("-W", "error"),
    *("-W", "ignore:LocalCommandLineCodeExecutor runs code on this machine"),
    *("-W", "ignore:use_docker is False"),
)
PROGRAMS = Path(__file__).with_name("programs")


@dataclass(frozen=True)
class Session:
    """What is run together, and what is seen.

    Attributes:
        programs: Files of `programs/`, without their ending, in the order in which they are pasted.
        given: Code before the last of them, where the article takes a name for granted.
        then: Code after them, where the article only defines what the reader is to call.
        answers: What the models say, one after the other. All of it has to be asked for.
        typed: What a person types.
        prints: Pieces of the output, in this order.
        fails_with: How the traceback ends, where the program cannot work as it stands, on AutoGen either.
        needs_docker: Whether code runs in Docker.
        needs_folders: Folders that have to be there, which only root can make.
    """

    programs: Sequence[str]
    given: str = ""
    then: str = ""
    answers: Sequence[Reply | Failure] = ()
    typed: str = ""
    prints: Sequence[str] = ()
    fails_with: str = ""
    needs_docker: bool = False
    needs_folders: Sequence[str] = ()

    @property
    def text(self) -> str:
        *before, last = ((PROGRAMS / f"{name}.py").read_text() for name in self.programs)
        return "\n".join([*before, self.given, last, self.then])


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    status: int
    output: str
    errors: str


async def run(session: Session, server: MockModelServer, folder: Path) -> Ended:
    """Run a session, unmodified, under the hook, with the models' answers coming from `server`."""
    return await run_text(session.text, session, server, folder, ("-m", "symposia.autogen"))


async def run_text(
    text: str, session: Session, server: MockModelServer, folder: Path, options: Sequence[str] = ()
) -> Ended:
    """Run a text as the program of a session, with options of Python before its name."""
    server.script(*session.answers)
    (folder / "session.py").write_text(text)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *WARNINGS, *options, "session.py"),
        cwd=folder,
        env={
            **os.environ,
            "TMPDIR": str(folder),
            "OPENAI_API_KEY": "test",
            "OPENAI_BASE_URL": server.openai_url,
            "ANTHROPIC_API_KEY": "test",
            "ANTHROPIC_BASE_URL": server.anthropic_url,
        },
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(90):
            output, errors = await process.communicate(session.typed.encode())
    except TimeoutError:
        process.kill()
        raise
    return Ended(await process.wait(), output.decode(), errors.decode())
