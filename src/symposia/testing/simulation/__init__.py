"""Deterministic simulation: the same seed runs the same program in the same order, and waiting costs no time."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.testing.simulation._faults import Fault as Fault
from symposia.testing.simulation._faults import FaultPlan as FaultPlan
from symposia.testing.simulation._faults import FaultyRuntime as FaultyRuntime
from symposia.testing.simulation._loop import SimulationLoop as SimulationLoop
from symposia.testing.simulation._run import current_seed as current_seed
from symposia.testing.simulation._run import explore as explore
from symposia.testing.simulation._run import simulate as simulate
from symposia.testing.simulation._run import simulated as simulated

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

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
