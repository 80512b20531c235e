"""The program inside every sandbox: PID 1, standard library only, Python 3.8 or newer.

These modules are shipped as source (`.._program`) and never run on the host, with one exception: `_frames` is the
protocol, so the host imports it too. Nothing here may import anything of the project outside this folder, and of the
standard library nothing large: asyncio alone would double the time that a sandbox takes to start.
"""
