"""The simulated fleet, without any vendor's words: devices as agents over a SQLite file."""

from .clock import Clock, VirtualClock
from .world import World

__all__ = ["Clock", "VirtualClock", "World"]
