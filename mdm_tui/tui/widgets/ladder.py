"""A command's evidence as a ladder: what somebody said of it, and a dot where nobody said anything."""

from __future__ import annotations

from typing import Any

from mdm_tui.fleet.commands import State
from mdm_tui.tui.widgets.grid_model import Cell
from mdm_tui.tui.widgets.grid_text import glyphs

__all__ = ["RUNGS", "ladder", "state_cell", "state_glyph"]

# The rungs in order, as they are called on the screen.
RUNGS: dict[str, str] = {"sent": "sent", "pushed": "pushed", "delivered": "delivered", "received": "took it"}

_ROLES: dict[State, str] = {
    State.PLANNED: "muted",
    State.SENDING: "accent",
    State.DONE: "muted",
    State.CANCELLED: "muted",
    State.FAILED: "bad",
    State.REJECTED: "bad",
    State.EXPIRED: "warn",
    State.UNKNOWN: "warn",
    State.ABSENT: "warn",
    State.AMBIGUOUS: "warn",
}


def ladder(item: Any) -> str:
    """`✓ sent ✓ pushed · ·`: a rung somebody vouches for has a tick and its name, any other is a dot."""
    signs = glyphs()
    return " ".join(
        f"{signs.mark} {RUNGS[rung.name]}" if rung.known == "yes" else signs.pending for rung in item.evidence
    )


def state_cell(item: Any) -> Cell:
    """Our word, and the contract's beside it."""
    text = item.state.value
    if item.status:
        text += f" · {item.status}"
    return Cell(text, _ROLES.get(item.state, ""))


def state_glyph(item: Any) -> Cell:
    """One sign for the state: waiting, unclear, gone wrong, ended."""
    signs = glyphs()
    state: State = item.state
    if state in (State.UNKNOWN, State.AMBIGUOUS, State.ABSENT):
        return Cell(signs.unknown, "warn")
    if state in (State.FAILED, State.REJECTED, State.EXPIRED):
        return Cell(signs.fault, _ROLES[state])
    if state is State.DONE:
        return Cell(signs.mark, "good")
    if state is State.CANCELLED:
        return Cell(signs.disabled, "muted")
    if state in (State.PLANNED, State.SENDING):
        return Cell(signs.provisioning, "accent")
    return Cell(signs.active, "info")
