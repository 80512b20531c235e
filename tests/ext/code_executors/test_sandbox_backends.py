"""The contract of sandboxes and the attacks, run for real in every backend."""

from collections.abc import Sequence

from tests.contracts.sandbox_attacks import SandboxAttacks
from tests.contracts.sandbox_contract import SandboxContract
from tests.contracts.sandbox_interpreter import ImportedAheadContract, InterpreterContract
from tests.contracts.sandbox_network import NetworkContract
from tests.contracts.sandbox_state import StatefulContract, StatefulWithLibrariesContract

from symposia.core.code_executor import Sandbox, SandboxBackend, SandboxMount, SandboxPolicy
from symposia.ext.code_executors._sandbox import base_python
from symposia.ext.code_executors.bubblewrap import BubblewrapBackend
from symposia.ext.code_executors.docker import DockerBackend
from symposia.ext.code_executors.namespaces import NamespaceBackend


class ForkingBackend(NamespaceBackend):
    """Forks each sandbox from the first on, but for those with mounts, or without room for imports."""

    async def unavailable_reason(self) -> str | None:
        return await NamespaceBackend(base_python(), fork=False).unavailable_reason()

    async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> Sandbox:
        await self.prepare_fork(policy)
        return await super().create(policy, mounts=mounts)


class TestNamespaces(SandboxAttacks):
    """Launched, as the first sandbox of a program. Its server and its mounts are tested with forked ones."""

    def backend(self) -> SandboxBackend:
        return NamespaceBackend(base_python(), fork=False)


class TestForkedNamespaces(SandboxContract, InterpreterContract, NetworkContract, SandboxAttacks):
    def backend(self) -> SandboxBackend:
        return ForkingBackend(base_python())


class TestBubblewrap(SandboxContract, InterpreterContract, NetworkContract, SandboxAttacks):
    def backend(self) -> SandboxBackend:
        return BubblewrapBackend(base_python())


class TestDocker(SandboxContract, InterpreterContract, NetworkContract, SandboxAttacks):
    def backend(self) -> SandboxBackend:
        return DockerBackend()


class TestForkedNamespacesWithLibraries(ImportedAheadContract):
    def backend(self) -> SandboxBackend:
        return ForkingBackend()


class TestBubblewrapWithLibraries(ImportedAheadContract):
    def backend(self) -> SandboxBackend:
        return BubblewrapBackend()


class TestDockerWithLibraries(ImportedAheadContract):
    def backend(self) -> SandboxBackend:
        return DockerBackend()


class TestStatefulForkedNamespaces(StatefulContract):
    def backend(self) -> SandboxBackend:
        return ForkingBackend(base_python())


class TestStatefulForkedNamespacesWithLibraries(StatefulWithLibrariesContract):
    def backend(self) -> SandboxBackend:
        return ForkingBackend()


class TestStatefulBubblewrap(StatefulContract):
    def backend(self) -> SandboxBackend:
        return BubblewrapBackend(base_python())


class TestStatefulBubblewrapWithLibraries(StatefulWithLibrariesContract):
    def backend(self) -> SandboxBackend:
        return BubblewrapBackend()


class TestStatefulDocker(StatefulContract):
    def backend(self) -> SandboxBackend:
        return DockerBackend()


class TestStatefulDockerWithLibraries(StatefulWithLibrariesContract):
    def backend(self) -> SandboxBackend:
        return DockerBackend()
