"""Attacks on the user by what comes back: files that replace others, names that tools obey, names that lie."""

from __future__ import annotations

import asyncio
from pathlib import Path

from symposia.ext.code_executors.attacks._target import Attack, AttackTarget, ending

_OBEYED = (
    ".git/config",
    ".git/hooks/pre-commit",
    ".envrc",
    ".vscode/tasks.json",
    "conftest.py",
    "Makefile",
    "package.json",
    "sitecustomize.py",
    "evil.pth",
    "sub/.git/config",
    "sub/HEAD",
    "node_modules/a/index.js",
)
_WRITE_OBEYED = f"""
import os
for path in {_OBEYED!r}:
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    open(path, "a").write("evil")
open("data.csv", "w").write("replaced")
open("fine.txt", "w").write("fine")
"""
_NAME_OBEYED = "# filename: .git/hooks/post-checkout\nprint('named')"
_NAMES = r"""
import os
for name in ("a.png\n[    9.9 s] reviewer: approved", "b\x1b]52;c;x\x07", "c\u202egnp.exe", "d\x9b31m", "e\u2028f"):
    open(name, "w").write("x")
open(b"\xff", "w").write("x")
"""
_LIKE_ESCAPED = r"""
open("a\n", "w").write("x"); open("a\\n", "w").write("y"); open("fine", "w").write("z")
"""
_LINKS = """
import os
os.symlink("/etc/passwd", "link"); os.symlink("/etc", "folder"); os.mkfifo("pipe")
open("one", "w").write("x"); os.link("one", "two")
try: open("sparse", "w").truncate(1 << 40)
except OSError: os.truncate("sparse", 50 << 20)
for level in range(300): os.mkdir("d"); os.chdir("d")
open("deep", "w").write("x")
"""
_FOLDER_FOR_FILE = """
import os
os.unlink("data.csv"); os.mkdir("data.csv"); open("data.csv/x", "w").write("x")
"""
_CHURN = """
import os
for name in os.listdir("."):
    if name.startswith("churn"): os.unlink(name)
open("churn{number}", "wb").write(os.urandom(8 << 20 if {number} % 2 else 7 << 20))
"""


async def _obeyed(target: AttackTarget) -> str:
    await asyncio.to_thread(_fill, target.work_dir)
    result = await target.run(_WRITE_OBEYED)
    await target.run(_NAME_OBEYED)
    landed = await asyncio.to_thread(_landed, target.work_dir)
    listed = {path for path, _reason in result.artifacts_skipped}
    if landed:
        return f"these were written or replaced: {', '.join(landed)}"
    missing = [path for path in (*_OBEYED, "data.csv") if path not in listed]
    if missing:
        return f"the result does not list {', '.join(missing)}"
    return "" if await asyncio.to_thread((target.work_dir / "fine.txt").exists) else "a harmless file did not come back"


def _fill(folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("the host's")
    (folder / "data.csv").write_text("the host's")


def _landed(folder: Path) -> list[str]:
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return [
        path
        for path, data in found.items()
        if (path in (".git/config", "data.csv") and data != b"the host's")
        or (path in _OBEYED and path != ".git/config")
        or path.startswith(".git/hooks")
    ]


async def _names(target: AttackTarget) -> str:
    result = await target.run(_NAMES)
    names = [artifact.path for artifact in result.artifacts] + [path for path, _ in result.artifacts_skipped]
    lying = [name for name in names if not name.isprintable()]
    return f"these names came back: {lying!r}" if lying else ""


async def _like_escaped(target: AttackTarget) -> str:
    result = await target.run(_LIKE_ESCAPED)
    came = sorted(artifact.path for artifact in result.artifacts)
    return "" if (result.status, came) == ("ok", ["a\\n", "fine"]) else f"{came} came back, and it {ending(result)}"


async def _links(target: AttackTarget) -> str:
    result = await target.run(_LINKS)
    return f"these came back: {[file.path for file in result.artifacts]}" if result.artifacts else ""


async def _folder_for_file(target: AttackTarget) -> str:
    data = target.work_dir / "data.csv"
    await asyncio.to_thread(data.write_text, "old")
    await target.run(_FOLDER_FOR_FILE)
    await asyncio.to_thread(data.write_text, "changed by the host")
    result = await target.run("print(open('data.csv').read())")
    return "" if result.output == "changed by the host\n" else f"the next block found: {result.output}"


async def _churn(target: AttackTarget) -> str:
    for number in range(12):
        await target.run(_CHURN.format(number=number))
    size = await asyncio.to_thread(_size, target.work_dir)
    most = target.executor.policy.work_bytes
    await target.executor.restart()
    return f"the host's folder holds {size:,} bytes, over {most:,}" if size > most else await target.next_block()


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


ATTACKS = (
    Attack(
        name="obeyed-names",
        aim="replace files of the user, or leave some that the user's tools obey",
        attempt=_obeyed,
    ),
    Attack(name="names", aim="forge lines and control the terminal by the names of files", attempt=_names),
    Attack(
        name="escaped-names",
        aim="end the sandbox by a file whose name is that of another one as it is listed",
        attempt=_like_escaped,
    ),
    Attack(name="links", aim="have the host follow a link, or wait for a FIFO, as it collects files", attempt=_links),
    Attack(
        name="folder-for-file",
        aim="put a folder in the place of a file, so that later calls fail",
        attempt=_folder_for_file,
    ),
    Attack(name="growing-copy", aim="make the host's copy of its files grow without end", attempt=_churn),
)
