"""Deterministic simulation: the same seed runs the same program in the same order, and waiting costs no time."""

from symposia.core.simulation._fault_plan import Fault as Fault
from symposia.core.simulation._fault_plan import FaultPlan as FaultPlan
from symposia.core.simulation._faulty_runtime import FaultyRuntime as FaultyRuntime
from symposia.core.simulation._loop import SimulationLoop as SimulationLoop
from symposia.core.simulation._run import current_seed as current_seed
from symposia.core.simulation._run import explore as explore
from symposia.core.simulation._run import simulate as simulate
from symposia.core.simulation._run import simulated as simulated

__all__ = [
    "Fault",
    "FaultPlan",
    "FaultyRuntime",
    "SimulationLoop",
    "current_seed",
    "explore",
    "simulate",
    "simulated",
]
