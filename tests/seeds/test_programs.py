"""Programs from articles about AutoGen run unmodified, against a model server that follows a script."""

import shutil
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from tests.seeds.session import PROGRAMS, Session, run
from tests.seeds.sessions import SESSIONS
from tests.support.sandboxes import require

from symposia.ext.code_executors.docker import DockerBackend
from symposia.testing.model_server import MockModelServer

OURS = ".made-by-the-tests-of-symposia"
"""Stands in the folders that these tests make, so that those of a run that was killed are not taken for somebody's."""


@pytest.fixture
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    session: Session = request.param
    if session.needs_docker:
        require(DockerBackend())
    with ExitStack() as folders:
        for folder in session.needs_folders:
            folders.enter_context(_made(Path(folder)))
        yield session


@contextmanager
def _made(folder: Path) -> Generator[None]:
    if folder.exists() and not (folder / OURS).exists():
        pytest.skip(f"{folder} is somebody's already")
    top = next(parent for parent in (folder, *folder.parents) if parent.parent.exists())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / OURS).touch()
    except PermissionError as error:
        pytest.skip(f"{folder} cannot be made: {error}")
    try:
        yield
    finally:
        shutil.rmtree(top)


@pytest.mark.parametrize("session", SESSIONS.values(), ids=SESSIONS, indirect=True)
async def test_a_program_runs_unmodified(session: Session, tmp_path: Path) -> None:
    async with MockModelServer() as server:
        ended = await run(session, server, tmp_path)
    assert session.fails_with in ended.errors
    assert ended.status == (1 if session.fails_with else 0), ended.errors
    assert len(server.requests) == len(session.answers)
    place = 0
    for piece in session.prints:
        place = ended.output.find(piece, place)
        assert place >= 0, (piece, ended.output)


def test_every_program_is_run() -> None:
    assert {name for session in SESSIONS.values() for name in session.programs} == {
        path.stem for path in PROGRAMS.glob("*.py")
    }
