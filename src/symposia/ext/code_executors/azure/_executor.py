"""AutoGen's executor on Azure's dynamic sessions."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import secrets
import time
import uuid
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from pydantic import JsonValue
from typing_extensions import override

from symposia.core import CancellationToken
from symposia.core.argument_checks import check_path
from symposia.core.code_executor import (
    Artifact,
    BlockResult,
    BlockwiseCodeResult,
    CodeBlock,
    SandboxPolicy,
    UserFunction,
)
from symposia.core.exceptions import InvalidArgumentError, SandboxServiceError
from symposia.ext.code_executors._blocks import INTERPRETERS, printed, unknown_language
from symposia.ext.code_executors._executor import BlockwiseCodeExecutor
from symposia.ext.code_executors._functions import FunctionsInCode, UserFunctions, missing_packages
from symposia.ext.code_executors._sandbox._results import TIMEOUT_EXIT_CODE, KeptOutput, make_artifact
from symposia.ext.code_executors._services import mapping
from symposia.ext.code_executors._work_folder import WorkFolder
from symposia.ext.code_executors.azure._sessions import SessionPool, SessionRun, TokenProvider

FOLDER: Final = "import os; os.chdir('/mnt/data')"
"""Where the service has the files of a session."""
PACKAGES: Final = """
import importlib.metadata, json
print(json.dumps(sorted({each.metadata["Name"] or "" for each in importlib.metadata.distributions()} - {""})))
"""
NEW_SESSION: Final = "The next block runs in a new session: variables, imports and files are gone."


class ACADynamicSessionsCodeExecutor(FunctionsInCode, BlockwiseCodeExecutor[BlockwiseCodeResult]):
    """Runs Python blocks in a session of Azure Container Apps. Variables live from block to block.

    The service has no way to interrupt code: after a block that reached its time limit or was cancelled, a new session
    is used, and what runs in the old one ends at the service's limit. Where the service refuses or cannot be reached,
    the methods raise a `SandboxServiceError` with its words.

    Args:
        pool_management_endpoint: The address of the pool of sessions.
        credential: Gives tokens for the service, such as ``azure.identity.DefaultAzureCredential()``.
        timeout: Seconds that a block may run, with the way there and back.
        work_dir: The folder of the host from which files are uploaded and to which they are downloaded, made where it
            is missing. None: a temporary one, which stays if there is something in it.
        functions: Functions of the user that the code may call. They are defined in each new session.
        functions_module: The module that the code can import them from.
        suppress_result_output: Whether the value of a block's last line is left out of its output.
        session_id: The session; made up when None.
        policy: The caps on output and on images. The limits of the code are the service's.
        audit_log: A file that gets a line of JSON for each block that runs; not in `work_dir`.

    Raises:
        ArgumentTypeError: The timeout is not a number.
        InvalidArgumentError: The timeout is less than a second, or the module's name is none.
        MissingExtraError: ``aiohttp`` is not installed.
    """

    def __init__(
        self,
        pool_management_endpoint: str,
        credential: TokenProvider,
        timeout: float = 60,
        work_dir: Path | str | None = None,
        functions: Sequence[UserFunction] = (),
        functions_module: str = "functions",
        suppress_result_output: bool = False,
        session_id: str | None = None,
        *,
        policy: SandboxPolicy | None = None,
        audit_log: Path | str | None = None,
    ) -> None:
        check_path("work_dir", type(self).__name__, work_dir)
        super().__init__(WorkFolder.for_results(work_dir), timeout=timeout, policy=policy, audit_log=audit_log)
        self._endpoint = pool_management_endpoint
        self._functions = UserFunctions(functions, functions_module)
        self._suppress_result_output = suppress_result_output
        self._session = session_id or _new_session()
        self._pool = SessionPool(pool_management_endpoint, credential, feature=type(self).__name__)
        self._is_prepared = False

    @property
    def work_dir(self) -> Path:
        """The folder of the host for files that are uploaded and downloaded."""
        return self._folder.path

    async def start_ahead(self) -> None:
        """Do nothing: the service counts each session, and no block may come."""

    async def restart(self) -> None:
        """Use a new session, without variables and files; see `CodeExecutor.restart`."""
        async with self._calls.turn():
            self._replace_session()

    def effect_identity(self) -> dict[str, JsonValue]:
        """What decides the result of code: the class, the pool, the time limit and the functions."""
        return {
            **super().effect_identity(),
            "pool": self._endpoint,
            "functions": self._functions.digest(),
            "suppress_result_output": self._suppress_result_output,
        }

    async def get_available_packages(self, cancellation_token: CancellationToken) -> set[str]:
        """The names of the packages that code in the session can import.

        Raises:
            SandboxServiceError: The service refuses, with its words, or cannot be reached.
        """
        return await self._calls.run(self._packages, cancellation_token)

    async def get_file_list(self, cancellation_token: CancellationToken) -> list[str]:
        """The names of the files in the session.

        Raises:
            SandboxServiceError: The service refuses, with its words, or cannot be reached.
        """
        return await self._calls.run(lambda: self._pool.list_files(self._session), cancellation_token)

    async def upload_files(self, files: Sequence[Path | str], cancellation_token: CancellationToken) -> None:
        """Put files of `work_dir` into the session, each under its own name.

        Raises:
            FileNotFoundError: There is no such file.
            SandboxServiceError: The service refuses, with its words, or cannot be reached.
        """

        async def upload() -> None:
            for file in files:
                path = self._folder.path / file
                try:
                    data = await asyncio.to_thread(path.read_bytes)
                except (FileNotFoundError, IsADirectoryError):
                    raise FileNotFoundError(f"{file} does not exist in {self.work_dir}") from None
                await self._pool.put_file(self._session, path.name, data)

        await self._calls.run(upload, cancellation_token)

    async def download_files(self, files: Sequence[Path | str], cancellation_token: CancellationToken) -> list[str]:
        """Write files of the session into `work_dir`, and return their paths.

        Raises:
            FileNotFoundError: The session has no such file.
            ValueError: A name leaves `work_dir`.
            SandboxServiceError: The service refuses, with its words, or cannot be reached.
        """

        async def download() -> list[str]:
            there = set(await self._pool.list_files(self._session))
            for file in map(str, files):
                if file not in there:
                    raise FileNotFoundError(f"{file} does not exist in the session")
            return [await self._fetch(str(file)) for file in files]

        return await self._calls.run(download, cancellation_token)

    async def _fetch(self, name: str) -> str:
        data = await self._pool.get_file(self._session, name)
        await asyncio.to_thread(self._write, PurePosixPath(name), data)
        return str(self._folder.absolute / name)

    def _write(self, path: PurePosixPath, data: bytes) -> None:
        self._folder.create()
        self._folder.write(path, data)

    def _replace_session(self) -> None:
        self._session, self._is_prepared = _new_session(), False

    @override
    async def _prepare(self) -> None:
        await asyncio.to_thread(self._make_folder)
        await self._check_audit()
        if self._is_prepared:
            return
        # Without requirements the session is not asked, which would cost a request.
        if missing_packages(self.functions, ()) and (
            missing := missing_packages(self.functions, await self._packages())
        ):
            raise InvalidArgumentError(
                f"functions need {', '.join(missing)}, which the session does not have. Give a pool whose sessions "
                "have them, or leave the functions out."
            )
        await self._run_own(FOLDER + await asyncio.to_thread(self._functions_code))
        self._is_prepared = True

    def _functions_code(self) -> str:
        """Code that defines the functions, and a module that has them. Reads the files that define them."""
        if not self._functions:
            return ""
        module, source = self._functions.module, self._functions.source()
        made = f"sys.modules[{module!r}] = types.ModuleType({module!r})"
        filled = f"exec({source!r}, vars(sys.modules[{module!r}]))"
        return f"\nimport sys, types\n{made}\n{filled}\nfrom {module} import *"

    async def _packages(self) -> set[str]:
        ran = await self._run_own(PACKAGES)
        try:
            return {str(name) for name in json.loads(ran.stdout)}
        except (ValueError, TypeError, RecursionError) as error:
            raise SandboxServiceError(f"The session does not list its packages. It says: {ran.stdout[:200]}") from error

    async def _run_own(self, code: str) -> SessionRun:
        """Run code of this executor's own."""
        try:
            ran = await self._pool.run(self._session, code, self._timeout)
        except TimeoutError:
            raise SandboxServiceError(
                f"The session was not ready within {self._timeout:g} s: give a longer timeout."
            ) from None
        if not ran.succeeded:
            raise SandboxServiceError(f"The session cannot be prepared: {ran.stderr or ran.stdout}")
        return ran

    @override
    async def _close(self) -> None:
        """Close the connections. The session ends at the service's own limit."""
        await self._pool.close()

    @override
    async def _run_block(self, block: CodeBlock) -> BlockResult:
        if INTERPRETERS.get(block.language.strip().lower()) != "python":
            raise unknown_language(block, [name for name, runs in INTERPRETERS.items() if runs == "python"])
        await self._prepare()  # before each block: one that was ended has left its session
        code = block.code.encode("utf-8", "surrogatepass")
        return await self._audited(block.language, code, self._run_in_session(block))

    @property
    @override
    def _sandbox_name(self) -> str:
        return "azure"

    async def _run_in_session(self, block: CodeBlock) -> BlockResult:
        started = time.monotonic()
        try:
            ran = await self._pool.run(self._session, block.code, self._timeout)
        except TimeoutError:
            self._replace_session()
            limit = self._limit_met("timeout")
            return BlockResult(
                block=block,
                code_file=None,
                status="timeout",
                exit_code=TIMEOUT_EXIT_CODE,
                output=f"{printed('', '', 'timeout', limit)}\n{NEW_SESSION}",
                wall_seconds=time.monotonic() - started,
                ended_by=limit,
            )
        except asyncio.CancelledError:
            self._replace_session()
            raise
        text, artifacts, skipped = await asyncio.to_thread(self._shown, ran.value)
        stdout, stderr = self._kept(ran.stdout + text), self._kept(ran.stderr)
        return BlockResult(
            block=block,
            code_file=None,
            status="ok" if ran.succeeded else "error",
            exit_code=0 if ran.succeeded else 1,
            output=stdout + stderr,
            artifacts=artifacts,
            artifacts_skipped=skipped,
            wall_seconds=time.monotonic() - started,
            stdout=stdout,
            stderr=stderr,
        )

    @override
    def _result(self, blocks: Sequence[BlockResult]) -> BlockwiseCodeResult:
        output = "".join(each.output for each in blocks)
        return BlockwiseCodeResult(blocks[-1].exit_code, output, blocks=tuple(blocks))

    def _kept(self, text: str) -> str:
        kept = KeptOutput(self._policy.output_kept_bytes)
        kept.add(text.encode("utf-8", "replace"))
        return kept.result()[0]

    def _shown(self, value: object) -> tuple[str, tuple[Artifact, ...], tuple[tuple[str, str], ...]]:
        """The text of the last line's value; the image that it is; what did not come back, and why."""
        if value is None or self._suppress_result_output:
            return "", (), ()
        described = mapping(value)
        if described.get("type") != "image":
            return value if isinstance(value, str) else json.dumps(value), (), ()
        suffix = "".join(filter(str.isalnum, str(described.get("format"))))[:10]  # a name is not the service's choice
        name = f"{secrets.token_hex(16)}.{suffix}"
        try:
            artifact = make_artifact(name, base64.b64decode(str(described.get("base64_data"))))
            if artifact.size > self._policy.artifact_bytes:
                return "", (), ((name, "too large"),)
            self._write(PurePosixPath(name), artifact.data)
        except (binascii.Error, OSError, ValueError) as error:
            return "", (), ((name, f"cannot be written to {self.work_dir}: {error}"),)
        return "", (artifact,), ()


def _new_session() -> str:
    return str(uuid.uuid4())
