"""What the journal has sent already: no serial number is sent twice on the strength of one check."""

from __future__ import annotations

from mdm_tui.fleet.commands import State
from mdm_tui.fleet.text import normal_serial

from .context import EVERY, Context
from .registration_plan import NAMES, UNSETTLED

__all__ = ["sent"]

_OPEN = frozenset({State.SENDING, State.ACCEPTED, State.UNKNOWN})
# Of these the service knows, or may know.
_OVER = frozenset({State.DONE, State.AMBIGUOUS})


async def sent(context: Context) -> dict[str, float]:
    """Normal serial → when its last sending came to its end (epoch seconds), `UNSETTLED` while it has not.

    All consoles that share the journal count. What was refused, cancelled or proved absent is not in it.
    """
    if context.journal is None:
        return {}
    found: dict[str, float] = {}
    for intent in await context.journal.intents(context.scope, limit=EVERY, names=NAMES):
        if intent.state in _OPEN or intent.state in _OVER:
            key = normal_serial(intent.device_id)
            at = UNSETTLED if intent.state in _OPEN else intent.updated_at
            found[key] = max(found.get(key, 0.0), at)
    return found
