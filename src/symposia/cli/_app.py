"""The `symposia` command: its verbs, with their options and the words that ``--help`` shows.

This module imports nothing but typer and the standard library, since ``--version`` and ``--help`` pay for each import:
the code of a verb is imported when it is called. For the same reason the help is plain text (typer's other forms import
rich's Markdown, which doubles its time), and defaults and names that other packages define are repeated here; a test
compares them. typer checks no paths and no names: an error about one has its own message and status.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from symposia import __version__
from symposia.cli._exit import (
    CONVERSATION_MEANING,
    DEBATE_MEANING,
    MAGENTIC_MEANING,
    MCP_MEANING,
    MEANING,
    MIGRATE_MEANING,
    MOCK_SERVER_MEANING,
    MODELS_MEANING,
    exit_statuses,
)
from symposia.cli._options import (
    SANDBOXES,
    AllowHost,
    AsJson,
    Attack,
    AuditLog,
    Blocks,
    Bundled,
    Check,
    Cpus,
    DataFiles,
    DiffOnly,
    Disk,
    Docs,
    Example,
    History,
    Host,
    Independent,
    Lenient,
    MagenticTaskText,
    MaxMessages,
    MaxStalls,
    MaxTokens,
    MaxTurns,
    Memory,
    MigratedPaths,
    Model,
    ModelsAsJson,
    ModelScript,
    ModelToShow,
    ModeratorModel,
    OpenPositions,
    OutFolder,
    PlannerModel,
    Port,
    Positions,
    PrivateHosts,
    Processes,
    Question,
    Quorum,
    Recorded,
    Report,
    ReportAsJson,
    ReviewerModel,
    ReviewPlan,
    Rounds,
    Sandbox,
    SandboxToCheck,
    SandboxToMeasure,
    SandboxToSetUp,
    SandboxToShow,
    Script,
    Served,
    SharedFiles,
    StartPage,
    Starts,
    System,
    TaskText,
    TimeLimit,
    Timeout,
    To,
    Try,
    WithPackages,
    Yes,
)
from symposia.cli._output import keep_output_from_failing

STARTED = f"Symposia {__version__} · Ctrl-C ends the run"
OUTPUT_CLOSED = "The output is closed. The run goes on, and its results are in the folder; Ctrl-C ends it."

app = typer.Typer(
    name="symposia",
    help="Teams of agents that talk, write code, run it in a sandbox and check it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"symposia {__version__}")
        raise typer.Exit


class Verb(TyperCommand):
    """A verb that shows its usage with every usage error.

    typer shows it only for errors with a context, and its parser makes errors about a missing value without one.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # Any: click's context, or typer's copy of click's
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            if getattr(error, "ctx", self) is None:
                vars(error).update(ctx=ctx, cmd=self)
            raise


class TextVerb(Verb):
    """A verb whose argument is a text: says how one of several words is given."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # Any: see `Verb`
        left = super().parse_args(ctx, args)
        if ctx.args:  # let through by `allow_extra_args`; the parser's own error does not say what to do
            argument = next(each for each in self.params if each.param_type_name == "argument")
            text = " ".join([str(ctx.params[argument.name]), *ctx.args])
            what = f"The {argument.metavar.lower()} has" if argument.metavar else "It has"
            ctx.fail(f'{what} to be one argument. Put it in quotes: symposia {ctx.info_name} "{text}"')
        return left


class RunVerb(TextVerb):
    """`symposia run`: names the sandboxes that distributions offer."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # Any: see `Verb`
        offered = ", ".join(offered_sandboxes())
        for option in self.params:
            if offered and option.name == "sandbox":
                vars(option)["help"] = f"Where the code runs: {SANDBOXES}. Installed packages offer: {offered}."
        super().format_help(ctx, formatter)


