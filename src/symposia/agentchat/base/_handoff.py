"""Handoffs, which a model requests by calling a tool."""

from __future__ import annotations

from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field, model_validator

from symposia.core.tools import BaseTool


class Handoff(BaseModel):
    """Passing the turn to another agent, which a model does by calling a tool.

    Attributes:
        target: The name of the agent that takes over.
        description: The description of the tool for the model.
        name: Of the tool; a Python identifier, ``transfer_to_<target>`` by default.
        message: The message to the target, which is also the result of the tool.
    """

    model_config = ConfigDict(defer_build=True)

    target: str
    description: str = Field(default="")
    name: str = Field(default="")
    message: str = Field(default="")

    @model_validator(mode="before")
    @classmethod
    def set_defaults(cls, values: Any) -> Any:  # Any: pydantic hands over whatever the caller gave
        """Derive missing fields from `target`."""
        if not isinstance(values, dict) or not isinstance(
            given := cast("dict[str, object]", values).get("target"), str
        ):
            return cast("object", values)  # the fields' own validation says what is wrong
        filled = cast("dict[str, object]", values)
        defaults = {
            "description": f"Handoff to {given}.",
            "name": f"transfer_to_{given}".lower(),
            "message": f"Transferred to {given}, adopting the role of {given} immediately.",
        }
        return {**filled, **{field: text for field, text in defaults.items() if not filled.get(field)}}

    @model_validator(mode="after")
    def _name_can_be_called(self) -> Handoff:
        if not self.name.isidentifier():
            raise ValueError(f"Handoff name must be a valid identifier: {self.name!r} (target {self.target!r})")
        return self

    # Any: the arguments of a tool are of a model of its own.
    @property
    def handoff_tool(self) -> BaseTool[Any, Any]:
        """A tool without parameters, whose result is `message`."""
        from symposia.core.tools import FunctionTool  # noqa: PLC0415 - most agents hand nothing over

        async def handoff() -> str:  # a coroutine function runs in place, a plain one in a thread
            return self.message

        return FunctionTool(handoff, description=self.description, name=self.name, strict=True)
