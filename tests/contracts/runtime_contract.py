"""What every `AgentRuntime` promises. Subclass `RuntimeContract` and say how to make yours."""

from tests.contracts.runtime_cancellation import CancellationContract
from tests.contracts.runtime_circles import CirclesContract
from tests.contracts.runtime_delivery import DeliveryContract
from tests.contracts.runtime_embedded import Eviction, LoopGuard, OtherLoops, SharedContext
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
    """What every runtime promises. A subclass has a fixture `make_runtime`, which takes the options in the tests."""


class TimelessEmbeddedContract(TimelessRuntimeContract, SharedContext, Eviction):
    """What the embedded runtime promises in every order and at every speed."""


class EmbeddedRuntimeContract(TimelessEmbeddedContract, RuntimeContract, LoopGuard, OtherLoops):
    """All that the embedded runtime promises."""
