"""The folder of a debate.

decision.md        the decision, how the positions moved, the dissent     at the end
decision.json      the same to process: a `DebateResult`                  at the end
transcript.md      the conversation to read                               as it goes
transcript.jsonl   the conversation to process, one message a line        as it goes
usage.json         tokens by agent and model                              at the end
"""

from __future__ import annotations

from symposia.presets._folder import ResultFolder, write_text
from symposia.presets.debate._outcome import DebateRun
from symposia.presets.debate._pages import decision_page


class DebateFolder(ResultFolder):
    """A new folder for the results of a debate; see `ResultFolder`. It blocks."""

    def finish(self, run: DebateRun) -> None:
        """Write the decision and the usage."""
        self.write_usage(run.usage)
        write_text(self.place / "decision.json", f"{run.result.model_dump_json(indent=2)}\n")
        write_text(self.place / "decision.md", decision_page(run))
