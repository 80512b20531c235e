"""The folder of a run of a Magentic-One team. It blocks, and is used in a worker thread.

    answer.md          the answer, and how the run ended                      at the end
    files/             the data of the task, and what code and browser saved  as it goes

The transcript and the usage are those of every preset: see `ResultFolder`.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from symposia.core.terminal_text import printable
from symposia.presets._folder import ResultFolder, write_text
from symposia.presets.coding import DataFileError
from symposia.presets.magentic._outcome import MagenticRun


class MagenticFolder(ResultFolder):
    """A new folder for the results of a run.

    Args:
        path: Where; see `ResultFolder`.

    Raises:
        RunFolderError: It cannot be made or written, or holds something.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.files.mkdir()

    @property
    def files(self) -> Path:
        """The files that the agents share."""
        return self.place / "files"

    def add_data(self, data: Sequence[Path]) -> None:
        """Copy files of the host to the agents.

        Raises:
            DataFileError: One cannot be read.
        """
        for file in data:
            try:
                shutil.copyfile(file, self.files / file.name)
            except OSError as error:
                raise DataFileError(f"The data file {file} cannot be read: {error.strerror or error}") from error

    def discard(self) -> None:
        """Remove the folder of a run that has not begun."""
        shutil.rmtree(self.place)

    def finish(self, run: MagenticRun) -> None:
        """Write the answer and the usage."""
        self.write_usage(run.usage)
        answer = run.answer or "There is none."
        page = f"# Answer\n\n{answer}\n\n## Task\n\n{run.task}\n\n## How the run ended\n\n{run.outcome}: {run.detail}\n"
        write_text(self.place / "answer.md", printable(page))


def check_data(data: Sequence[Path]) -> None:
    """Check that files can be given to the agents, before a folder is made for them.

    Raises:
        DataFileError: One is missing, or no regular file.
    """
    for file in data:
        if not file.exists():
            raise DataFileError(f"The data file {file} does not exist.")
        if not file.is_file():
            raise DataFileError(f"The data file {file} is no regular file.")