def offered_sandboxes() -> list[str]:
    """The names of the sandboxes that installed distributions offer. None of them is imported."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - takes 10 ms to import

    return sorted(point.name for point in entry_points(group="symposia.sandboxes"))


@app.callback()
def _root(  # pyright: ignore[reportUnusedFunction] - typer calls it
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    del version


@app.command(epilog=exit_statuses(MEANING), cls=RunVerb, context_settings={"allow_extra_args": True})
def run(
    task: TaskText = None,
    data: DataFiles = None,
    out: OutFolder = None,
    model: Model = None,
    planner_model: PlannerModel = None,
    reviewer_model: ReviewerModel = None,
    bundled: Bundled = None,
    sandbox: Sandbox = "auto",
    packages: WithPackages = None,
    max_messages: MaxMessages = None,
    timeout: Timeout = None,
    max_tokens: MaxTokens = None,
    time_limit: TimeLimit = None,
    memory: Memory = None,
    disk: Disk = None,
    processes: Processes = None,
    cpus: Cpus = None,
    allow_host: AllowHost = None,
    audit_log: AuditLog = None,
) -> None:
    """Let a swarm of four solve a task: one plans, one writes Python, one runs it in a sandbox, one checks the output.

    The answer, the code, the files that it made, the transcript and the tokens are left in a folder. A task of your own
    needs the key of a vendor, such as OPENAI_API_KEY or ANTHROPIC_API_KEY. The bundled tasks need no
    key: without --model, the models' answers are recorded, and the code really runs.
    """
    from symposia.cli._plan import ModelNames, ProgramLimits, RunArguments, RunLimits  # noqa: PLC0415 - imported when called
    from symposia.cli._run import run_and_show  # noqa: PLC0415 - imported when called

    run_and_show(
        RunArguments(
            text=task,
            data=tuple(data or ()),
            bundled=bundled,
            models=ModelNames(model=model, planner=planner_model, reviewer=reviewer_model),
            sandbox=sandbox,
            packages=tuple(packages or ()),
            run_limits=RunLimits(max_messages=max_messages, timeout=timeout, max_tokens=max_tokens),
            program_limits=ProgramLimits(
                time_limit=time_limit,
                memory=memory,
                disk=disk,
                processes=processes,
                cpus=cpus,
                allowed_hosts=tuple(allow_host or ()),
            ),
            audit_log=audit_log,
            out=out,
        )
    )


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


@app.command(epilog=exit_statuses(MAGENTIC_MEANING), cls=TextVerb, context_settings={"allow_extra_args": True})
def magentic(
    task: MagenticTaskText = None,
    data: SharedFiles = None,
    model: Model = None,
    sandbox: Sandbox = "auto",
    start_page: StartPage = None,
    private_hosts: PrivateHosts = None,
    review_plan: ReviewPlan = False,
    max_turns: MaxTurns = None,
    max_stalls: MaxStalls = None,
    timeout: Timeout = None,
    max_tokens: MaxTokens = None,
    out: OutFolder = None,
) -> None:
    """Let a Magentic-One team work on a task: it plans, reads files, browses, and runs code in a sandbox.

    The ledger of progress, the stalls and the answer are shown. The answer, the files and the transcript are left in a
    folder. A task of your own needs the key of a vendor, such as OPENAI_API_KEY or ANTHROPIC_API_KEY. The bundled task
    needs no key: without --model, the model's answers are recorded.
    """
    from symposia.cli._magentic import MagenticArguments, magentic_and_show  # noqa: PLC0415 - imported when called

    magentic_and_show(
        MagenticArguments(
            task=task,
            data=tuple(data or ()),
            model=model,
            sandbox=sandbox,
            start_page=start_page,
            private_hosts=tuple(private_hosts or ()),
            review_plan=review_plan,
            max_turns=max_turns,
            max_stalls=max_stalls,
            timeout=timeout,
            max_tokens=max_tokens,
            out=out,
        )
    )


@app.command(epilog=exit_statuses(CONVERSATION_MEANING), cls=Verb)
def chat(
    model: Model = None,
    system: System = None,
    docs: Docs = None,
    history: History = None,
    script: Script = None,
    example: Recorded = False,
) -> None:
    """Talk with one assistant, line by line, in the terminal or from a script.

    With --docs it answers from your files. Without a key, a recorded conversation is shown.
    """
    from symposia.cli._conversation import ConversationArguments, chat_and_show  # noqa: PLC0415 - imported when called

    arguments = ConversationArguments(
        model=model, system=system, docs=docs, history=history, script=script, example=example
    )
    chat_and_show(arguments)


@app.command(epilog=exit_statuses(CONVERSATION_MEANING), cls=Verb)
def support(model: Model = None, history: History = None, script: Script = None, example: Recorded = False) -> None:
    """Talk with a support team as its customer: triage, billing, technical, and a colleague who is a person.

    You are the colleague too, where the agents hand over to one, or where a refund needs consent. The shop and its
    orders are an example: 4711, 4712 and 4713. Without a key, a recorded conversation is shown.
    """
    from symposia.cli._conversation import ConversationArguments, support_and_show  # noqa: PLC0415 - imported when called

    support_and_show(ConversationArguments(model=model, history=history, script=script, example=example))


@app.command(cls=Verb)
def doctor(attack: Attack = False, sandbox: SandboxToCheck = "auto") -> None:
    """Show which sandboxes work here and why the others do not, which keys are set, and which versions are installed.

    Each sandbox is started, and runs a block.
    """
    from symposia.cli._sandboxes import check_sandbox_name  # noqa: PLC0415 - imported when called

    check_sandbox_name(sandbox)
    if attack:
        from symposia.cli._attack import attack_and_show  # noqa: PLC0415 - imported when called

        attack_and_show(sandbox)
        return
    from symposia.cli._doctor import show_findings  # noqa: PLC0415 - imported when called

    show_findings(sandbox)


@app.command(cls=Verb)
def setup(sandbox: SandboxToSetUp = "auto") -> None:
    """Make the Python environment and the image that generated code runs in.

    It has numpy, pandas and matplotlib, takes some ten seconds and 200 MB, and is made once. `symposia run` does it on
    its first use too.
    """
    from symposia.cli._sandboxes import set_up_and_show  # noqa: PLC0415 - imported when called

    set_up_and_show(sandbox)


@app.command(epilog=exit_statuses(MODELS_MEANING), cls=Verb)
def models(name: ModelToShow = None, try_it: Try = False, as_json: ModelsAsJson = False) -> None:
    """List the vendors of models and what each lacks here, or show what is known of a model: limits, abilities, price.

    What you state in the file of SYMPOSIA_MODEL_PROFILES is shown with it. Nothing is sent without --try.
    """
    from symposia.cli._models import models_and_show  # noqa: PLC0415 - imported when called

    models_and_show(name, send=try_it, as_json=as_json)


@app.command("mock-server", epilog=exit_statuses(MOCK_SERVER_MEANING), cls=Verb)
def mock_server(script: ModelScript, host: Host = "127.0.0.1", port: Port = 0, lenient: Lenient = False) -> None:
    """Serve a script as OpenAI, Anthropic, Gemini and Ollama, for programs that are tested without a model.

    Prints the environment variables that make the vendors' SDKs use this server, and for each request the rule that
    answers it, or why none does. Ctrl-C, or SIGTERM, ends the server, and prints the rules that were not used.
    """
    from symposia.cli._mock_server import serve_and_show  # noqa: PLC0415 - imported when called

    serve_and_show(script, host=host, port=port, strict=not lenient)


@app.command(epilog=exit_statuses(MIGRATE_MEANING), cls=Verb)
def migrate(
    paths: MigratedPaths,
    yes: Yes = False,
    diff: DiffOnly = False,
    check: Check = False,
    to: To = "v0.4",
    report: Report = False,
    as_json: ReportAsJson = False,
) -> None:
    """Rewrite programs for AutoGen to Symposia: the changes are shown, and a question is asked.

    Comments and formatting stay. What Symposia lacks, and what is not certain, stays as it is and is listed. In
    folders, hidden entries and virtual environments are left out.
    """
    from symposia.cli._migrate import MigrateArguments, migrate_and_show  # noqa: PLC0415 - imported when called

    migrate_and_show(
        MigrateArguments(paths=tuple(paths), yes=yes, diff=diff, check=check, to=to, report=report, as_json=as_json)
    )


sandbox_app = typer.Typer(no_args_is_help=True, help="Show, measure and clean up sandboxes.")
app.add_typer(sandbox_app, name="sandbox")


@sandbox_app.command("list", cls=Verb)
def list_sandboxes() -> None:
    """List the sandboxes that run on this machine, with the process that owns each, its age and its memory."""
    from symposia.cli._inspection import list_and_show  # noqa: PLC0415 - imported when called

    list_and_show()


@sandbox_app.command(cls=Verb)
def show(name: SandboxToShow) -> None:
    """Show what a sandbox needs, how it isolates code, its weaknesses on this machine, and the limits of a program.

    It is started, and runs a block. The exit status is 15 where it does not work.
    """
    from symposia.cli._inspection import show_sandbox  # noqa: PLC0415 - imported when called

    show_sandbox(name)


@sandbox_app.command(cls=Verb)
def clean() -> None:
    """Remove the containers, networks, control groups and folders that processes left which were killed.

    What belongs to a process that runs, or to another machine, stays. A sandbox that starts does so for its own kind.
    """
    from symposia.cli._inspection import clean_and_show  # noqa: PLC0415 - imported when called

    clean_and_show()


@sandbox_app.command(cls=Verb)
def bench(sandbox: SandboxToMeasure = "auto", starts: Starts = 5, blocks: Blocks = 50, as_json: AsJson = False) -> None:
    """Measure how long a sandbox takes to start, to run a block, and to end: medians and 95th percentiles."""
    from symposia.cli._bench import bench_and_show  # noqa: PLC0415 - imported when called

    bench_and_show(sandbox, starts=starts, blocks=blocks, as_json=as_json)


mcp_app = typer.Typer(no_args_is_help=True, help="Serve tools, agents and teams to MCP clients.")
app.add_typer(mcp_app, name="mcp")


@mcp_app.command(epilog=exit_statuses(MCP_MEANING), cls=Verb)
def serve(target: Served) -> None:
    """Serve tools, an agent or a team as an MCP server on standard input and output, until the input ends.

    An agent or a team is one tool, whose argument is a task.
    """
    from symposia.cli._mcp import serve as serve_target  # noqa: PLC0415 - imported when called

    serve_target(target)


def _note(message: Warning | str, *_where: object) -> None:
    # Some warnings advise a program's author; `UnknownModelWarning` has words without that, which fit a command too.
    text = getattr(message, "assumption", message)
    typer.secho(f"Note: {text}", fg=typer.colors.YELLOW, err=True)


class _NoteHandler(logging.Handler):
    """Shows what the library logs as a warning as a note: each text once, since a run may have many such answers."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._shown: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        if text not in self._shown:
            self._shown.add(text)
            from symposia.core.terminal_text import printable  # noqa: PLC0415 - few commands have notes

            _note(printable(text))


def run_command_line() -> None:
    """Run the command line that the process was started with.

    Warnings are shown as notes, without their place in the code, and so is what the library logs as one. What the
    terminal cannot show becomes a question mark, and an output that is closed early, as by ``| head``, does not end the
    run.
    """
    warnings.showwarning = _note
    logging.getLogger("symposia").addHandler(_NoteHandler())
    is_run = sys.argv[1:2] in (["run"], ["debate"], ["magentic"]) and "--help" not in sys.argv
    keep_output_from_failing(OUTPUT_CLOSED if is_run else "")
    if is_run:  # before typer reads the options, for which it imports pydantic
        typer.echo(STARTED)
        sys.stdout.flush()
    # As rich decides for the views; click itself looks only at whether the output is a terminal.
    is_plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    app(color=False if is_plain else None)
