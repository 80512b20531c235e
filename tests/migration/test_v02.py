"""Programs for AutoGen 0.2: rewritten to the interface of 0.4 as a whole, or kept with the reasons."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.migration.programs import ASKING, BY_CALLS, CODING, IN_TURNS, SELECTED, TOOLS, TRANSITIONS, TWO_MODELS
from tests.migration.test_notebooks import notebook
from tests.seeds.session import PROGRAMS

from symposia.migration import FindingKind, MigrationTarget, migrate_text, plan_migration

SEEDS = ("multi_agent_01_two_agents", "multi_agent_02_group_chat")
ALL = (ASKING, BY_CALLS, CODING, IN_TURNS, SELECTED, TOOLS, TRANSITIONS, TWO_MODELS)
COMMENT = re.compile(r"#.*")


def reasons(text: str) -> list[str]:
    result = migrate_text(text)
    return [note.text for note in result.notes if note.kind is FindingKind.KEPT]


def test_a_program_of_the_seeds_is_rewritten_with_its_comments() -> None:
    before = (PROGRAMS / f"{SEEDS[0]}.py").read_text()
    after = migrate_text(before).text
    assert set(COMMENT.findall(before)) <= set(COMMENT.findall(after))
    assert (
        """\
model_client = ChatCompletionCache(OpenAIChatCompletionClient(
    **config_list[0],
    temperature=0.2,       # Lower temperature = more deterministic, precise code
    # Reproducible results for debugging
), DiskCacheStore(Cache(".cache/42")))
"""
        in after
    )
    assert (
        """\
    code_executor=LocalCommandLineCodeExecutor(
        work_dir="agent_workspace",   # Code runs in this directory
        # Set True in production for isolation
        timeout=600,
    ),
"""
        in after
    )
    assert after.endswith(
        """\
team = RoundRobinGroupChat(
    [assistant, user_proxy],
    termination_condition=TextMentionTermination("TERMINATE", sources=["DataAnalystAgent"])
    | MaxMessageTermination(22),
)
asyncio.run(Console(team.run_stream(task=task)))

print("Agent task completed. Check agent_workspace/ for output files.")
"""
    )


def test_the_pair_of_programs_of_seed_001_is_one_conversation() -> None:
    """The article's program for 0.4 has no agent that runs code, since its answers have none."""
    after = migrate_text((PROGRAMS / "conversational_10_before_migration.py").read_text()).text
    assert "RoundRobinGroupChat(\n    [assistant, user_proxy],\n" in after
    assert after.endswith('asyncio.run(Console(team.run_stream(task="Your task here")))\n')


def test_what_is_slightly_different_in_a_group_chat_is_noted() -> None:
    before = "\n".join((PROGRAMS / f"{name}.py").read_text() for name in SEEDS)
    result = migrate_text(before)
    assert "team_2 = SelectorGroupChat(\n    [user_proxy, assistant, reviewer],\n" in result.text
    assert {note.kind for note in result.notes} == {FindingKind.NOTE}
    first, second = (note.text for note in result.notes)
    assert first == "ExecutorAgent speaks up to 14 times, and not 10."
    assert second.startswith("The group chat ends with the first message that meets the is_termination_msg of Exec")


def test_code_that_depends_on_what_is_kept_has_no_reason_of_its_own() -> None:
    [reason] = reasons(TOOLS.replace('"user",\n    human_input_mode="NEVER"', '"user",\n    human_input_mode="ALWAYS"'))
    assert "asks a person" in reason


def test_an_import_with_a_star_is_the_reason_alone() -> None:
    program = CODING.replace("import AssistantAgent, UserProxyAgent", "import *")
    [reason] = reasons(program)
    assert reason.startswith("AutoGen's names are imported with *.")
    assert reasons(migrate_text(program).text) == [reason]


def test_agents_in_a_call_that_has_no_counterpart_have_no_reasons_of_their_own() -> None:
    nested = 'user_proxy.register_nested_chats([{"recipient": assistant}], trigger=assistant)\n'
    [reason] = reasons(CODING + nested)
    assert reason == "user_proxy.register_nested_chats is used in a way that has no certain counterpart."


def test_agents_of_a_class_of_the_program_have_the_class_as_their_reason() -> None:
    own = "\nclass Coder(AssistantAgent):\n    pass\n\n"
    [reason] = reasons(
        CODING.replace("\nassistant = Ass", f"{own}assistant = Ass").replace("= AssistantAgent", "= Coder")
    )
    assert reason == "Coder is a class of the program's own, and AssistantAgent is made otherwise in 0.4."


