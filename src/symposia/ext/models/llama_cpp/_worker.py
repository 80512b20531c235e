"""A model of llama.cpp, in a worker thread: it is loaded there, and answers one request at a time."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar, cast

from symposia.core.exceptions import InvalidArgumentError, ModelError
from symposia.ext.models._transport import EventStream, Response
from symposia.ext.models._wire_format import Body

T = TypeVar("T")

DONE: Final = b"[DONE]"
DOWNLOADED: Final = frozenset({"repo_id", "filename"})


class Model(Protocol):
    """The part of `llama_cpp.Llama` that is used."""

    def generate(self, tokens: Sequence[int], *args: Any, **options: Any) -> Generator[int, Any, None]: ...
    def create_chat_completion(self, **request: Any) -> Any: ...
    def tokenize(self, text: bytes, add_bos: bool = ..., special: bool = ...) -> list[int]: ...
    def close(self) -> None: ...


class _Stopped(BaseException):  # a signal, which no handler of exceptions in the library may take
    """The caller has left."""


@dataclass(slots=True)
class Generation:
    """One request.

    Attributes:
        stopped: Set when the caller has left: the next token is the last.
        prompt_tokens: Tokens of the prompts so far.
        completion_tokens: Tokens of the answers so far.
    """

    stopped: threading.Event = field(default_factory=threading.Event)
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def watched(self, tokens: Sequence[int], generated: Iterator[int]) -> Generator[int, Any, None]:
        """The tokens, counted, until the request is stopped."""
        self.prompt_tokens += len(tokens)
        for token in generated:
            if self.stopped.is_set():
                raise _Stopped
            self.completion_tokens += 1
            yield token


class ModelThread:
    """Loads a model when it is first needed, and answers requests one after the other: a model has one context.

    A request is stopped between two tokens. Rejected: llama.cpp's callback that aborts the evaluation, since it leaves
    the context in the middle of a batch; and logits processors, whose exceptions do not leave the callback.

    Args:
        name: The model, as errors name it.
        options: Those of ``llama_cpp.Llama``.
    """

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        self._name = name
        self._options = options
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="llama-cpp")
        self._model: Model | None = None
        self._current: Generation | None = None

    @property
    def model(self) -> Model | None:
        """The model, once it is loaded."""
        return self._model

    async def run(self, work: Callable[[Model], T], generation: Generation) -> T:
        """Do a work in the thread. Cancelling this stops it at the next token.

        Raises:
            ModelError: The model failed, or the prompt is longer than the context.
            InvalidArgumentError: There is no such file, or the library refuses the options.
        """
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._work, work, generation)
        except asyncio.CancelledError:
            generation.stopped.set()
            raise

    def _work(self, work: Callable[[Model], T], generation: Generation) -> T:
        self._current = generation
        model = self._model = self._model or self._load()
        try:
            return work(model)
        except _Stopped:
            raise ModelError(f"The request to model {self._name!r} was stopped.") from None
        except ValueError as error:
            raise ModelError(
                f"llama.cpp refused the request for model {self._name!r}: {error}. Change its options, or give the "
                "client a greater n_ctx where it is too long."
            ) from error
        except Exception as error:
            raise ModelError(
                f"llama.cpp failed to answer for model {self._name!r} ({type(error).__name__}: {error}).",
                is_transient=True,
            ) from error

    def _load(self) -> Model:
        import llama_cpp  # noqa: PLC0415 - loads libraries  # pyright: ignore[reportMissingImports] - built from source

        base = cast("type[Any]", llama_cpp.Llama)  # pyright: ignore[reportUnknownMemberType] - see above
        library: Any = type("WatchedLlama", (base,), {"generate": self._generate_by(base)})
        options = dict(self._options)
        try:
            if DOWNLOADED & options.keys():
                return cast("Model", library.from_pretrained(**options))
            if not Path(options["model_path"]).is_file():
                raise InvalidArgumentError(
                    f"There is no model file {options['model_path']!r}: download one in the GGUF format, and give its "
                    "path."
                )
            return cast("Model", library(**options))
        except (TypeError, ValueError, ImportError) as error:
            if isinstance(error, InvalidArgumentError):
                raise
            raise InvalidArgumentError(
                f"llama.cpp cannot load the model {self._name!r}: {error}. Check that the file is complete, and of a "
                "version of GGUF that this llama.cpp reads, and the options."
            ) from error

    def _generate_by(self, base: Any) -> Callable[..., Generator[int, Any, None]]:  # Any: the library's class
        thread = self

        def generate(self: Model, tokens: Sequence[int], *args: Any, **options: Any) -> Generator[int, Any, None]:
            generated: Iterator[int] = base.generate(self, tokens, *args, **options)
            generation = thread._current
            return generation.watched(tokens, generated) if generation is not None else generated  # pyright: ignore[reportReturnType]

        return generate

    def close(self) -> None:
        """Free the model, after the request that is under way. A client that is used again loads it again."""
        self._thread.submit(self._free)

    def _free(self) -> None:
        model, self._model = self._model, None
        if model is not None:
            model.close()


class ModelTransport:
    """Sends requests to the model of this process; see `Transport`."""

    errors: tuple[type[Exception], ...] = ()  # all are told in words by the thread

    def __init__(self, thread: ModelThread) -> None:
        self._thread = thread

    async def send(self, body: Body, /) -> Response:
        """See `Transport.send`."""
        answer = await self._thread.run(lambda model: model.create_chat_completion(**body), Generation())
        return Response(body=json.dumps(answer).encode())

    async def open(self, body: Body, /) -> EventStream:
        """See `Transport.open`."""
        stream = _TokenStream()
        stream.start(self._thread, body)
        return stream

    async def close(self) -> None:
        """See `Transport.close`."""
        self._thread.close()


class _TokenStream:
    """The pieces of an answer, as the thread generates them."""

    def __init__(self) -> None:
        self.response = Response(body=b"")
        self._generation = Generation()
        self._events: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._running: asyncio.Task[None] | None = None

    def start(self, thread: ModelThread, body: Body) -> None:
        loop = asyncio.get_running_loop()

        def put(event: bytes) -> None:
            loop.call_soon_threadsafe(self._events.put_nowait, event)

        def generate(model: Model) -> None:
            for chunk in model.create_chat_completion(**body):
                put(json.dumps(chunk).encode())
            counted = self._generation
            usage = {"prompt_tokens": counted.prompt_tokens, "completion_tokens": counted.completion_tokens}
            put(json.dumps({"choices": [], "usage": usage}).encode())
            put(DONE)

        self._running = asyncio.create_task(thread.run(generate, self._generation))
        self._running.add_done_callback(lambda _: self._events.put_nowait(None))

    async def read(self) -> Sequence[bytes]:
        event = await self._events.get()
        if event is None:
            if self._running is not None:
                await self._running  # raises what ended it
            return ()
        self.response.events += 1
        return (event,)

    async def finish(self) -> None:
        """Nothing is left: the end was read."""

    async def close(self) -> None:
        self._generation.stopped.set()
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])
            if not self._running.cancelled():
                self._running.exception()  # retrieved, so that asyncio does not report it
