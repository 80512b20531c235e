"""Skills in an assistant: what the model is shown, what it can read, and where scripts run."""

import json
import os
from pathlib import Path

import pytest
from tests.support.chat_agents import ABLE, RecordingHandler, asks_for, model, says, shown
from tests.support.sandboxes import require

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.messages import TextMessage, ToolCallExecutionEvent
from symposia.agentchat.skills import SkillWorkbench
from symposia.core import ComponentModel
from symposia.core.code_executor import SandboxPolicy
from symposia.core.effects import handle_effects
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.models import CreateResult, SystemMessage
from symposia.core.tools import FunctionTool, StaticWorkbench
from symposia.ext.code_executors.namespaces import NamespaceBackend, NamespaceCommandLineCodeExecutor

EXAMPLE = Path(__file__).parents[3] / "examples" / "skills"


def put(folder: Path, name: str, **files: str) -> Path:
    skill = folder / name
    skill.mkdir(parents=True)
    (skill / "SKILL.md").write_text(f"---\nname: {name}\ndescription: Does {name}.\n---\nHow to {name}.\n")
    for path, text in files.items():
        (skill / path.replace("__", ".")).write_text(text)
    return skill


def call(tool: str, /, **arguments: object) -> CreateResult:
    return asks_for((tool, json.dumps(arguments)))


async def result_of(workbench: SkillWorkbench, tool: str, /, **arguments: object) -> tuple[str, bool]:
    result = await workbench.call_tool(tool, arguments)
    return result.to_text(), result.is_error


async def test_the_model_is_shown_names_and_descriptions_and_reads_a_skill_when_it_needs_one(tmp_path: Path) -> None:
    put(tmp_path, "tea", notes__txt="Green tea: 80 degrees.")
    put(tmp_path, "coffee")
    client = model(
        call("read_skill", name="tea"), call("read_skill_file", skill="tea", path="notes.txt"), says("At 80 degrees.")
    )
    agent = AssistantAgent("ann", client, system_message="Be brief.", skills=tmp_path)
    result = await agent.run(task="How hot?")

    system = shown(client, 0)[0]
    assert isinstance(system, SystemMessage)
    assert system.content.startswith("Be brief.\n")
    assert system.content.endswith("- coffee: Does coffee.\n- tea: Does tea.")
    assert "How to tea." not in system.content
    read = [each.content[0].content for each in result.messages if isinstance(each, ToolCallExecutionEvent)]
    assert read == ["How to tea.\n\nFiles of the skill tea:\n- notes.txt", "Green tea: 80 degrees."]
    assert isinstance(result.messages[-1], TextMessage)
    assert [shown(client, number)[0] for number in range(3)] == [system] * 3  # the beginning stays, for caches


async def test_skills_stand_beside_tools_and_workbenches_of_the_program(tmp_path: Path) -> None:
    put(tmp_path, "tea")

    def add(a: int, b: int) -> int:
        return a + b

    workbench = StaticWorkbench([FunctionTool(add, "Add.")])
    for tools, given in (([add], None), (None, workbench)):
        client = model("fine")
        await AssistantAgent("ann", client, skills=[tmp_path], tools=tools, workbench=given).run(task="go")
        names = [tool["name"] for tool in client.create_calls[0]["tools"] if isinstance(tool, dict)]
        assert names == ["read_skill", "read_skill_file", "add"]


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "/etc/passwd",
        "..",
        "notes.txt/../../secret.txt",
        "link.txt",
        "linked/secret.txt",
        "",
        "SKILL.md",
    ],
)
async def test_no_file_outside_of_the_skill_is_read(tmp_path: Path, path: str) -> None:
    skill = put(tmp_path / "skills", "tea", notes__txt="fine")
    (tmp_path / "skills" / "secret.txt").write_text("secret")
    (tmp_path / "secret.txt").write_text("secret")
    (skill / "link.txt").symlink_to(tmp_path / "secret.txt")
    (skill / "linked").symlink_to(tmp_path)
    text, is_error = await result_of(SkillWorkbench(skill), "read_skill_file", skill="tea", path=path)
    assert is_error
    assert text == f"The skill 'tea' has no file {path!r}. Its files are: notes.txt."


