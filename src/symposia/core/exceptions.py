"""Every error of Symposia, in one tree by the side at fault.

SymposiaError
├── UsageError                     the caller: how the library was used
│   ├── HandlerSignatureError      a handler that cannot be one            (TypeError, AssertionError)
│   ├── InvalidArgumentError       an argument, or several together, that cannot work (ValueError)
│   │   └── ArgumentTypeError          an argument of another type             (TypeError)
│   ├── TeamRunningError           a team asked for what it cannot do while it runs (ValueError, RuntimeError)
│   ├── ComponentError             a component that cannot be saved or loaded (ValueError, TypeError, …)
│   ├── RegistrationError          a duplicate or an unknown registration  (ValueError, RuntimeError)
│   ├── MessageSerializationError  a message that cannot leave the process (ValueError)
│   ├── SimulationBoundaryError    what is simulated asks for the world outside (NotImplementedError)
│   ├── CredentialsError           a key or a login for a service is missing, or cannot be sent
│   └── MissingExtraError          an optional dependency is not installed (ImportError)
├── AgentError                     the agents: what they did with a message
│   ├── CantHandleException        no handler takes this message
│   ├── UndeliverableException     no agent can receive this message
│   ├── MessageDroppedException    an intervention handler dropped it
│   ├── ToolArgumentsError         a tool was called with wrong arguments  (ValueError)
│   ├── ToolFunctionError          a tool's function failed in its sandbox
│   ├── ToolException              a tool agent could not answer a call
│   │   ├── ToolNotFoundException          it has no such tool
│   │   ├── InvalidToolArgumentsException  the arguments do not fit the tool
│   │   └── ToolExecutionException         the tool raised
│   ├── NotAccessibleError         the agent lives elsewhere, its object cannot be had
│   ├── DeadlockError              agents wait for each other in a circle
│   ├── SimulationStuckError       all tasks of a simulation wait, or run for ever
│   └── RuntimeStoppedError        the runtime stopped before this message was answered
├── PeerError                      the other side: a vendor, a sandbox, a remote, a person
│   ├── EffectFailedError          a recorded effect had failed, with an error that cannot be made again
│   ├── HumanInputError            a person could not be asked             (RuntimeError)
│   │   └── InputEndedError            there is no more input                  (EOFError)
│   ├── MemoryStoreError           the store of a memory fails, or cannot be reached (ConnectionError)
│   ├── MessageFormatError         bytes that are no such message          (ValueError)
│   ├── ModelError                 a model call failed for good
│   │   ├── ModelResponseError         the server's response is broken, or ended early
│   │   └── ModelAnswerError           it answered, but not what was asked for (ValueError)
│   ├── ToolServiceError           the service behind a tool refuses, or cannot be reached (ConnectionError)
│   └── SandboxError
│       ├── SandboxUnavailableError    this backend cannot work on this machine
│       │   └── SandboxPackagesError           packages that a program allows cannot be installed for it
│       ├── SandboxServiceError        a service refuses, or cannot be reached (ConnectionError)
│       └── SandboxDiedError           the sandbox ended in the middle of a request
└── LimitError                     a limit that the user set was reached
    └── DeadlineExceededError      no answer within the deadline           (TimeoutError)

Control-flow signals (``DropMessage``, a handoff) are not errors and are not here. Names ending in ``Exception`` are
AutoGen's and keep their spelling.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from typing_extensions import TypedDict

from symposia._extras import install_command

__all__ = [
    "AgentError",
    "ArgumentTypeError",
    "CantHandleException",
    "ComponentError",
    "CredentialsError",
    "DeadlineExceededError",
    "DeadlockError",
    "EffectFailedError",
    "HandlerSignatureError",
    "HumanInputError",
    "InputEndedError",
    "InvalidArgumentError",
    "InvalidToolArgumentsException",
    "LimitError",
    "MemoryStoreError",
    "MessageDroppedException",
    "MessageFormatError",
    "MessageSerializationError",
    "MissingExtraError",
    "ModelAnswerError",
    "ModelError",
    "ModelResponseError",
    "NotAccessibleError",
    "PartialAnswer",
    "PeerError",
    "RegistrationError",
    "RuntimeStoppedError",
    "SandboxDiedError",
    "SandboxError",
    "SandboxPackagesError",
    "SandboxServiceError",
    "SandboxUnavailableError",
    "SimulationBoundaryError",
    "SimulationStuckError",
    "SymposiaError",
    "TeamRunningError",
    "ToolArgumentsError",
    "ToolException",
    "ToolExecutionException",
    "ToolFunctionError",
    "ToolNotFoundException",
    "ToolServiceError",
    "UndeliverableException",
    "UsageError",
]


class SymposiaError(Exception):
    """The root: catching it catches everything that Symposia itself raises."""


class UsageError(SymposiaError):
    """The library was used in a way that cannot work; the text says which way does."""


class HandlerSignatureError(UsageError, TypeError, AssertionError):
    """A message handler's signature does not say which message it takes, or takes the wrong parameters."""


