"""Rolling out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .rollouts import RolloutRecord
    from .world import World


class RolloutAgents:
    """Rollouts."""

    def __init__(self, world: World) -> None:
        self._world = world

    def start(self) -> None:
        """Begin."""

    def planned(self, rollout: RolloutRecord) -> None:
        """Saved."""

    def look_again(self) -> None:
        """Scope."""

    def step(self, subject: Any) -> None:
        """Next."""
