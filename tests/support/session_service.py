"""A scripted service in the place of Azure's dynamic sessions: it runs the code, in this process."""

import asyncio
import contextlib
import io
import json
import re
import traceback
from collections import defaultdict
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote

from symposia.testing.model_server._http import HttpRequest, HttpResponse, HttpServer

FOLDER = "import os; os.chdir('/mnt/data')"
TOKEN = "the-token"
UPLOADED = re.compile(rb'filename="(?P<name>[^"]+)"\r\n\r\n(?P<data>.*?)\r\n--', re.DOTALL)


@dataclass
class Session:
    """The variables and the files of a session."""

    variables: dict[str, Any] = field(default_factory=dict[str, Any])
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    has_folder: bool = False


class SessionService:
    """Runs code that is trusted, as it is the test's.

    Attributes:
        sessions: The sessions by their ids.
        requests: Method and path of each request.
        waiting: Set when code is asked for that does not end.
        left: Set when the client of such code has gone.
        value: The value of a last line, for code that says ``show``.
        refusal: A status and an answer with which all requests are refused.
    """

    def __init__(self) -> None:
        self.sessions = defaultdict[str, Session](Session)
        self.requests: list[str] = []
        self.waiting = asyncio.Event()
        self.left = asyncio.Event()
        self.value: object = "42"
        self.refusal: tuple[int, object] | None = None
        self._http = HttpServer(self._answer)

    @property
    def url(self) -> str:
        return self._http.url

    async def __aenter__(self) -> Self:
        await self._http.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self._http.stop()

    async def _answer(self, request: HttpRequest, answer: HttpResponse) -> None:
        self.requests.append(f"{request.method} {request.path}")
        query = parse_qs(request.query)
        if request.headers["authorization"] != f"Bearer {TOKEN}":
            await answer.whole(401, {"error": {"code": "Unauthorized", "message": "the token is wrong"}})
        elif self.refusal is not None:
            await answer.whole(*self.refusal)
        elif query.get("api-version") != ["2024-02-02-preview"]:
            await answer.whole(400, {"error": {"code": "BadRequest", "message": "which version?"}})
        else:
            await self._serve(request, self.sessions[query["identifier"][0]], answer)

    async def _serve(self, request: HttpRequest, session: Session, answer: HttpResponse) -> None:
        match request.method, request.path:
            case "POST", "/code/execute":
                await self._run(json.loads(request.body)["properties"]["code"], session, request, answer)
            case "POST", "/files/upload":
                found = UPLOADED.search(request.body)
                assert found is not None
                session.files[found["name"].decode()] = found["data"]
                await answer.whole(200, {"value": []})
            case "GET", "/files":
                listed = [{"properties": {"filename": name, "size": len(data)}} for name, data in session.files.items()]
                await answer.whole(200, {"value": listed})
            case "GET", path if path.startswith("/files/content/"):
                data = session.files[unquote(path.rpartition("/")[2])]
                await answer.raw(200, data, {}, cut=False)
            case _:
                await answer.whole(404, {"error": {"code": "NotFound", "message": "no such path"}})

    async def _run(self, code: str, session: Session, request: HttpRequest, answer: HttpResponse) -> None:
        if "for ever" in code:
            self.waiting.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.left.set()
        session.has_folder = session.has_folder or code.startswith(FOLDER)
        stdout, stderr, status = io.StringIO(), io.StringIO(), "Succeeded"
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            try:
                exec(code.removeprefix(FOLDER), session.variables)
            except Exception:  # noqa: BLE001 - of any code
                status = "Failed"
                traceback.print_exc(limit=0)
        value = self.value if "show" in code else None
        ran = {"status": status, "stdout": stdout.getvalue(), "stderr": stderr.getvalue(), "result": value}
        await answer.whole(200, {"properties": ran})
