"""Names of AutoGen that behave differently here, after the pages "Differences from AutoGen", "Coming from AutoGen 0.2".

A row is the use that it is about, the number of the fault (empty if it has none), and what a program may notice. The
use is a public name (``TextMentionTermination``), one of AutoGen 0.2 (``autogen.UserProxyAgent``), an argument of one
(``DockerCommandLineCodeExecutor(auto_remove)``), or an attribute (``.stop_when_idle``). The list has
what changes the result of a program, and not what only fails less.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from symposia._autogen_names import catalogue, is_of_02

_ISOLATED = "The code has no network, is not root, and has limits; packages are allowed with `packages=`."
_REFUSED = "It is refused unless it is the default, since it weakens the isolation."

_TRUSTED = "Classes of other packages than this project's are loaded only if the program allows them."
_SANDBOXED = "Code runs in a sandbox without a network, unless `use_docker=False`, which warns."
_BY_LETTERS = "Vectors are of letters by default; `embedding_function` names a model."

DIFFERENCES: Final[Sequence[tuple[str, str, str]]] = (
    (".stop_when_idle", "F5", "It raises the error of a handler that no caller waited for."),
    ("RoutedAgent", "F8", "An agent handles one message at a time, unless its class has `concurrent = True`."),
    ("message_handler", "F19", "A wrong signature is a `HandlerSignatureError`."),
    ("DropMessage", "F1", "A dropped message is settled, and `stop_when_idle` returns."),
    ("TerminatedException", "", "It is a `RuntimeError`, which `except Exception` catches."),
    ("TextMentionTermination", "F33", "A word in the task ends nothing, unless `include_task=True`."),
    ("TimeoutTermination", "F38", "It counts from the start of the run, and ends a turn that is stuck."),
    ("TokenUsageTermination", "F31", "The tokens of choosing speakers count too."),
    ("SelectorGroupChat(candidate_func)", "F29", "Only a candidate speaks; the model is asked again."),
    ("SelectorGroupChat(allow_repeated_speaker)", "F30", "Where repeats are not allowed, another participant speaks."),
    ("BaseGroupChat", "", "A team of your own is `GroupChat(participants, rule=…)`, without a manager class."),
    ("MagenticOneGroupChat(max_turns)", "", "The limit is the number that was given, and then comes the final answer."),
    ("DiGraphBuilder", "", "A graph with a node that can never speak is refused when it is built."),
    ("PerSourceFilter", "", "A `count` of 0 takes no message, and a negative one is refused."),
    ("SocietyOfMindAgent", "", "What its team says counts for conditions, and it remembers its own answers."),
    ("UserProxyAgent", "", "Questions of several agents wait for each other."),
    ("AgentTool", "", "Calls of it take place one after another."),
    ("TeamTool", "", "Calls of it take place one after another."),
    ("HttpTool", "", "A status that is no success is a failure, and arguments that the model left out are not sent."),
    ("FunctionTool", "", "Loaded from JSON, its source runs in a sandbox, unless `trust_code=True`."),
    ("CodeExecutorAgent", "", "With a model, `run` shows the code and its results, and counts their tokens."),
    ("DockerCommandLineCodeExecutor", "F57", _ISOLATED),
    ("DockerCommandLineCodeExecutor(auto_remove)", "", _REFUSED),
    ("DockerCommandLineCodeExecutor(stop_container)", "", _REFUSED),
    (
        "DockerCommandLineCodeExecutor(extra_volumes)",
        "",
        "Volumes are read-only, and not at places of the sandbox's own.",
    ),
    ("DockerCommandLineCodeExecutor(device_requests)", "", "Devices need `unsafe_devices=True`."),
    ("DockerCommandLineCodeExecutor(init_command)", "", "It has no network, and installs no packages."),
    ("LocalCommandLineCodeExecutor", "F42", "The code gets a few harmless environment variables only, and no keys."),
    ("JupyterCodeExecutor", "", "A time limit is part of the result, and not a `TimeoutError`."),
    ("DockerJupyterServer", "", "The container has no network, and starts with `async with`."),
    (
        "create_default_code_executor",
        "",
        "It refuses where no sandbox works, and does not fall back to the machine itself.",
    ),
    ("PythonCodeExecutionTool", "", "Code that prints nothing gives the model a sentence with the exit status."),
    ("OpenAIChatCompletionClient", "F45", "A model that is not known works, with a warning."),
    ("AzureAIAgent", "", "The run of a cancelled turn is ended."),
    ("OpenAIAssistantAgent", "", "The run of a cancelled turn is ended."),
    ("OllamaChatCompletionClient", "", "Ids of tool calls are those of the server, or new ones."),
    ("LlamaCppChatCompletionClient", "", "The model is loaded with the first request; `n_ctx` is 4,096."),
    (
        "ChatCompletionCache",
        "F48",
        "The key has the model, too, and a hit is a new object. Entries of AutoGen are not read.",
    ),
    ("ChromaDBVectorMemory", "", "The scores of `l2` and `ip` are on other scales."),
    ("RedisMemory", "", "What AutoGen has stored is not read."),
    ("Teachability", "", "It takes messages of the user only."),
    ("MultimodalWebSurfer", "", "Private addresses are refused, unless `private_hosts` allows them."),
    ("FileSurfer", "", "Links and hidden files are not opened, and paths are shown relative to the base path."),
    ("VideoSurfer", "", "Its tools read and write in its `base_path` only."),
    ("ComponentLoader", "F18", _TRUSTED),
    (".load_component", "F18", _TRUSTED),
    ("autogen.UserProxyAgent", "", _SANDBOXED),
    ("autogen.ConversableAgent(code_execution_config)", "", _SANDBOXED),
    ("autogen.AssistantAgent(code_execution_config)", "", _SANDBOXED),
    ("autogen.DockerCommandLineCodeExecutor", "F57", _ISOLATED),
    ("autogen.LocalCommandLineCodeExecutor(functions)", "", "The packages that functions need are not installed."),
    (
        "autogen.RetrieveUserProxyAgent",
        "",
        "Without `vector_db` or `client`, it searches a memory of Symposia, and warns of options of vector databases.",
    ),
    ("autogen.ChromaVectorDB", "", _BY_LETTERS),
    ("autogen.QdrantVectorDB", "", _BY_LETTERS + " It gives distances."),
    ("autogen.Teachability", "", "It asks its model one question for a message, and keeps memories in a file of JSON."),
    ("autogen.WebSurferAgent", "", "It reads public addresses; a search needs an engine, since Bing's has ended."),
    ("autogen.RequestsMarkdownBrowser", "", "It reads public addresses, unless `private=True`."),
    ("autogen.MathUserProxyAgent", "", "What ran before is there for later programs; only what is new is printed."),
    ("autogen.AgentBuilder", "", "Code runs in a sandbox, unless `code_execution_config` says otherwise."),
    ("autogen.AgentOptimizer", "", "Its functions run in a sandbox, and their packages are not installed."),
    ("autogen.GPTAssistantAgent", "", "A failed run is a `ModelError`, and clearing histories deletes their threads."),
    (".a_initiate_chat", "", "A person is asked once for a message, and a reply is counted once."),
)


def differences_of(use: str) -> Iterator[tuple[str, str]]:
    """The numbers and texts of the differences of a use.

    Args:
        use: A dotted name of AutoGen, one with an argument in parentheses, or an attribute after a dot.
    """
    if use.startswith("."):
        yield from _BY_USE.get(use, ())
        return
    name, _, argument = use.partition("(")
    module, _, leaf = name.rpartition(".")
    if leaf in catalogue().exports.get(module, ()):
        use = leaf + (f"({argument}" if argument else "")
        yield from _BY_USE.get(f"autogen.{use}" if is_of_02(name) else use, ())


def _by_use() -> Mapping[str, Sequence[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for use, number, text in DIFFERENCES:
        found.setdefault(use, []).append((number, text))
    return found


_BY_USE = _by_use()
