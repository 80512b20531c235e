"""The options of this command that help where the library's text says what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from symposia.core.code_executor import RunStatus
from symposia.core.exceptions import SymposiaError
from symposia.ext.models import MissingKeyError, ModelNameError
from symposia.presets.coding import CodingOutcome, CodingResult, EmptyTaskError, RunFolderError

RUN_ADVICE: Final[dict[type[SymposiaError], str]] = {
    EmptyTaskError: 'The task is an argument: symposia run "Plot sales.csv by month"',
    MissingKeyError: "Without any key, the bundled tasks run on recorded models: symposia run --task sales",
    RunFolderError: "The option is --out DIR",
}
"""The option of `symposia run` that helps, by the class of the error."""

_OUTCOMES: Final[dict[CodingOutcome, str]] = {
    CodingOutcome.NO_CODE: "Take another model: --model M",
    CodingOutcome.ANSWER_REJECTED: "Take another model: --model M",
    CodingOutcome.NO_PROGRESS: "Take another model: --model M",
    CodingOutcome.SANDBOX_DIED: "See `symposia doctor`. Take another sandbox: --sandbox NAME",
    CodingOutcome.MESSAGE_LIMIT: "Raise it: --max-messages N",
    CodingOutcome.TIME_LIMIT: "Raise it: --timeout S",
    CodingOutcome.TOKEN_LIMIT: "Raise it: --max-tokens N",
}

_PROGRAM_LIMITS: Final[dict[RunStatus, str]] = {
    "timeout": "Raise the program's limit: --time-limit S",
    "out_of_memory": "Raise the program's limit: --memory SIZE",
    "disk_full": "Raise the program's limit: --disk SIZE",
}


def advised_error(error: SymposiaError, advices: Mapping[type[SymposiaError], str]) -> str:
    """The text of an error, and the option that helps, if there is one.

    Args:
        error: The error.
        advices: What helps, by the class of the error.
    """
    text = _without_advice_for_programs(error)
    advice = next((advice for kind, advice in advices.items() if isinstance(error, kind)), None)
    return text if advice is None else f"{text} {advice}"


def _without_advice_for_programs(error: SymposiaError) -> str:
    if not isinstance(error, ModelNameError):
        return str(error)
    if not isinstance(error, MissingKeyError):
        return error.problem
    apart = "\n" if "\n" in error.problem else " "  # below a list of what each vendor lacks
    what = "it" if len(error.variables) == 1 else "them"
    exported = " ".join(f"{variable}=…" for variable in error.variables)
    return f"{error.problem}{apart}Set {what}, as in `export {exported}`, and run again."


def advised_result(result: CodingResult) -> CodingResult:
    """The result, whose detail ends with the options that help."""
    advice = [_OUTCOMES.get(result.outcome)]
    if result.outcome is CodingOutcome.MODEL_FAILED and result.recorded:  # a recording that does not fit the run
        advice.append("Take a model: --model M")
    if result.outcome is not CodingOutcome.VERIFIED and result.last_limit:
        advice.append(_PROGRAM_LIMITS.get(result.last_limit[0]))
    return replace(result, detail="\n".join([result.detail, *filter(None, advice)]))