async def test_a_file_that_becomes_a_link_later_is_not_read(tmp_path: Path) -> None:
    skill = put(tmp_path / "skills", "tea", notes__txt="fine")
    (tmp_path / "secret.txt").write_text("secret")
    workbench = SkillWorkbench(skill)
    assert await result_of(workbench, "read_skill_file", skill="tea", path="./notes.txt") == ("fine", False)
    (skill / "notes.txt").unlink()
    (skill / "notes.txt").symlink_to(tmp_path / "secret.txt")
    assert (await result_of(workbench, "read_skill_file", skill="tea", path="notes.txt"))[1]


async def test_a_long_file_is_read_in_parts_and_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    long = "".join(f"line {number}\n" for number in range(10_000))
    skill = put(tmp_path, "tea", long__txt=long)
    (skill / "kettle.png").write_bytes(b"\x89PNG\xff")
    workbench = SkillWorkbench(skill)
    read, offset = "", 0
    while True:
        part, is_error = await result_of(workbench, "read_skill_file", skill="tea", path="long.txt", offset=offset)
        assert not is_error
        text, mark, rest = part.rpartition("\n[")
        if not mark:
            read += part
            break
        read += text
        offset = int(rest.rpartition("offset ")[2].rstrip("]"))
    assert read == long

    told = await result_of(workbench, "read_skill_file", skill="tea", path="kettle.png")
    assert told == ("The file 'kettle.png' is not text. It has 5 bytes.", True)


async def test_the_files_of_a_skill_may_change_while_it_is_used(tmp_path: Path) -> None:
    skill = put(tmp_path, "tea", notes__txt="x", other__txt="y", brew__py="print(1)")
    workbench = SkillWorkbench(skill)
    (skill / "other.txt").unlink()
    told = await result_of(workbench, "read_skill_file", skill="tea", path="other.txt")
    assert told == ("The skill 'tea' has no file 'other.txt'. Its files are: brew.py, notes.txt.", True)
    with (skill / "notes.txt").open("wb") as file:
        os.truncate(file.fileno(), 1 << 40)  # a file with a hole, which takes no disk
    text, is_error = await result_of(workbench, "read_skill_file", skill="tea", path="notes.txt")
    assert is_error
    assert "too large to read" in text
    text, is_error = await result_of(workbench, "run_skill_script", skill="tea", path="brew.py")
    assert is_error
    assert "can be copied" in text


async def test_an_unknown_skill_is_told_to_the_model(tmp_path: Path) -> None:
    put(tmp_path, "tea")
    told = await result_of(SkillWorkbench(tmp_path), "read_skill", name="wine")
    assert told == ("There is no skill 'wine'. The skills are: tea.", True)


@pytest.fixture
def namespaces() -> None:
    """Skips the test where scripts cannot run."""
    require(NamespaceBackend())


@pytest.mark.usefixtures("namespaces")
async def test_reading_is_an_effect_that_knows_the_skills_and_a_script_is_the_run_of_its_code(tmp_path: Path) -> None:
    put(tmp_path, "tea", brew__py="print('tea')")
    handler = RecordingHandler()
    async with NamespaceCommandLineCodeExecutor() as executor:
        workbench = SkillWorkbench(tmp_path, code_executor=executor)
        calls = [call("read_skill", name="tea"), call("run_skill_script", skill="tea", path="brew.py"), says("done")]
        with handle_effects(handler):
            await AssistantAgent("ann", model(*calls), skills=workbench).run(task="go")
    kinds = [effect.kind.name for effect in handler.effects]
    assert kinds == ["model", "tool", "model", "code", "model"]
    assert handler.effects[1].request.workbench["skills"] == {"tea": workbench.skills[0].digest}


