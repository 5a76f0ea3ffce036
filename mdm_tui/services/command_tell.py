"""What the person hears of commands on their way: a few one by one, a run of many in one sentence."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from mdm_tui.fleet.commands import COMMANDS, State

from .context import EVERY, Context

if TYPE_CHECKING:
    from mdm_tui.store.journal import Intent

__all__ = ["Teller"]

# A run of more devices is told in one sentence at its end.
_ONE_BY_ONE = 3


class Teller:
    """Makes notices of what happens to intents."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._many: set[str] = set()

    def begin(self, run_id: str, count: int) -> None:
        """A run of `count` devices is being sent."""
        if count > _ONE_BY_ONE:
            self._many.add(run_id)

    def tell(self, intent: Intent) -> None:
        """An intent changed: what went wrong is said at once, unless its run is told as a whole."""
        if intent.run_id in self._many:
            return
        title = _title(intent)
        if intent.state in (State.FAILED, State.REJECTED):
            why = f": {intent.error}" if intent.error else ""
            self._context.notice("bad", f"{title} on {intent.device_name} {intent.state.value}{why}")
        elif intent.state is State.UNKNOWN:
            self._context.notice("warn", f"{title} on {intent.device_name}: outcome unknown, reading it back")

    async def sum_up(self, run_id: str, intents: list[Intent]) -> None:
        """One sentence for a run of many, once all of it was sent."""
        if run_id not in self._many:
            return
        ids = {intent.id for intent in intents}
        journal = self._context.need_journal()
        held = [intent for intent in await journal.intents(self._context.scope, limit=EVERY) if intent.id in ids]
        counts = Counter("taken" if intent.state.waiting else intent.state.value for intent in held)
        said = ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))
        good = all(intent.state.waiting or intent.state is State.DONE for intent in held)
        self._context.notice("good" if good else "warn", f"{_title(intents[0])} for {len(intents)} devices: {said}")


def _title(intent: Intent) -> str:
    return COMMANDS[intent.name].title if intent.name in COMMANDS else intent.name