class InvalidArgumentError(UsageError, ValueError):
    """An argument, or a combination of arguments, cannot work; the text names it."""


class ArgumentTypeError(InvalidArgumentError, TypeError):
    """An argument is of a type that the function does not take."""


class TeamRunningError(UsageError, ValueError, RuntimeError):
    """A team cannot do this while it runs: run again, reset, load a state."""


class ComponentError(UsageError, ValueError, TypeError, NotImplementedError):
    """A component cannot be saved as JSON, or made from it; the text names the class, the field or the provider."""


class RegistrationError(UsageError, ValueError, RuntimeError):
    """Something is registered twice, or is used without being registered."""


class MessageSerializationError(UsageError, ValueError):
    """A message cannot leave the process; the text names its type and says how it could."""


class SimulationBoundaryError(UsageError, NotImplementedError):
    """The code left the simulation (by a socket, a subprocess), or does not run in a simulation at all."""


class CredentialsError(UsageError):
    """A key or a login for a service is missing, or cannot be sent; the text says where it is looked for."""


class MissingExtraError(UsageError, ImportError):
    """An optional dependency is not installed.

    Args:
        feature: What needs it, as the user knows it (``"DockerCommandLineCodeExecutor"``).
        extra: The extra of the distribution that brings it (``"docker"``).
    """

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs an optional dependency. Install it with: {install_command(extra)}")
        self.feature = feature
        self.extra = extra


class AgentError(SymposiaError):
    """A message could not be handled by the agents it was meant for."""


class CantHandleException(AgentError):  # noqa: N818 - AutoGen's name
    """The agent has no handler for this message."""


class UndeliverableException(AgentError):  # noqa: N818 - AutoGen's name
    """The message has no recipient."""


class MessageDroppedException(AgentError):  # noqa: N818 - AutoGen's name
    """An intervention handler dropped the message."""


class ToolArgumentsError(AgentError, ValueError):
    """A tool was called with wrong arguments; the text explains the right call to the caller, a model."""


class ToolFunctionError(AgentError):
    """The function of a tool failed in its sandbox, or met a limit there; the text tells the caller, a model."""


@dataclass(eq=False)
class ToolException(AgentError):  # noqa: N818 - AutoGen's name
    """A tool agent could not answer a call.

    Attributes:
        call_id: The `id` of the call.
        content: What went wrong, for the model to read.
        name: The tool, as it was called.
    """

    call_id: str
    content: str
    name: str

    def __post_init__(self) -> None:
        super().__init__(self.call_id, self.content, self.name)  # so that it can be pickled

    def __str__(self) -> str:
        return f"Tool '{self.name}', call '{self.call_id}': {self.content}"


class ToolNotFoundException(ToolException):
    """The tool agent has no tool of that name."""


class InvalidToolArgumentsException(ToolException):
    """The arguments are no JSON object, or do not fit the tool's schema."""


class ToolExecutionException(ToolException):
    """The tool raised an error."""


class NotAccessibleError(AgentError):
    """The agent's object is not in this process."""


class DeadlockError(AgentError):
    """Agents wait for each other in a circle, which the text draws."""


class SimulationStuckError(AgentError):
    """All tasks of a simulation wait forever, or run forever; the text lists them."""


class RuntimeStoppedError(AgentError):
    """The runtime was stopped before the message was answered."""


class PeerError(SymposiaError):
    """Something outside this library failed: a vendor's service, a sandbox, a remote worker, a person."""


class EffectFailedError(PeerError):
    """A recorded effect had failed, with an error that cannot be made again from its record.

    Attributes:
        error_type: The class of that error, as ``module:qualified.name``.
    """

    def __init__(self, message: str, error_type: str = "") -> None:
        super().__init__(message)
        self.error_type = error_type


class HumanInputError(PeerError, RuntimeError):
    """A person could not be asked: the function that asks failed, or returned something that is no answer.

    It ends the run, also if a tool asked: a model could only repeat the call.
    """


