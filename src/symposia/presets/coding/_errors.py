"""What a caller of the coding swarm can get wrong. Each text says what to do instead."""

from __future__ import annotations

from symposia.core.exceptions import InvalidArgumentError, ModelError


class EmptyTaskError(InvalidArgumentError):
    """The task has no text."""


class DataFileError(InvalidArgumentError):
    """A data file is not there, cannot be read, or has the name of another one."""


class RunFolderError(InvalidArgumentError):
    """The folder for the results cannot be made, cannot be written, or holds something already."""


class UnknownVendorError(InvalidArgumentError):
    """No vendor is known to serve a model of this name."""


class MissingKeyError(InvalidArgumentError):
    """The vendor of the model wants a key, and the environment has none."""


class RecordingError(ModelError):
    """A recorded model was asked something that it was not recorded for."""
