"""A server is named by its program or its address, and arguments that may be keys are not shown."""

import pytest

from symposia.core.exceptions import ToolServiceError
from symposia.ext.tools.mcp import McpWorkbench, SseServerParams, StdioServerParams, StreamableHttpServerParams

KEY = "sk-TOPSECRET"


@pytest.mark.parametrize(
    ("line", "shown", "prefix"),
    [
        ("npx -y @scope/server-files /folder", "npx -y @scope/server-files …", "server-files_"),
        ("/usr/bin/python3.11 -m package.server", "/usr/bin/python3.11 -m package.server", "package_"),
        (f"uv run server.py --key {KEY}", "uv run server.py …", "server_"),
        (f"docker run -i --rm -e KEY={KEY} mcp/time", "docker run -i --rm …", "docker_"),
        (f"npx --api-key {KEY} server", "npx …", "npx_"),
        (f"uvx git+https://{KEY}@host/server", "uvx …", "uvx_"),
        (f"/opt/weather-server {KEY}", "/opt/weather-server …", "weather-server_"),
        (f"env KEY={KEY} server", "env …", "env_"),
        ("weather", "weather", "weather_"),
    ],
)
async def test_a_command_is_shown_up_to_its_program(line: str, shown: str, prefix: str) -> None:
    command, *args = line.split()
    params = StdioServerParams(command=command, args=args)
    workbench = McpWorkbench(params)
    assert workbench.effect_identity()["server"] == shown
    assert workbench.tool_prefix == prefix
    assert repr(params).startswith(f"StdioServerParams(server='{shown}', ")
    assert KEY not in f"{params!r} {params} {workbench.effect_identity()}"


async def test_an_error_and_a_record_have_no_arguments() -> None:
    one, other = (McpWorkbench(StdioServerParams(command="no-such-program", args=[KEY, each])) for each in "ab")
    with pytest.raises(ToolServiceError) as failed:
        await one.start()
    assert "'no-such-program …'" in str(failed.value)
    assert KEY not in str(failed.value)
    assert one.effect_identity() != other.effect_identity()
    assert KEY not in str(one.effect_identity())


@pytest.mark.parametrize("kind", [SseServerParams, StreamableHttpServerParams])
def test_an_address_is_shown_as_its_host(
    kind: type[SseServerParams] | type[StreamableHttpServerParams],
) -> None:
    params = kind(url=f"https://me:{KEY}@host:8000/{KEY}/mcp?key={KEY}", headers={"Authorization": KEY})
    assert "server='https://host:8000/…'" in repr(params)
    assert KEY not in f"{params!r} {McpWorkbench(params).effect_identity()}"