class InputEndedError(HumanInputError, EOFError):
    """A person could not be asked: the input ended, as by Ctrl-D or at the end of a file."""


class MemoryStoreError(PeerError, ConnectionError):
    """The store of a memory fails, or cannot be reached: a server that is gone, a file that is no database."""


class MessageFormatError(PeerError, ValueError):
    """Bytes from another process are not the message that they claim to be."""


class PartialAnswer(TypedDict):
    """The part of a streamed answer that arrived before the stream failed, as JSON values.

    Attributes:
        text: The text so far.
        thought: The reasoning so far; empty if there was none.
        tool_calls: The calls so far, each with ``id``, ``name`` and ``arguments``; the arguments may be cut off.
        usage: ``prompt_tokens`` and ``completion_tokens`` as far as the vendor reported them.
    """

    text: str
    thought: str
    tool_calls: list[dict[str, str]]
    usage: dict[str, int]


def _status_is_transient(status: int | None) -> bool:
    """Whether a response with this HTTP status may be another one later: 408, 409, 429 and all from 500 on.

    These are the statuses after which the vendors' own SDKs send a request again (openai 3.52, anthropic 2.11).
    """
    return status is not None and (status in {408, 409, 429} or status >= 500)  # noqa: PLR2004 - HTTP's server errors


class ModelError(PeerError):
    """A model call failed for good: after retries, or in a way that retrying cannot fix.

    Attributes:
        status: The HTTP status of the server's response; None if there was no response.
        response_start: The first bytes of the response's body as text; empty if there was none.
        partial: What arrived of a streamed answer before it failed; None for answers that are not streamed.
        is_transient: Whether the same request may succeed later: a lost connection, an overloaded server, a rate limit.
            False for a wrong key, a wrong request and a quota that is used up.
        retry_after: Seconds after which the server takes requests again; None where it did not say.
    """

    status: int | None = None
    response_start: str = ""
    partial: PartialAnswer | None = None
    is_transient: bool = False
    retry_after: float | None = None

    def __init__(
        self,
        *args: Any,  # Any: as of every exception
        status: int | None = None,
        response_start: str = "",
        partial: PartialAnswer | None = None,
        is_transient: bool | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(*args)
        self.status = status
        self.response_start = response_start
        self.partial = partial
        self.is_transient = _status_is_transient(status) if is_transient is None else is_transient
        self.retry_after = retry_after


class ModelResponseError(ModelError):
    """A server's response is not an answer of a model, is broken, or ended early."""


class ModelAnswerError(ModelError, ValueError):
    """A model's answer does not fit the required schema; its cause says where."""


class ToolServiceError(PeerError, ConnectionError):
    """The service behind a tool refuses a request, cannot be reached, or answers with what the tool cannot use.

    Its text is the result of the call, which the model reads.
    """


class SandboxError(PeerError):
    """A sandbox failed, as opposed to the code in it."""


class SandboxUnavailableError(SandboxError):
    """A sandbox backend cannot work on this machine; the text says why and what to install."""


class SandboxPackagesError(SandboxUnavailableError):
    """Packages that a program allows cannot be installed for its sandboxes; the text says why.

    Where none were asked for, the same sandboxes may work.
    """


class SandboxServiceError(SandboxError, ConnectionError):
    """A service that runs code refuses a request, cannot be reached, or answers with something else.

    Attributes:
        status: The HTTP status with which it refuses; None if it is not that.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class SandboxDiedError(SandboxError):
    """The sandbox ended in the middle of a request.

    Attributes:
        stdout: What the block that ran had printed to stdout by then, as far as it was received.
        stderr: The same of stderr.
        memory_ran_out: Whether the kernel ended it, since its memory ran out.
    """

    stdout: str = ""
    stderr: str = ""
    memory_ran_out: bool = False


class LimitError(SymposiaError):
    """A limit that the user set was reached."""


class DeadlineExceededError(LimitError, TimeoutError):
    """No answer arrived within the deadline."""


def error_text(error: BaseException, form: Callable[[object], str] = str) -> str:
    """The text of an error of any class, for a report in which the error must not be lost.

    Args:
        error: The error. Its text is code of its class, which may fail.
        form: `str` or `repr`.
    """
    try:
        return form(error)
    except Exception as failure:  # noqa: BLE001 - code of any class
        return f"(its text cannot be had: {form.__name__}() raised {type(failure).__name__})"