def test_an_agent_that_asks_a_person_hardly_ever_is_rewritten_with_a_note() -> None:
    result = migrate_text(BY_CALLS)
    assert "AssistantAgent(" in result.text
    [note] = result.notes
    assert (note.line, note.kind) == (3, FindingKind.NOTE)
    assert note.text.startswith("bot asks a person after 100 answers in AutoGen 0.2")


def test_declared_types_of_what_is_rewritten_go() -> None:
    declared = ASKING.replace("config = {", "config: dict[str, object] = {").replace(
        "\na = ", "\na: autogen.AssistantAgent = "
    )
    declared = declared.replace("\nu = ", "\nu: autogen.UserProxyAgent = ")
    assert declared.count(": autogen.") == 2
    assert migrate_text(declared) == migrate_text(ASKING)


@pytest.mark.parametrize("quote", ['"', "'", '"""'])
def test_the_summary_in_a_formatted_string_has_other_quotes(quote: str) -> None:
    inside = "'" if quote.startswith('"') else '"'
    used = ASKING.replace("return result.summary", f"return f{quote}so: {{result.summary}}{quote}")
    wanted = f"f{quote}so: {{result.messages[-1].to_text().replace({inside}TERMINATE{inside}, {inside * 2})}}{quote}"
    assert wanted in migrate_text(used).text


def test_an_executor_in_the_call_that_makes_an_agent_is_rewritten() -> None:
    config = '{"work_dir": "w", "use_docker": False}'
    assert config in CODING
    given = '{"executor": autogen.coding.LocalCommandLineCodeExecutor(work_dir="coding")}'
    after = migrate_text("import autogen\n" + CODING.replace(config, given)).text
    assert 'code_executor=LocalCommandLineCodeExecutor(work_dir="coding")' in after
    assert "autogen" not in after


@pytest.mark.parametrize("program", ALL, ids=range(len(ALL)))
def test_what_was_rewritten_is_not_changed_again(program: str) -> None:
    after = migrate_text(program).text
    assert migrate_text(after).text == after


