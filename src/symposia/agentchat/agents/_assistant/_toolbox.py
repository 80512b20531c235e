from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symposia.core.exceptions import UsageError
from symposia.core.tools import ToolSchema, Workbench


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What a model may call at one moment: workbenches may change what they offer at any time.

    Attributes:
        schemas: As the model is told of them.
        workbenches: Where each tool is, by the tool's name.
    """

    schemas: Sequence[ToolSchema]
    workbenches: Mapping[str, Workbench]

    @classmethod
    async def open(cls, agent: str, workbenches: Sequence[Workbench]) -> "Toolbox":
        """See what is on offer now.

        Raises:
            UsageError: Two tools have one name.
        """
        offers = [(schema, workbench) for workbench in workbenches for schema in await workbench.list_tools()]
        owners = {schema["name"]: workbench for schema, workbench in offers}
        schemas = [schema for schema, _ in offers]
        if len(owners) < len(schemas):
            names = [schema["name"] for schema in schemas]
            raise UsageError(f"Agent '{agent}' is offered two tools of one name: {names}")
        return cls(schemas, owners)

    def schema(self, name: str) -> ToolSchema | None:
        """The schema of one of them, if it is there."""
        return next((schema for schema in self.schemas if schema["name"] == name), None)
