"""What every `AgentRuntime` promises. Subclass `RuntimeContract` and say how to make yours."""

from tests.contracts.runtime_cancellation import CancellationContract
from tests.contracts.runtime_circles import CirclesContract
from tests.contracts.runtime_delivery import DeliveryContract
from tests.contracts.runtime_entanglement import EntanglementContract
from tests.contracts.runtime_handlers import HandlerContract
from tests.contracts.runtime_lifecycle import LifecycleContract
from tests.contracts.runtime_real_time import RealTimeContract
from tests.contracts.runtime_settlement import SettlementContract
from tests.contracts.runtime_waiting import WaitingContract


class TimelessRuntimeContract(
    DeliveryContract,
    SettlementContract,
    CancellationContract,
    WaitingContract,
    CirclesContract,
    EntanglementContract,
    LifecycleContract,
    HandlerContract,
):
    """What holds in every order and at every speed: it is also simulated under many seeds."""


class RuntimeContract(TimelessRuntimeContract, RealTimeContract):
    """All of it. A subclass has a fixture `make_runtime`, which takes the options that are named in the tests."""
