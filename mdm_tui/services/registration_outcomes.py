"""What became of a registration, row by row, as the journal and the service say it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mdm_tui.fleet.commands import State
from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.registration import Place

from .context import EVERY, Context
from .registration_plan import AGAIN, NAMES

if TYPE_CHECKING:
    from mdm_tui.store.journal import Intent

__all__ = ["Outcome", "Outcomes"]

# So many devices are read one by one after a run, to see their licenses.
_READ_BACK = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row. at: of its last change, epoch seconds. terms: the license as it was asked for.

    device_id: "" while this console has not read the device. license: as the service says it, "" while it does not.
    """

    run_id: str
    intent_id: str
    serial: str
    name: str
    state: State
    sentence: str
    at: float
    again: bool
    terms: str
    device_id: str = ""
    license: str = ""


class Outcomes:
    """Reads the journal, and the service for what only it knows."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._found: dict[str, tuple[str, str]] = {}
        self._places: dict[str, Place] = {}

    async def rows(self, run_id: str = "") -> list[Outcome]:
        """What became of the rows of a run, in their order; of the newest run when none is named."""
        if self._context.journal is None:
            return []
        held = await self._context.journal.intents(self._context.scope, limit=EVERY, names=NAMES)
        wanted = run_id or (held[0].run_id if held else "")
        return [self._outcome(intent) for intent in reversed(held) if intent.run_id == wanted]

    def _outcome(self, intent: Intent) -> Outcome:
        device_id, license_name = self._found.get(intent.id, ("", ""))
        return Outcome(
            intent.run_id,
            intent.id,
            intent.device_id,
            intent.device_name,
            intent.state,
            _sentence(intent, bool(device_id), license_name, self._places.get(intent.id, Place()).text),
            intent.updated_at,
            intent.name == AGAIN,
            intent.args_redacted,
            device_id,
            license_name,
        )

    async def read_back(self, intents: Sequence[Intent]) -> None:
        """Bring the new devices into the mirror; see the licenses of a few of them, and whether they are where the
        connection is."""
        context = self._context
        done = [row for row in await self.rows(intents[0].run_id) if row.state is State.DONE]
        if not done:
            return
        try:
            at = context.clock.now()
            size = context.connection.page_size
            page = await context.call(lambda provider: provider.devices(1, size, newest_first=True))
            context.announce(await context.mirror.apply(context.scope, page.items, at=at, walk=None))
            for row in done[:_READ_BACK]:
                self._places[row.intent_id] = await context.call(
                    lambda provider, key=row.serial: provider.registered_at(key)
                )
                ids = await context.mirror.find(context.scope, row.serial)
                if len(ids) == 1:
                    at = context.clock.now()
                    device = await context.call(lambda provider, key=ids[0]: provider.device(key))
                    await context.keep_detail(device, at)
                    self._found[row.intent_id] = (ids[0], str(device.values.get("license") or ""))
        except FleetError as error:
            context.notice("warn", f"The registered devices could not be read back: {error.sentence()}")

    async def sum_up(self, intents: Sequence[Intent]) -> None:
        """Tell the end of a run in one sentence."""
        rows = await self.rows(intents[0].run_id)
        counts = Counter(row.state.value for row in rows)
        said = ", ".join(f"{count:,} {word}" for word, count in sorted(counts.items()))
        what = "Reset of" if rows[0].again else "Registration of"
        many = "1 device" if len(rows) == 1 else f"{len(rows):,} devices"
        wrong = [place.text for row in rows if (place := self._places.get(row.intent_id)) is not None and place.wrong]
        good = counts[State.DONE.value] == len(rows) and not wrong
        # All go to one place: what is told of the first that was read back holds for the rest.
        self._context.notice("good" if good else "warn", f"{what} {many}: {said}{f'; {wrong[0]}' if wrong else ''}")


def _sentence(intent: Intent, seen: bool, license_name: str, place: str) -> str:
    """What became of it, for a person."""
    again = intent.name == AGAIN
    if intent.state is State.DONE:
        said = "saved again, its status is reset" if again else "registered"
        if intent.error:
            said = f"{said}, although the service answered: {intent.error}"
        if place:
            said = f"{said}; {place}"
        if not seen:
            return said
        return f"{said}; license: {license_name}" if license_name else f"{said}; the service does not say its license"
    if intent.error and intent.state is not State.UNKNOWN:
        return intent.error
    return {
        State.PLANNED: "waiting for its turn",
        State.SENDING: "on the wire",
        State.ACCEPTED: "the service took it and is asked whether it has it",
        State.UNKNOWN: f"not known ({intent.error or 'no answer'}): it is not sent again, the service is asked for it",
    }.get(intent.state, intent.state.value)
