"""OpenAI's embeddings: vectors of texts, of which those of texts that are spelled alike are close to each other.

They need no script, and are the same in every process. They know nothing of meaning.
"""

from __future__ import annotations

import base64
import math
import re
import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final
from zlib import crc32

from symposia.testing.model_server._answers import estimated_tokens

PATH: Final = re.compile(r"(?:/v1|/openai/v1|/openai/deployments/[^/]+)/embeddings")  # the latter two at Azure
DIMENSIONS: Final = 256
"""Numbers of a vector, unless the request says how many."""
MOST_DIMENSIONS: Final = 3_072
"""Those of OpenAI's largest model."""
GRAM: Final = 3
"""Characters that are counted together."""


def embeddings(body: Mapping[str, Any]) -> object:
    """The answer to a request.

    Raises:
        LookupError, TypeError, ValueError: It is not one of OpenAI.
    """
    texts, dimensions = _texts(body["input"]), int(body.get("dimensions", DIMENSIONS))
    if not 0 < dimensions <= MOST_DIMENSIONS:
        raise ValueError(f"its dimensions is {dimensions}, and has to be between 1 and {MOST_DIMENSIONS:,}")
    vectors = [_vector(text, dimensions) for text in texts]
    packed = body.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(vector) if packed else vector}
        for index, vector in enumerate(vectors)
    ]
    tokens = sum(map(estimated_tokens, texts))
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "model": body["model"], "data": data, "usage": usage}


def _texts(given: str | Sequence[object]) -> Sequence[str]:
    """The texts of a request. A list of tokens, by their numbers, stands for a text."""
    if isinstance(given, str):
        return [given]
    if not given:
        raise ValueError("its input is empty")
    return [" ".join(map(str, given))] if isinstance(given[0], int) else [str(each) for each in given]


def _vector(text: str, dimensions: int) -> list[float]:
    """How often each group of characters is in a text, by the hash of the group, as a vector of the length 1."""
    counted = [0.0] * dimensions
    padded = f" {' '.join(text.lower().split())} "
    for at in range(max(1, len(padded) - GRAM + 1)):
        counted[crc32(padded[at : at + GRAM].encode(errors="surrogatepass")) % dimensions] += 1
    length = math.hypot(*counted)
    return [count / length for count in counted]


def _packed(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
