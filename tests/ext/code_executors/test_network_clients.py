"""Libraries that programs fetch with find the proxy by themselves, and say what it refuses."""

from pathlib import Path

import certifi
import charset_normalizer
import idna
import pytest
import requests
import urllib3
from tests.support.sandboxes import require
from tests.support.web_server import CERTIFICATE, web_server

from symposia.core.code_executor import NetworkPolicy, NetworkRule, SandboxMount, SandboxPolicy
from symposia.ext.code_executors._sandbox import base_python
from symposia.ext.code_executors.namespaces import NamespaceBackend

LIBRARIES = [Path(str(module.__file__)).parent for module in (requests, urllib3, idna, certifi, charset_normalizer)]
FETCH = """
import os, sys
sys.path.insert(0, "/data/lib")
os.environ.pop("no_proxy"), os.environ.pop("NO_PROXY")
import requests
session = requests.Session()
for _ in range(3): print(session.get("https://localhost:{tls}/a", verify="ca.pem").text.split()[1])
print(session.post("http://127.0.0.1:{plain}/b", data=b"x" * 300_000).text.split()[1])
print(session.get("http://127.0.0.1:{plain}/c").text.split()[1])
try: session.get("https://example.org/")
except requests.exceptions.ProxyError as error: print("403" in str(error))
"""


@pytest.fixture(autouse=True, scope="module")
def _sandbox_works() -> None:
    require(NamespaceBackend())


async def test_requests_reaches_what_is_allowed() -> None:
    async with web_server(tls=True) as secure, web_server() as plain:
        rules = [NetworkRule(host="localhost", ports=(secure.port,), private=True), f"127.0.0.1:{plain.port}"]
        mounts = [SandboxMount(source=library, target=f"/data/lib/{library.name}") for library in LIBRARIES]
        policy = SandboxPolicy(network=NetworkPolicy(allow=rules))
        sandbox = await NamespaceBackend(base_python()).create(policy, mounts=mounts)
        await sandbox.put("ca.pem", CERTIFICATE.encode())
        result = await sandbox.run(FETCH.format(tls=secure.port, plain=plain.port), "python")
        await sandbox.close()
    assert (result.stdout, result.stderr) == ("/a\n/a\n/a\n/b\n/c\nTrue\n", "")
    assert plain.bodies == [b"x" * 300_000, b""]
    assert [attempt.outcome for attempt in result.connections][-1] == "refused"
