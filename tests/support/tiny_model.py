"""A model of llama.cpp with random weights, in a file of some kilobytes, for tests of real generation.

The format is GGUF 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
"""

import random
import struct
from collections.abc import Sequence
from pathlib import Path

WIDTH, LAYERS, HEADS, INNER, CONTEXT = 32, 1, 2, 64, 4096
SPECIAL = ("<unk>", "<s>", "</s>")
TOKENS = (*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)))
TEMPLATE = "{% for message in messages %}<{{ message.role }}>{{ message.content }}{% endfor %}<assistant>"

Value = int | float | str | bool | Sequence[str] | Sequence[float] | Sequence[int]


def write_model(path: Path, *, seed: int = 0) -> Path:
    """Write the file, and return its path."""
    metadata: dict[str, Value] = {
        "general.architecture": "llama",
        "general.name": "tiny",
        "llama.context_length": CONTEXT,
        "llama.embedding_length": WIDTH,
        "llama.block_count": LAYERS,
        "llama.feed_forward_length": INNER,
        "llama.attention.head_count": HEADS,
        "llama.rope.dimension_count": WIDTH // HEADS,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": TOKENS,
        "tokenizer.ggml.scores": [0.0] * len(TOKENS),
        "tokenizer.ggml.token_type": [2, 3, 3, *[6] * 256],  # unknown, control, byte
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.chat_template": TEMPLATE,
    }
    head, body = bytearray(), bytearray()
    numbers = random.Random(seed)
    for name, shape in _shapes().items():
        head += _text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, len(body))  # 0: 32-bit floats
        size = shape[0] * (shape[1] if len(shape) > 1 else 1)
        values = [1.0] * size if name.endswith("norm.weight") else [numbers.gauss(0, 0.3) for _ in range(size)]
        body += struct.pack(f"<{size}f", *values)
        body += bytes(-len(body) % 32)
    written = struct.pack("<4sIQQ", b"GGUF", 3, len(_shapes()), len(metadata))
    written += b"".join(_text(key) + _value(value) for key, value in metadata.items()) + head
    path.write_bytes(written + bytes(-len(written) % 32) + body)
    return path


def _shapes() -> dict[str, tuple[int, ...]]:
    block = {
        "attn_norm": (WIDTH,),
        **{f"attn_{part}": (WIDTH, WIDTH) for part in ("q", "k", "v", "output")},
        "ffn_norm": (WIDTH,),
        "ffn_gate": (WIDTH, INNER),
        "ffn_up": (WIDTH, INNER),
        "ffn_down": (INNER, WIDTH),
    }
    return {
        "token_embd.weight": (WIDTH, len(TOKENS)),
        **{f"blk.{layer}.{name}.weight": shape for layer in range(LAYERS) for name, shape in block.items()},
        "output_norm.weight": (WIDTH,),
        "output.weight": (WIDTH, len(TOKENS)),
    }


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _value(value: Value) -> bytes:
    match value:
        case int():
            return struct.pack("<II", 4, value)
        case float():
            return struct.pack("<If", 6, value)
        case str():
            return struct.pack("<I", 8) + _text(value)
        case _:
            kind = {str: 8, float: 6, int: 5}[type(value[0])]
            items = [
                _text(item) if isinstance(item, str) else struct.pack("<f" if kind == 6 else "<i", item)
                for item in value
            ]
            return struct.pack("<IIQ", 9, kind, len(value)) + b"".join(items)
