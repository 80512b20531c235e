"""`symposia debate`: its options and its help."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

import typer
from typer import Argument, BadParameter, Option

from symposia.cli._exit import MEANING, Status, exit_statuses
from symposia.cli._verbs.options import MaxTokens, Model, OutFolder, Timeout
from symposia.cli._verbs.verb import TextVerb

DEBATE_MEANING: Final = {
    Status.VERIFIED: "decided: by consensus, quorum, settled votes, or the votes of the last round",
    **{status: MEANING[status] for status in (Status.FAILED, Status.USAGE, Status.RUN_FOLDER, Status.UNKNOWN_VENDOR)},
    **{status: MEANING[status] for status in (Status.MISSING_KEY, Status.MISSING_EXTRA)},
    Status.DEBATE_TASK: "the question is empty, or there are fewer than two different positions",
    **{status: MEANING[status] for status in (Status.MODEL_FAILED, Status.TIME_LIMIT, Status.TOKEN_LIMIT)},
    Status.NO_DECISION: "the votes of the last round are tied, or there are none",
    Status.INTERRUPTED: MEANING[Status.INTERRUPTED],
}

Question: TypeAlias = Annotated[
    str | None, Argument(metavar="QUESTION", help="What to decide. Without it, a bundled debate runs.")
]
Positions: TypeAlias = Annotated[
    list[str] | None,
    Option("--position", metavar="TEXT", help="A position, as NAME: TEXT. It gets an advocate; give two or more."),
]
OpenPositions: TypeAlias = Annotated[
    list[str] | None,
    Option("--open-position", metavar="TEXT", help="A position without an advocate. May be given several times."),
]
Example: TypeAlias = Annotated[
    str | None,
    Option("--example", metavar="NAME", help="A bundled debate: ingestion or database.", show_default="ingestion"),
]
ModeratorModel: TypeAlias = Annotated[
    str | None, Option("--moderator-model", metavar="M", help="For the moderator.", show_default="as --model")
]
Rounds: TypeAlias = Annotated[
    int | None, Option("--rounds", min=1, metavar="N", help="The most rounds.", show_default="5")
]
Independent: TypeAlias = Annotated[
    int | None,
    Option("--independent", min=0, metavar="N", help="First rounds in which statements are hidden.", show_default="1"),
]


def _checked_share(share: float | None) -> float | None:
    if share is not None and not 0 < share <= 1:
        example = f"{share / 100:g} for {share:g} %" if 1 < share <= 100 else "0.8 for four of five"  # noqa: PLR2004 - percent
        raise BadParameter(f"{share:g} is no share of the votes. Give a number above 0 and at most 1: {example}.")
    return share


Quorum: TypeAlias = Annotated[
    float | None,
    Option(
        "--quorum",
        callback=_checked_share,
        metavar="SHARE",
        help="The share of the votes that decides: 0.8 for four of five.",
        show_default="consensus",
    ),
]

app = typer.Typer()


@app.command(epilog=exit_statuses(DEBATE_MEANING), cls=TextVerb, context_settings={"allow_extra_args": True})
def debate(
    question: Question = None,
    positions: Positions = None,
    open_positions: OpenPositions = None,
    example: Example = None,
    rounds: Rounds = None,
    independent: Independent = None,
    quorum: Quorum = None,
    model: Model = None,
    moderator_model: ModeratorModel = None,
    timeout: Timeout = None,
    max_tokens: MaxTokens = None,
    out: OutFolder = None,
) -> None:
    """Let advocates debate a question and vote after each round, with a critic and a moderator.

    The decision, how the positions moved, the dissent and the transcript are left in a folder. A question of your own
    needs the key of a vendor, such as OPENAI_API_KEY or ANTHROPIC_API_KEY. The bundled debates need no key: without
    --model, the models' answers are recorded.
    """
    from symposia.cli._debate import DebateArguments, debate_and_show  # noqa: PLC0415 - imported when called

    debate_and_show(
        DebateArguments(
            question=question,
            positions=tuple(positions or ()),
            open_positions=tuple(open_positions or ()),
            example=example,
            model=model,
            moderator_model=moderator_model,
            rounds=rounds,
            independent=independent,
            quorum=quorum,
            timeout=timeout,
            max_tokens=max_tokens,
            out=out,
        )
    )
