"""A listener of a team's log that keeps what it is given."""

from symposia.agentchat.teams import TeamLogEntry


class Log:
    """Keeps the entries."""

    def __init__(self) -> None:
        self.entries: list[TeamLogEntry] = []

    async def write(self, entry: TeamLogEntry, /) -> None:
        self.entries.append(entry)

    def kinds(self) -> list[str]:
        return [type(entry).__name__ for entry in self.entries]