TWICE = CODING + 'user_proxy.initiate_chat(assistant, message="And?"'


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (CODING.replace('human_input_mode="NEVER"', 'human_input_mode="ALWAYS"'), "asks a person"),
        (CODING.replace('    human_input_mode="NEVER",\n', ""), "asks a person"),
        (CODING.replace('"assistant"', '"my assistant"'), "The name of the agent is not a Python identifier"),
        (CODING.replace('"Your task here"', '{"content": "x"}'), "The message of the chat is not a text."),
        (CODING.replace('message="Your task here"', ""), "The chat has no recipient, or no message."),
        (CODING.replace('"Your task here"', '"x", carryover="y"'), "The argument carryover of initiate_chat"),
        (CODING.replace('"Your task here"', '"x", summary_method="reflection_with_llm"'), "The summary is not that"),
        (CODING.replace('{"model": "gpt-4", "cache_seed": None}', "load()"), "not a dictionary"),
        (CODING.replace('"model": "gpt-4"', '"model": "gpt-4", "functions": []'), "takes no 'functions'"),
        (CODING.replace('"model": "gpt-4"', '"model": "gpt-4", "api_type": "cohere"'), 'The api_type "cohere"'),
        (CODING.replace('"model": "gpt-4"', '"model": "gpt-4", **more'), "The keys of the dictionary"),
        (CODING.replace('"use_docker": False', '"use_docker": docker'), "The use_docker is known only"),
        (CODING.replace('lambda x: "DONE" in x["content"]', "lambda x: check(x)"), "looks at more"),
        (CODING.replace('lambda x: "DONE" in x["content"]', "imported"), "is not in this file"),
        (CODING.replace('name="assistant",', 'name="assistant", silent=True,'), "The argument silent"),
        (CODING + "assistant.clear_history()\n", "assistant.clear_history is used in a way"),
        (CODING + "print(user_proxy.last_message())\n", "user_proxy.last_message is used in a way"),
        (CODING + "assistant = None\n", "assistant stands for more than one thing"),
        (CODING.replace("user_proxy.init", "result = user_proxy.init") + "print(result.cost)\n", "result.cost is used"),
        (f"{TWICE}, clear_history=False)\n", "The chat goes on with the history of an earlier one."),
        (CODING.partition("user_proxy.init")[0], "No chat begins in this file"),
        (CODING + "user_proxy.initiate_chats([])\n", "initiate_chats has no certain counterpart."),
        (CODING.replace("user_proxy.init", "print(user_proxy.init") + ")\n", "initiate_chat is part of a larger"),
        (CODING.replace('"model": "gpt-4"', '"model": "gpt-4", "stream": streams'), "The stream is known only"),
        (BY_CALLS.replace('name="add")(add)', 'name="sum")(add)'), "The arguments with which add is registered"),
        (BY_CALLS.replace("user.register_for_execution()(mul)\n", ""), "mul is not registered with one caller"),
        (BY_CALLS.replace("()(mul)", "()(tools.mul)"), "mul is not registered with one caller"),
        (BY_CALLS.replace("()(mul)", "()(lambda: 1)"), "The function that is registered has no name."),
        (
            BY_CALLS.replace('"gpt-4o"', '"gpt-4o"}, max_consecutive_auto_reply=1, description={"a": "b"'),
            "asks a person",
        ),
        (TRANSITIONS.replace("c: [a]", "c: []"), "No agent may speak after c."),
        (TRANSITIONS.replace(", c: [a]", ""), "No agent may speak after c."),
        (TRANSITIONS.replace("c: [a]", "c: others"), "The speaker transitions are known only when the program runs."),
        (TRANSITIONS.replace('"allowed"', "kind"), "The speaker transitions are known only when the program runs."),
        (
            TRANSITIONS.replace("max_round=5", 'speaker_selection_method="round_robin"'),
            "is not selected by a model or in",
        ),
        ("import asyncio, autogen\n" + CODING, "Give it an import of its own."),
        ("def run():\n    import autogen\n" + CODING, "AutoGen is imported in a function"),
        (CODING.replace("AssistantAgent", "GPTAssistantAgent"), "assistant is made by GPTAssistantAgent, which"),
        (CODING + "from rich.console import Console\n", "The program has another Console, which 0.4 needs."),
        (CODING + "def run(asyncio):\n    pass\n", "The program has another asyncio, which 0.4 needs."),
        (IN_TURNS.replace("round_robin", "random"), "The next speaker is not selected by a model or in turns."),
        (IN_TURNS.replace("messages=[]", "messages=old"), "The group chat begins with messages."),
        (IN_TURNS.replace("max_round=5", "max_round=5, send_introductions=True"), "The argument send_introductions"),
        (ASKING + "async def main():\n    ask(1)\n", "may be called in a running event loop"),
        (TOOLS.replace("executor=user", "executor=bot"), "The caller or the executor of the tool"),
        (CODING.replace('"cache_seed": None}', '"config_list": read_models()}'), "known only"),
        (
            CODING.replace('"model": "gpt-4"', '"config_list": autogen.config_list_from_json("X")')
            .replace("from autogen import", "import autogen\nfrom autogen import")
            .replace('"cache_seed"', '"filter_func"'),
            "takes no 'filter_func'",
        ),
    ],
    ids=lambda text: "" if "\n" in text else text[:40],
)
def test_a_program_that_is_not_certain_is_kept_with_the_reason(program: str, reason: str) -> None:
    assert [each for each in reasons(program) if reason in each], reasons(program)
    kept = migrate_text(program).text
    lines = [line for line in kept.splitlines() if not line.strip().startswith("# symposia migrate: ")]
    assert [line for line in lines if "import" not in line] == [
        line for line in program.splitlines() if "import" not in line
    ]
    assert migrate_text(kept).text == kept


@pytest.mark.parametrize(
    ("program", "imports"),
    [
        ("import asyncio\n" + CODING, 1),
        (CODING + "import asyncio\n", 2),
        ("def f():\n    import asyncio\n" + CODING, 2),
        ('"""\nimport asyncio\n"""\n' + CODING, 2),
        ("import asyncio as aio\n" + CODING, 1),
    ],
    ids=["before", "after", "elsewhere", "text", "renamed"],
)
def test_asyncio_is_imported_where_no_import_before_the_chat_does_it(program: str, imports: int) -> None:
    lines = [line.strip() for line in migrate_text(program).text.splitlines()]
    assert "import asyncio" in lines[: next(i for i, line in enumerate(lines) if "asyncio.run(" in line)]
    assert lines.count("import asyncio") == imports


def test_a_reason_stands_above_its_statement_and_goes_when_it_is_gone() -> None:
    begins = 'user_proxy.initiate_chat(assistant, message="Your task here")'
    nested = """\
if True:
    user_proxy.initiate_chat(
        assistant,
        message="Your task here",
        carryover="x",
    )"""
    before = CODING.replace(begins, nested)
    kept = migrate_text(before).text
    assert "if True:\n    # symposia migrate: The argument carryover of initiate_chat has no" in kept
    mended = migrate_text(kept.replace('        carryover="x",\n', "")).text
    assert "symposia migrate" not in mended
    assert "RoundRobinGroupChat" in mended


IMPORT, USE = "from .team import (\n    x,\n    assistant as a,\n)\n", "import team\nteam.assistant\n"


