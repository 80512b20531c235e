"""Names of AutoGen that behave differently here, after the pages "Differences from AutoGen", "Coming from AutoGen 0.2".

The list has what changes the result of a program, and not what only fails less.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Final

from symposia._autogen_names import catalogue, is_of_02
from symposia.migration._findings import Use


@dataclass(frozen=True)
class Difference:
    """What a program may notice.

    Attributes:
        use: A public name (``TextMentionTermination``), one of AutoGen 0.2 (``autogen.UserProxyAgent``), an argument
            in a call of one (``DockerCommandLineCodeExecutor(auto_remove)``), or an attribute (``.stop_when_idle``).
        fault: The number of the fault of AutoGen, such as F5; empty if it has none.
        text: What differs, as a sentence.
        same: The values of the argument for which nothing differs, as a pattern of what is written.
        by_default: Whether it differs in calls without the argument, too.
    """

    use: str
    fault: str
    text: str
    _: KW_ONLY
    same: str = ""
    by_default: bool = False

    @property
    def name(self) -> str:
        """The use without its argument."""
        return self.use.partition("(")[0]

    def is_about(self, use: Use) -> bool:
        """Whether it is about a use of its name."""
        argument = self.use.partition("(")[2].removesuffix(")")
        if not argument or use.arguments is None:
            return not argument and use.arguments is None
        value = use.arguments.get(argument)
        return self.by_default or "*" in use.arguments if value is None else not re.fullmatch(self.same, value)


_ISOLATED = "The code has no network, is not root, and has limits; packages are allowed with `packages=`."
_REFUSED = "It is refused unless it is the default, since it weakens the isolation."

_TRUSTED = "Classes of other packages than this project's are loaded only if the program allows them."
_SANDBOXED = "Code runs in a sandbox without a network, unless `use_docker=False`, which warns."
_BY_LETTERS = "Vectors are of letters by default; `embedding_function` names a model."

DIFFERENCES: Final[Sequence[Difference]] = (
    Difference(".stop_when_idle", "F5", "It raises the error of a handler that no caller waited for."),
    Difference(
        "RoutedAgent", "F8", "An agent handles one message at a time, unless its class has `concurrent = True`."
    ),
    Difference("message_handler", "F19", "A wrong signature is a `HandlerSignatureError`."),
    Difference("DropMessage", "F1", "A dropped message is settled, and `stop_when_idle` returns."),
    Difference("TerminatedException", "", "It is a `RuntimeError`, which `except Exception` catches."),
    Difference("TextMentionTermination", "F33", "A word in the task ends nothing, unless `include_task=True`."),
    Difference("TimeoutTermination", "F38", "It counts from the start of the run, and ends a turn that is stuck."),
    Difference("TokenUsageTermination", "F31", "The tokens of choosing speakers count too."),
    Difference(
        "SelectorGroupChat(candidate_func)", "F29", "Only a candidate speaks; the model is asked again.", same="None"
    ),
    Difference(
        "SelectorGroupChat(allow_repeated_speaker)",
        "F30",
        "Where repeats are not allowed, another participant speaks.",
        same="True",
        by_default=True,
    ),
    Difference(
        "BaseGroupChat", "", "A team of your own is `GroupChat(participants, rule=…)`, without a manager class."
    ),
    Difference(
        "MagenticOneGroupChat(max_turns)",
        "",
        "The limit is the number that was given, and then comes the final answer.",
    ),
    Difference("DiGraphBuilder", "", "A graph with a node that can never speak is refused when it is built."),
    Difference(
        "PerSourceFilter(count)",
        "",
        "A `count` of 0 takes no message, and a negative one is refused.",
        same=r"None|[1-9]\d*",
    ),
    Difference("SocietyOfMindAgent", "", "What its team says counts for conditions, and it remembers its own answers."),
    Difference("UserProxyAgent", "", "Questions of several agents wait for each other."),
    Difference("AgentTool", "", "Calls of it take place one after another."),
    Difference("TeamTool", "", "Calls of it take place one after another."),
    Difference(
        "HttpTool", "", "A status that is no success is a failure, and arguments that the model left out are not sent."
    ),
    Difference(
        "CodeExecutorAgent(model_client)",
        "",
        "With a model, `run` shows the code and its results, and counts their tokens.",
        same="None",
    ),
    Difference("DockerCommandLineCodeExecutor", "F57", _ISOLATED),
    Difference("DockerCommandLineCodeExecutor(auto_remove)", "", _REFUSED, same="True"),
    Difference("DockerCommandLineCodeExecutor(stop_container)", "", _REFUSED, same="True"),
    Difference(
        "DockerCommandLineCodeExecutor(extra_volumes)",
        "",
        "Volumes are read-only, and not at places of the sandbox's own.",
        same=r"None|\{\}",
    ),
    Difference(
        "DockerCommandLineCodeExecutor(device_requests)", "", "Devices need `unsafe_devices=True`.", same=r"None|\[\]"
    ),
    Difference(
        "DockerCommandLineCodeExecutor(init_command)",
        "",
        "It has no network, and installs no packages.",
        same='None|""',
    ),
    Difference(
        "LocalCommandLineCodeExecutor", "F42", "The code gets a few harmless environment variables only, and no keys."
    ),
    Difference("JupyterCodeExecutor", "", "A time limit is part of the result, and not a `TimeoutError`."),
    Difference("DockerJupyterServer", "", "The container has no network, and starts with `async with`."),
    Difference(
        "create_default_code_executor",
        "",
        "It refuses where no sandbox works, and does not fall back to the machine itself.",
    ),
    Difference(
        "PythonCodeExecutionTool", "", "Code that prints nothing gives the model a sentence with the exit status."
    ),
    Difference("AzureAIAgent", "", "The run of a cancelled turn is ended."),
    Difference("OpenAIAssistantAgent", "", "The run of a cancelled turn is ended."),
    Difference("OllamaChatCompletionClient", "", "Ids of tool calls are those of the server, or new ones."),
    Difference("LlamaCppChatCompletionClient", "", "The model is loaded with the first request; `n_ctx` is 4,096."),
    Difference(
        "ChatCompletionCache",
        "F48",
        "The key has the model, too, and a hit is a new object. Entries of AutoGen are not read.",
    ),
    Difference("ChromaDBVectorMemory", "", "The scores of `l2` and `ip` are on other scales."),
    Difference("RedisMemory", "", "What AutoGen has stored is not read."),
    Difference("Teachability", "", "It takes messages of the user only."),
    Difference("MultimodalWebSurfer", "", "Private addresses are refused, unless `private_hosts` allows them."),
    Difference(
        "FileSurfer", "", "Links and hidden files are not opened, and paths are shown relative to the base path."
    ),
    Difference("VideoSurfer", "", "Its tools read and write in its `base_path` only."),
    Difference("ComponentLoader", "F18", _TRUSTED),
    Difference(".load_component", "F18", _TRUSTED),
    Difference(".load_component", "", "The source of a `FunctionTool` runs in a sandbox, unless `trust_code=True`."),
    Difference("autogen.UserProxyAgent(code_execution_config)", "", _SANDBOXED, same="False", by_default=True),
    Difference("autogen.ConversableAgent(code_execution_config)", "", _SANDBOXED, same="False|None"),
    Difference("autogen.AssistantAgent(code_execution_config)", "", _SANDBOXED, same="False|None"),
    Difference("autogen.DockerCommandLineCodeExecutor", "F57", _ISOLATED),
    Difference(
        "autogen.LocalCommandLineCodeExecutor(functions)", "", "The packages that functions need are not installed."
    ),
    Difference(
        "autogen.RetrieveUserProxyAgent",
        "",
        "Without `vector_db` or `client`, it searches a memory of Symposia, and warns of options of vector databases.",
    ),
    Difference("autogen.ChromaVectorDB", "", _BY_LETTERS),
    Difference("autogen.QdrantVectorDB", "", _BY_LETTERS + " It gives distances."),
    Difference(
        "autogen.Teachability",
        "",
        "It asks its model one question for a message, and keeps memories in a file of JSON.",
    ),
    Difference(
        "autogen.WebSurferAgent", "", "It reads public addresses; a search needs an engine, since Bing's has ended."
    ),
    Difference("autogen.RequestsMarkdownBrowser", "", "It reads public addresses, unless `private=True`."),
    Difference(
        "autogen.MathUserProxyAgent", "", "What ran before is there for later programs; only what is new is printed."
    ),
    Difference("autogen.AgentBuilder", "", "Code runs in a sandbox, unless `code_execution_config` says otherwise."),
    Difference("autogen.AgentOptimizer", "", "Its functions run in a sandbox, and their packages are not installed."),
    Difference(
        "autogen.GPTAssistantAgent", "", "A failed run is a `ModelError`, and clearing histories deletes their threads."
    ),
    Difference(".a_initiate_chat", "", "A person is asked once for a message, and a reply is counted once."),
)


def differences_of(use: Use) -> Iterator[Difference]:
    """What differs of a use of a name of AutoGen, or of an attribute."""
    name = use.name
    if not name.startswith("."):
        module, _, name = name.rpartition(".")
        if name not in catalogue().exports.get(module, ()):
            return
        name = f"autogen.{name}" if is_of_02(use.name) else name
    yield from (each for each in _BY_NAME.get(name, ()) if each.is_about(use))


def _by_name() -> Mapping[str, Sequence[Difference]]:
    found: dict[str, list[Difference]] = {}
    for each in DIFFERENCES:
        found.setdefault(each.name, []).append(each)
    return found


_BY_NAME = _by_name()
