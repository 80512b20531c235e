"""What the planner and the reviewer answer, as schemas that a model can be held to."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Plan(BaseModel):
    """How to do the task, in a few steps."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: list[str] = Field(min_length=1, description="Two to six steps, each one sentence, in order.")
    checks: list[str] = Field(min_length=1, description="What the program's output must show for the task to be done.")


class Review(BaseModel):
    """What the reviewer thinks of a program's output."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    approved: bool = Field(description="Whether the output does all that the task asks.")
    reasons: list[str] = Field(description="What is wrong and how to fix it, one sentence each; empty when approved.")
    evidence: list[str] = Field(
        description="Lines of the program's output, copied exactly, that the answer rests on; empty when not approved."
    )
    answer: str = Field(description="The answer to the task in Markdown, in figures of the output only; else empty.")