@pytest.mark.usefixtures("namespaces")
class TestScripts:
    async def test_a_script_runs_with_its_arguments_and_the_files_of_its_skill(self, tmp_path: Path) -> None:
        helper = "def greet(name):\n    return f'hello {name}'\n"
        main = (
            "import pathlib, sys\nfrom helper import greet\n"
            "if __name__ == '__main__':\n"
            "    print(greet(sys.argv[1]), pathlib.Path(__file__).with_name('data.txt').read_text())\n"
            "    pathlib.Path('made.txt').write_text('made')\n"
        )
        shell = 'echo "$1" from "$(cat "$(dirname "$0")/data.txt")"; exit 3\n'
        skill = put(tmp_path / "skills", "tea", helper__py=helper, main__py=main, run__sh=shell, data__txt="data")
        work = tmp_path / "work"
        work.mkdir()
        async with NamespaceCommandLineCodeExecutor(work_dir=work) as executor:
            workbench = SkillWorkbench(skill, code_executor=executor)
            ran = await result_of(
                workbench, "run_skill_script", skill="tea", path="main.py", arguments=["a b; $HOME 'x' {y}"]
            )
            assert ran == ("hello a b; $HOME 'x' {y} data\n", False)
            failed = await result_of(workbench, "run_skill_script", skill="tea", path="./run.sh", arguments=["q'\"$"])
            assert failed == ("q'\"$ from data\n\nThe script ended with exit status 3.", False)
            outside = await result_of(workbench, "run_skill_script", skill="tea", path="../x.py")
            assert outside[1]
            no_script = await result_of(workbench, "run_skill_script", skill="tea", path="data.txt")
            assert no_script == ("The file 'data.txt' is no script: those end with .py, .sh, .bash.", True)
        made = {path.name for path in work.rglob("*") if path.is_file() and not path.name.startswith("tmp_code")}
        assert made == {"made.txt"}  # of the skill's own files, none

    async def test_a_script_cannot_change_the_skill_or_reach_the_machine(self, tmp_path: Path) -> None:
        (tmp_path / "secret.txt").write_text("secret")
        attack = (
            "import os, pathlib\n"
            f"print(os.path.exists({str(tmp_path / 'secret.txt')!r}))\n"
            "pathlib.Path(__file__).write_text('changed')\n"
        )
        skill = put(tmp_path / "skills", "tea", attack__py=attack)
        async with NamespaceCommandLineCodeExecutor() as executor:
            workbench = SkillWorkbench(skill, code_executor=executor)
            for _ in range(2):  # the second time, too
                ran = await result_of(workbench, "run_skill_script", skill="tea", path="attack.py")
                assert ran == ("False\n", False)
        assert (skill / "attack.py").read_text() == attack

    async def test_a_script_that_meets_a_limit_is_ended_and_the_model_is_told(self, tmp_path: Path) -> None:
        skill = put(tmp_path, "tea", loop__py="print('start', flush=True)\nwhile True: pass\n")
        async with NamespaceCommandLineCodeExecutor(policy=SandboxPolicy(time_limit=1)) as executor:
            workbench = SkillWorkbench(skill, code_executor=executor)
            text, _ = await result_of(workbench, "run_skill_script", skill="tea", path="loop.py")
        assert text.startswith("start")
        assert "The script ended with exit status" in text

    async def test_a_script_for_bash_runs_in_bash_beside_a_file_that_is_gone(self, tmp_path: Path) -> None:
        skill = put(tmp_path, "tea", run__sh="#!/usr/bin/env bash\nall=(green black)\necho ${all[1]}\n", x__txt="x")
        async with NamespaceCommandLineCodeExecutor() as executor:
            workbench = SkillWorkbench(skill, code_executor=executor)
            (skill / "x.txt").unlink()
            assert await result_of(workbench, "run_skill_script", skill="tea", path="run.sh") == ("black\n", False)

    async def test_of_a_long_output_the_middle_is_left_out(self, tmp_path: Path) -> None:
        skill = put(tmp_path, "tea", brew__py="print('begin' + 'x' * 99_990 + 'end', end='')")
        async with NamespaceCommandLineCodeExecutor() as executor:
            workbench = SkillWorkbench(skill, code_executor=executor)
            text, _ = await result_of(workbench, "run_skill_script", skill="tea", path="brew.py")
        assert text.startswith("begin")
        assert text.endswith("end")
        assert text.replace("x", "") == "begin\n[67,998 characters left out]\nend"

    async def test_scripts_that_run_at_the_same_time_share_the_sandbox(self, tmp_path: Path) -> None:
        keep = "import pathlib, sys\npathlib.Path(sys.argv[1]).touch()\nprint(len(list(pathlib.Path().glob('cup*'))))\n"
        workbench = SkillWorkbench(put(tmp_path, "tea", brew__py=keep))
        calls = [
            ("run_skill_script", json.dumps({"skill": "tea", "path": "brew.py", "arguments": [f"cup{n}"]}))
            for n in "abc"
        ]
        agent = AssistantAgent("ann", model(asks_for(*calls), says("done")), skills=workbench)
        result = await agent.run(task="go")
        await workbench.stop()
        (made,) = [message.content for message in result.messages if isinstance(message, ToolCallExecutionEvent)]
        assert sorted(each.content for each in made) == ["1\n", "2\n", "3\n"]

    async def test_a_skill_that_is_too_large_to_be_copied_is_told(self, tmp_path: Path) -> None:
        skill = put(tmp_path, "tea", brew__py="print(1)")
        with (skill / "data.bin").open("wb") as file:
            os.truncate(file.fileno(), 5 * 1024 * 1024)
        text, is_error = await result_of(SkillWorkbench(skill), "run_skill_script", skill="tea", path="brew.py")
        assert is_error
        assert "4,194,304 at most can be copied" in text

    async def test_without_scripts_there_is_no_tool_to_run_them(self, tmp_path: Path) -> None:
        workbench = SkillWorkbench(put(tmp_path, "tea", notes__txt="x"))
        assert [tool["name"] for tool in await workbench.list_tools()] == ["read_skill", "read_skill_file"]


