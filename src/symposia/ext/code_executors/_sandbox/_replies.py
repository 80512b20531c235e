"""What a server may say, as strict schemas: it shares its sandbox with hostile code, so nothing it says is trusted."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from symposia.ext.code_executors._sandbox._inside._frames import Frame, FrameError

_Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Reply(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Ready(_Reply):
    """The server is up, confined, and takes requests."""

    kind: Literal["ready"]


class Output(_Reply):
    """The frame's data is output of the running block."""

    kind: Literal["output"]
    stream: Literal["stdout", "stderr"]


class CollectedFile(_Reply):
    """The frame's data is a file that the block made or changed."""

    kind: Literal["artifact"]
    path: Annotated[str, Field(min_length=1, max_length=4096)]


class Skipped(_Reply):
    """A path that the block made or changed, and that is left behind."""

    kind: Literal["skipped"]
    path: Annotated[str, Field(min_length=1, max_length=4096)]
    reason: Annotated[str, Field(max_length=200)]


class Ended(_Reply):
    """The block is over: nothing of it runs any more, and its files have been sent."""

    kind: Literal["ended"]
    status: Literal["ok", "error", "timeout", "out_of_memory", "output_limit", "disk_full", "crashed", "cancelled"]
    exit_code: Annotated[int, Field(ge=0, le=255)]
    wall_seconds: _Seconds
    cpu_seconds: _Seconds
    peak_memory_bytes: Annotated[int, Field(ge=0)]


class Done(_Reply):
    """A request other than a run succeeded; for ``get`` the frame's data is the file."""

    kind: Literal["done"]


class Refused(_Reply):
    """A request other than a run failed."""

    kind: Literal["refused"]
    error: Literal["not_found", "no_space", "invalid", "too_large"]
    text: Annotated[str, Field(max_length=1000)]


Reply = Ready | Output | CollectedFile | Skipped | Ended | Done | Refused
_SCHEMA: TypeAdapter[Reply] = TypeAdapter(Annotated[Reply, Field(discriminator="kind")])


def parse_reply(frame: Frame) -> Reply:
    """What the frame's header says.

    Raises:
        FrameError: Nothing that a server would say. The sandbox is not to be used any longer.
    """
    try:
        return _SCHEMA.validate_python(dict(frame.header))
    except ValidationError as error:
        raise FrameError(f"a reply breaks the protocol in {error.error_count()} places") from error