@pytest.mark.parametrize("use", [IMPORT, USE], ids=["from", "attribute"])
def test_agents_that_other_files_import_keep_their_interface(use: str, tmp_path: Path) -> None:
    (tmp_path / "team.py").write_text(CODING)
    (tmp_path / "main.py").write_text(use)
    plan = plan_migration([tmp_path])
    assert "Other files import assistant from this one." in [finding.text for finding in plan.findings]
    assert not plan_migration([tmp_path / "team.py"]).findings


EXECUTOR = """\
import autogen
from autogen.coding import DockerCommandLineCodeExecutor

executor = DockerCommandLineCodeExecutor(timeout=60, work_dir="coding")
config_list = [{"model": "gpt-4", "tags": ["x"]}, {"model": "gpt-4.1", "api_type": "openai"}]
a = autogen.AssistantAgent("a", llm_config={"config_list": config_list, "temperature": 0})
b = autogen.UserProxyAgent("b", code_execution_config={"executor": executor}, human_input_mode="NEVER")
silent = autogen.UserProxyAgent("s", human_input_mode="NEVER", code_execution_config=False)  # says nothing
b.initiate_chat(a, message="Plot it.")
silent.initiate_chat(a, message="And?", max_turns=1)
executor.stop()
"""


def test_executors_lists_of_models_and_later_chats_are_rewritten() -> None:
    after = migrate_text(EXECUTOR).text
    for line in (
        'executor = DockerCommandLineCodeExecutor(timeout=60, work_dir="coding")',
        'config_list = [{"model": "gpt-4"}, {"model": "gpt-4.1"}]',
        'b = CodeExecutorAgent("b", code_executor=executor)',
        "# says nothing",
        "team_2 = RoundRobinGroupChat([a], max_turns=1)",
        "asyncio.run(team_2.reset())",
        "asyncio.run(executor.stop())",
    ):
        assert line in after.splitlines(), after
    clients = [f"OpenAIChatCompletionClient(**config_list[{index}], temperature=0)" for index in (0, 1)]
    assert f"model_client=FallbackClient([{', '.join(clients)}])," in after


READ = """\
import autogen

models = autogen.config_list_from_json("OAI_CONFIG_LIST", filter_dict={"model": ["gpt-4o"]})  # the file
a = autogen.AssistantAgent("a", llm_config={"config_list": models, "temperature": 0})
b = autogen.AssistantAgent("b", llm_config={"config_list": autogen.config_list_from_json("OTHERS")})
b.initiate_chat(a, message="hi", max_turns=2)
"""


def test_a_list_of_models_that_is_read_when_the_program_runs_makes_a_client() -> None:
    after = migrate_text(READ).text
    for line in (
        "from symposia.v02 import config_list_from_json",
        "from symposia.v02.oai.conversion import to_model_client",
        'models = config_list_from_json("OAI_CONFIG_LIST", filter_dict={"model": ["gpt-4o"]})  # the file',
        'a = AssistantAgent("a", model_client=to_model_client({"config_list": models, "temperature": 0}))',
    ):
        assert line in after.splitlines(), after
    assert 'to_model_client({"config_list": config_list_from_json("OTHERS")})' in after
    assert migrate_text(after).text == after


def test_a_file_that_only_reads_lists_of_models_has_nothing_to_rewrite() -> None:
    result = migrate_text('from autogen import config_list_from_json\n\nmodels = config_list_from_json("X")\n')
    assert result.text == 'from symposia.v02 import config_list_from_json\n\nmodels = config_list_from_json("X")\n'
    assert not result.notes


def test_only_names_are_changed_where_that_is_asked_for() -> None:
    before = "from autogen.exception_utils import SenderRequired\nimport autogen\nautogen.version\n"
    after = "from symposia.v02.exception_utils import SenderRequired\nimport symposia.v02 as autogen\nautogen.version\n"
    assert migrate_text(before, MigrationTarget.NAMES).text == after


def test_a_chat_in_a_notebook_is_awaited(tmp_path: Path) -> None:
    imports, _, rest = CODING.partition("\n\n")
    agents, _, chat = rest.rstrip().partition("user_proxy.init")
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(notebook(imports, agents, f"user_proxy.init{chat}")))
    [change] = plan_migration([path]).changes
    last = "".join(json.loads(change.after)["cells"][3]["source"])
    assert last.endswith('await Console(team.run_stream(task="Your task here"))')


@given(st.sampled_from(ALL), st.lists(st.tuples(st.integers(0, 40), st.sampled_from(["# a", "# é", "#"]))))
def test_no_comment_is_lost(program: str, comments: list[tuple[int, str]]) -> None:
    lines = program.splitlines()
    for place, comment in comments:
        at = place % len(lines)
        if not lines[at].endswith('"""'):
            lines[at] += f"  {comment}"
    before = "\n".join(lines)
    after = migrate_text(before).text
    for text in ("# a", "# é"):
        assert after.count(text) >= before.count(text)