async def test_an_assistant_with_skills_is_saved_and_loaded(tmp_path: Path) -> None:
    put(tmp_path, "tea")
    for skills in (str(tmp_path), [tmp_path], SkillWorkbench(tmp_path)):
        saved = AssistantAgent("ann", model("fine"), skills=skills).dump_component().model_dump_json()
        loaded = AssistantAgent.load_component(ComponentModel.model_validate_json(saved))
        assert (await loaded.run(task="go")).messages[-1].to_text() == "fine"


def test_assistants_that_cannot_use_skills_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "tea")
    unable = ABLE.copy()
    unable["function_calling"] = False
    with pytest.raises(InvalidArgumentError, match="Agent 'ann' has skills"):
        AssistantAgent("ann", model(info=unable), skills=tmp_path)

    def read_skill(name: str) -> str:
        return name

    with pytest.raises(InvalidArgumentError, match=r"\['read_skill'\] of agent 'ann'"):
        AssistantAgent("ann", model(), tools=[read_skill], skills=tmp_path)
    with pytest.raises(ArgumentTypeError, match="executor of the skills"):
        SkillWorkbench(tmp_path, code_executor="docker")  # pyright: ignore[reportArgumentType] - the mistake


async def test_one_round_of_calls_stands_for_ten_and_more_are_as_given(tmp_path: Path) -> None:
    put(tmp_path, "tea")
    read = call("read_skill", name="tea")
    agent = AssistantAgent("ann", model(*[read] * 10, says("enough")), skills=tmp_path)
    assert (await agent.run(task="go")).messages[-1].to_text() == "enough"
    agent = AssistantAgent("ann", model(read, read, says("enough")), skills=tmp_path, max_tool_iterations=2)
    assert (await agent.run(task="go")).messages[-1].to_text() == "enough"
