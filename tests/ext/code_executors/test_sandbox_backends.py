"""The contract of sandboxes and the attacks, run for real in every backend."""

from tests.contracts.sandbox_attacks import SandboxAttacks
from tests.contracts.sandbox_contract import SandboxContract
from tests.contracts.sandbox_interpreter import ImportedAheadContract, InterpreterContract
from tests.contracts.sandbox_network import NetworkContract
from tests.contracts.sandbox_state import StatefulContract, StatefulWithLibrariesContract

from symposia.core.code_executor import SandboxBackend
from symposia.ext.code_executors._sandbox import base_python
from symposia.ext.code_executors.bubblewrap import BubblewrapBackend
from symposia.ext.code_executors.docker import DockerBackend
from symposia.ext.code_executors.namespaces import NamespaceBackend


class TestNamespaces(SandboxContract, InterpreterContract, NetworkContract, SandboxAttacks):
    def backend(self) -> SandboxBackend:
        return NamespaceBackend(base_python())


class TestBubblewrap(SandboxContract, InterpreterContract, NetworkContract, SandboxAttacks):
    def backend(self) -> SandboxBackend:
        return BubblewrapBackend(base_python())


class TestDocker(SandboxContract, InterpreterContract, NetworkContract, SandboxAttacks):
    def backend(self) -> SandboxBackend:
        return DockerBackend()


class TestNamespacesWithLibraries(ImportedAheadContract):
    def backend(self) -> SandboxBackend:
        return NamespaceBackend()


class TestBubblewrapWithLibraries(ImportedAheadContract):
    def backend(self) -> SandboxBackend:
        return BubblewrapBackend()


class TestDockerWithLibraries(ImportedAheadContract):
    def backend(self) -> SandboxBackend:
        return DockerBackend()


class TestStatefulNamespaces(StatefulContract):
    def backend(self) -> SandboxBackend:
        return NamespaceBackend(base_python())


class TestStatefulNamespacesWithLibraries(StatefulWithLibrariesContract):
    def backend(self) -> SandboxBackend:
        return NamespaceBackend()


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
