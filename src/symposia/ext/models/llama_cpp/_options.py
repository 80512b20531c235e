"""The options of `LlamaCppChatCompletionClient`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel
from typing_extensions import TypedDict

from symposia.ext.models._options import OptionNames


class LlamaCppParams(TypedDict, total=False):
    """The options of `LlamaCppChatCompletionClient`: those of ``llama_cpp.Llama``, and arguments of every request.

    Attributes:
        model_path: The file of the model; or, instead of it, `repo_id` and `filename`.
        repo_id: The repository at Hugging Face to download the model from.
        filename: The file's name there, or a pattern such as ``*Q4_K_M.gguf``.
        model: The model's name in errors and traces; by default that of the file.
        n_ctx: Tokens that a prompt and its answer may take together; by default 4,096, and 0 for what the model was
            trained with. llama.cpp's own default is 512.
        n_gpu_layers: Layers that run on the GPU; -1 for all.
        n_threads: Threads to compute with.
        chat_format: How messages become a prompt; by default the template in the file. A model calls tools with
            ``chatml-function-calling`` and the formats that begin with ``functionary``.
        chat_handler: The same as an object, for models that take images.
        tokenizer: A tokenizer in place of the file's.
        verbose: Whether llama.cpp writes to the standard error what it does; by default it does not.
        max_tokens: Most tokens of an answer; by default what is left of the context.
        response_format: The form of answers where `create` is given none: a model class for its schema, or
            ``{"type": "json_object"}``.
    """

    model_path: str
    repo_id: str
    filename: str
    model: str
    n_ctx: int
    n_gpu_layers: int
    n_batch: int
    n_threads: int
    chat_format: str
    chat_handler: object
    tokenizer: object
    verbose: bool
    max_tokens: int
    temperature: float
    top_p: float
    top_k: int
    min_p: float
    seed: int
    stop: str | Sequence[str]
    presence_penalty: float
    frequency_penalty: float
    repeat_penalty: float
    response_format: Mapping[str, object] | type[BaseModel]


BEHAVIOUR: Final = frozenset({"model_info"})
ARGUMENTS: Final = frozenset({
    "max_tokens", "temperature", "top_p", "top_k", "min_p", "typical_p", "stop", "presence_penalty",
    "frequency_penalty", "repeat_penalty", "tfs_z", "mirostat_mode", "mirostat_tau", "mirostat_eta", "response_format",
    "logit_bias", "logprobs", "top_logprobs",
})  # fmt: skip
"""Arguments of a request. ``seed`` is an option of the model: with it, the first request of a program repeats."""
CONNECTION: Final = (
    frozenset(LlamaCppParams.__annotations__)
    | {
        "additional_files", "cache_dir", "draft_model", "embedding", "flash_attn", "kv_overrides",
        "last_n_tokens_size", "local_dir", "local_dir_use_symlinks", "logits_all", "lora_base", "lora_path",
        "lora_scale", "main_gpu", "mul_mat_q", "n_threads_batch", "n_ubatch", "no_perf", "numa", "offload_kqv",
        "op_offload", "pooling_type", "attention_type", "rope_freq_base", "rope_freq_scale", "rope_scaling_type",
        "spm_infill", "split_mode", "swa_full", "tensor_split", "type_k", "type_v", "use_mlock", "use_mmap",
        "vocab_only", "yarn_attn_factor", "yarn_beta_fast", "yarn_beta_slow", "yarn_ext_factor", "yarn_orig_ctx",
    }
) - BEHAVIOUR - ARGUMENTS - {"model"}  # fmt: skip
"""Options of the model in this process. The library is not imported to read them: it loads its own libraries."""


def option_names() -> OptionNames:
    """The names of the options."""
    return OptionNames(
        connection=CONNECTION, behaviour=BEHAVIOUR, arguments=ARGUMENTS | {"model"}, later_arguments=frozenset()
    )


def calls_tools(
    options: Mapping[str, Any], formats: Iterable[str] = ("chatml-function-calling", "functionary")
) -> bool:
    """Whether the model's format has tool calls; one of the file's own template are text, in each model's own form."""
    return str(options.get("chat_format") or "").startswith(tuple(formats))
