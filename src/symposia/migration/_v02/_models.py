"""``llm_config`` as a model client."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from symposia.migration._source import Edit, Source, cst
from symposia.migration._v02._expressions import NotCertainError, constant, int_value, text_value
from symposia.migration._v02._items import dict_as_arguments
from symposia.migration._v02._program import Program

_SAMPLING = ("temperature", "top_p", "max_tokens", "timeout")
_OPENAI = (
    *("model", "api_key", "base_url", "organization", "max_retries", *_SAMPLING, "seed", "stop", "user"),
    *("presence_penalty", "frequency_penalty", "logit_bias", "parallel_tool_calls", "max_completion_tokens"),
)


@dataclass(frozen=True)
class _Vendor:
    """A client, and its names for the keys of a configuration."""

    module: str
    client: str
    keys: Mapping[str, str]


def _vendor(module: str, client: str, same: Sequence[str], **renamed: str) -> _Vendor:
    return _Vendor(f"symposia.ext.models.{module}", client, {**{key: key for key in same}, **renamed})


_VENDORS: Mapping[str, _Vendor] = {
    "openai": _vendor("openai", "OpenAIChatCompletionClient", _OPENAI),
    "azure": _vendor(
        *("openai", "AzureOpenAIChatCompletionClient"),
        [key for key in _OPENAI if key != "base_url"],
        base_url="azure_endpoint",
        api_version="api_version",
        azure_endpoint="azure_endpoint",
    ),
    "anthropic": _vendor("anthropic", "AnthropicChatCompletionClient", ("model", "api_key", "base_url", *_SAMPLING)),
    "google": _vendor("gemini", "GeminiChatCompletionClient", ("model", "api_key", *_SAMPLING)),
    "mistral": _vendor("mistral", "MistralChatCompletionClient", ("model", "api_key", *_SAMPLING)),
    "ollama": _vendor("ollama", "OllamaChatCompletionClient", ("model", *_SAMPLING), client_host="host"),
}
_DROPPED = ("api_type", "tags", "config_list", "cache_seed")
_OF_AGENTS = "stream"
"""A key of a configuration that is an argument of agents in 0.4."""
_TO_CLIENT = ("symposia.v02.oai.conversion", "to_model_client")
"""Makes a client when the program runs, of a configuration that is known only then."""


@dataclass
class Models:
    """Makes the clients of a program, and the edits where they are made."""

    program: Program
    edits: list[Edit] = field(default_factory=list[Edit])
    imports: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    variables: set[str] = field(default_factory=set[str])
    """The variables that hold configurations; each mention of one has to be understood."""
    _renamed: dict[str, str] = field(default_factory=dict[str, str])

    def client(self, value: cst.BaseExpression | None) -> str:
        """The client for the value of ``llm_config``, as an expression; empty if there is no model.

        Raises:
            NotCertainError: The configuration is not known before the program runs, or has what no client takes.
        """
        if value is None or constant(value) in {"False", "None"}:
            return ""
        if isinstance(value, cst.Dict):
            return self._of_dict(value)
        if not isinstance(value, cst.Name) or value.value not in self.program.values:
            raise NotCertainError(value, "The llm_config is not a dictionary that stands in this file.")
        self.program.understood.add(value)
        if value.value not in self._renamed:
            self._rename(value.value)
        return self._renamed[value.value]

    def streams(self, value: cst.BaseExpression | None) -> bool:
        """Whether an ``llm_config`` that is understood asks for answers piece by piece."""
        if isinstance(value, cst.Name) and value.value in self.program.values:
            value = self.program.values[value.value].value
        if not isinstance(value, cst.Dict):
            return False
        elements = elements_of(value)
        return _OF_AGENTS in elements and constant(elements[_OF_AGENTS].value) == "True"

    def _rename(self, variable: str) -> None:
        """Make a client of the dictionary that a variable holds."""
        assigned = self.program.values[variable]
        if not isinstance(assigned.value, cst.Dict):
            raise NotCertainError(assigned.value, f"{variable} is not a dictionary that stands in this file.")
        name = (
            re.sub("(llm_)?config(s?)", r"model_client\2", variable) if "config" in variable else f"{variable}_client"
        )
        new = self.program.free_name(name)
        self.edits += assigned.edits(self.program.source, new, self._of_dict(assigned.value))
        self.variables.add(variable)
        self._renamed[variable] = new

    def _of_dict(self, node: cst.Dict) -> str:
        source = self.program.source
        elements = elements_of(node)
        if (read := self._read_list(elements)) is not None:
            return self._of_read_list(node, elements, read)
        entries, listed = self._entries(elements)
        vendors = {_vendor_of(source, each) for each in entries or [node]}
        if len(vendors) != 1:
            raise NotCertainError(node, "The models of the config_list are of several vendors.")
        vendor = _VENDORS[vendors.pop()]
        self.imports.add((vendor.module, vendor.client))
        top = {key: self._top_argument(vendor, key, each) for key, each in elements.items()}
        if listed:
            for entry in entries:
                self._keep_as_arguments(vendor, entry)
        if len(entries) > 1:
            clients = [
                self._one_of(vendor, f"**{listed}[{index}]" if listed else self._inner(vendor, entry, ""), top)
                for index, entry in enumerate(entries)
            ]
            self.imports.add(("symposia.ext.models.fallback", "FallbackClient"))
            return self._cached(f"FallbackClient([{', '.join(clients)}])", elements)
        if entries:
            indent = re.findall(r"\n[ \t]*$", source.code[: source.start(elements["config_list"])].decode())
            top["config_list"] = f"**{listed}[0]" if listed else self._inner(vendor, entries[0], *indent[:1] or [""])
        arguments = dict_as_arguments(source, node, [(each, top[key]) for key, each in elements.items()])
        if not entries:
            arguments = self._with_deployment(vendor, elements, arguments)
        return self._cached(f"{vendor.client}({arguments})", elements)

    def _read_list(self, elements: Mapping[str, cst.DictElement]) -> cst.Call | None:
        """The call that reads the ``config_list`` when the program runs; None if that stands in the text."""
        value = elements["config_list"].value if "config_list" in elements else None
        if isinstance(value, cst.Name) and value.value in self.program.values:
            value = self.program.values[value.value].value
        return value if isinstance(value, cst.Call) and self.program.list_function(value) else None

    def _of_read_list(self, node: cst.Dict, elements: Mapping[str, cst.DictElement], read: cst.Call) -> str:
        source = self.program.source
        for key, each in elements.items():
            self._argument(_VENDORS["openai"], key, each)
        function = self.program.list_function(read)
        self.imports |= {_TO_CLIENT, ("symposia.v02", function)}
        text = source.text(node)
        if read is elements["config_list"].value:
            text = text.replace(source.text(read), function + source.text(read).removeprefix(source.text(read.func)))
        elif read.func not in self.program.understood:
            self.edits.append(source.replaced(read.func, function))
        self.program.understood.add(read.func)
        return f"{_TO_CLIENT[1]}({text})"

    def _entries(self, elements: Mapping[str, cst.DictElement]) -> tuple[Sequence[cst.Dict], str]:
        """The entries of the ``config_list``, and the variable that holds it."""
        if "config_list" not in elements:
            if "model" not in elements:
                raise NotCertainError(next(iter(elements.values())), "The llm_config names no model.")
            return [], ""
        value, variable = elements["config_list"].value, ""
        if isinstance(value, cst.Name) and value.value in self.program.values:
            self.program.understood.add(value)
            variable = value.value
            self.variables.add(variable)
            value = self.program.values[variable].value
        if not isinstance(value, cst.List):
            raise NotCertainError(value, "The models of the config_list are known only when the program runs.")
        entries = [each.value for each in value.elements]
        dicts = [each for each in entries if isinstance(each, cst.Dict)]
        if not dicts or len(dicts) != len(entries):
            raise NotCertainError(value, "The entries of the config_list are not dictionaries that stand in this file.")
        return dicts, variable

    def _argument(self, vendor: _Vendor, key: str, element: cst.DictElement, form: str = "{}={}") -> str | None:
        if key in vendor.keys:
            return form.format(vendor.keys[key], self.program.source.text(element.value))
        if key not in _DROPPED:
            raise NotCertainError(element, f"{vendor.client} takes no {key!r}.")
        if key == "cache_seed" and constant(element.value) != "None" and int_value(element.value) is None:
            raise NotCertainError(element, "The cache_seed is known only when the program runs.")
        return None

    def _top_argument(self, vendor: _Vendor, key: str, element: cst.DictElement) -> str | None:
        if key != _OF_AGENTS:
            return self._argument(vendor, key, element)
        if constant(element.value) not in {"True", "False"}:
            raise NotCertainError(element, f"The {key} is known only when the program runs.")
        return None

    def _keep_as_arguments(self, vendor: _Vendor, entry: cst.Dict) -> None:
        """Let an entry of a list have the names that the client takes, since it is unpacked."""
        source = self.program.source
        elements = elements_of(entry)
        items = [(each, self._argument(vendor, key, each, '"{}": {}')) for key, each in elements.items()]
        if any(new is None or not new.startswith(f'"{key}"') for (_, new), key in zip(items, elements, strict=True)):
            text = dict_as_arguments(source, entry, items)
            text = self._with_deployment(vendor, elements, text, '"{}": {}')
            self.edits.append(Edit(source.start(entry) + 1, source.end(entry) - 1, text))

    def _inner(self, vendor: _Vendor, entry: cst.Dict, line_start: str) -> str:
        """The elements of an inner dictionary as arguments, on lines that begin like those around."""
        elements = elements_of(entry)
        items = [(each, self._argument(vendor, key, each)) for key, each in elements.items()]
        text = self._with_deployment(vendor, elements, dict_as_arguments(self.program.source, entry, items)).strip()
        if "#" in text.rsplit("\n", 1)[-1]:
            raise NotCertainError(entry, "A comment stands at the end of an entry of the config_list.")
        return re.sub(r"\n[ \t]*", line_start or " ", text.removesuffix(","))

    def _with_deployment(
        self, vendor: _Vendor, elements: Mapping[str, cst.DictElement], text: str, form: str = "{}={}"
    ) -> str:
        """Azure's client is told its deployment: AutoGen 0.2 uses the name of the model, without dots."""
        if vendor.client != "AzureOpenAIChatCompletionClient" or "model" not in elements:
            return text
        model = text_value(elements["model"].value)
        if model is None:
            raise NotCertainError(elements["model"], "The name of the deployment is known only when the program runs.")
        deployment = form.format("azure_deployment", f'"{model.replace(".", "")}"')
        before = text.rstrip()
        return f"{before.removesuffix(',')}, {deployment}{text[len(before) :]}"

    def _one_of(self, vendor: _Vendor, arguments: str, top: Mapping[str, str | None]) -> str:
        return f"{vendor.client}({', '.join([arguments, *(each for each in top.values() if each)])})"

    def _cached(self, client: str, elements: Mapping[str, cst.DictElement]) -> str:
        seed = int_value(elements["cache_seed"].value) if "cache_seed" in elements else None
        if seed is None:
            return client
        self.imports |= {
            ("diskcache", "Cache"),
            ("symposia.ext.cache_store.diskcache", "DiskCacheStore"),
            ("symposia.ext.models.cache", "ChatCompletionCache"),
        }
        return f'ChatCompletionCache({client}, DiskCacheStore(Cache(".cache/{seed}")))'


def elements_of(node: cst.Dict) -> Mapping[str, cst.DictElement]:
    """The elements of a dictionary by their keys.

    Raises:
        NotCertainError: A key is not a literal.
    """
    found: dict[str, cst.DictElement] = {}
    for each in node.elements:
        key = text_value(each.key) if isinstance(each, cst.DictElement) else None
        if not isinstance(each, cst.DictElement) or key is None:
            raise NotCertainError(node, "The keys of the dictionary are known only when the program runs.")
        found[key] = each
    return found


def _vendor_of(source: Source, entry: cst.Dict) -> str:
    """The key of the vendor of an entry."""
    elements = elements_of(entry)
    if "api_type" not in elements:
        return "openai"
    value = text_value(elements["api_type"].value) or ""
    name = "openai" if value == "open_ai" else value
    if name not in _VENDORS:
        raise NotCertainError(
            entry, f"The api_type {source.text(elements['api_type'].value)} has no client that is certain."
        )
    return name
