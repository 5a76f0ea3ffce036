"""What a person can do on the Both screen: each action names the system it acts on, and stays in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from mdm_tui.fleet.provider import Capability
from mdm_tui.tui import safe
from mdm_tui.tui.screens import both_text
from mdm_tui.tui.screens.devices_view import target_ids
from mdm_tui.tui.screens.dialogs import answer

if TYPE_CHECKING:
    from mdm_tui.services.session import Session
    from mdm_tui.services.twins import Twins
    from mdm_tui.store.mirror import TwinRow
    from mdm_tui.tui.screens.both import BothAsked
    from mdm_tui.tui.screens.both_source import BothSource
    from mdm_tui.tui.screens.settled_screen import SettledScreen as _Base
else:
    _Base = object

__all__ = ["BothActions"]

_BLOCK = 500  # rows read at once for an export


def _counted(has: int, asked: int) -> str:
    left = f", {asked - has:,} not in it: left out" if has < asked else ""
    return f"{has:,} of {asked:,}{left}"


class BothActions(_Base):
    """Mixed into `BothScreen`, which has the state."""

    if TYPE_CHECKING:
        source: BothSource
        asked: BothAsked
        twins: Twins

        def systems(self) -> both_text.Systems: ...
        def session_of(self, scope: str) -> Session | None: ...

    # --- opening and acting: always in one system ---

    def open_key(self, key: str) -> None:
        """Open the device on its system's Device screen; of several the person says which."""
        row = self.source.twin(key)
        if row is not None:
            self.app.spawn(self._open(row), "open")

    async def _open(self, row: TwinRow) -> None:
        sessions = {side.connection: self.session_of(side.connection) for side in row.sides}
        title = f"Open {row.value('name') or 'the device'} in which system?"
        session = await self._which(title, [one for one in sessions.values() if one is not None])
        if session is None:
            return
        device_id = next(side.row.id for side in row.sides if side.connection == session.scope)
        self.app.open_device(device_id, session)

    async def _which(
        self, title: str, sessions: list[Session], notes: dict[str, str] | None = None, off: Collection[str] = ()
    ) -> Session | None:
        """The session that the person means; the only one unasked. off: scopes shown but not to be chosen."""
        if len(sessions) < 2:
            return sessions[0] if sessions else None
        from mdm_tui.tui.screens.ask import Choose

        options = [
            (one.scope, f"in {one.connection.name} · {one.factory.title}", (notes or {}).get(one.scope, ""))
            for one in sessions
        ]
        chosen = await answer(self.app, Choose(title, options, none=notes is not None, off=off))
        return self.session_of(chosen) if chosen else None

    def action_act(self) -> None:
        # Frozen here: what is marked or moved meanwhile is not acted on.
        marks, cursor = list(self.grid.marks), self.grid.cursor_id
        if marks and cursor is not None and cursor not in self.grid.marks:
            self.app.spawn(self._act_which(marks, cursor), "act")
        elif keys := target_ids(marks, cursor):
            self.app.spawn(self._act(keys), "act")

    async def _act_which(self, marks: list[str], cursor: str) -> None:
        from mdm_tui.tui.screens.ask import Choose

        marked = "the marked device" if len(marks) == 1 else f"the {len(marks):,} marked devices"
        options = [("marks", marked, ""), ("cursor", "only the one under the cursor", "")]
        title = "The cursor is not on a marked device: act on what?"
        key = await answer(self.app, Choose(title, options, none=True))
        if key:
            await self._act(marks if key == "marks" else [cursor])

    async def _act(self, keys: list[str]) -> None:
        """One system, then that session's own way to act, on that session's own ids."""
        ids: dict[str, list[str]] = {}
        for start in range(0, len(keys), _BLOCK):
            for row in await self.source.twins_read(keys[start : start + _BLOCK]):
                for side in row.sides:
                    ids.setdefault(side.connection, []).append(side.row.id)
        there = [one for scope in self.systems() if scope in ids and (one := self.session_of(scope)) is not None]
        unable = {one.scope for one in there if not one.can(Capability.COMMANDS)}
        if len(unable) == len(there):
            where = ", ".join(system.title for scope, system in self.systems().items() if scope in ids)
            self.tell(f"{where or 'No open system'} takes no commands through its API.", "warning")
            return
        notes = {one.scope: _counted(len(ids[one.scope]), len(keys)) for one in there}
        notes |= dict.fromkeys(unable, "takes no commands through its API")
        title = "Act in which system? A run never crosses connections."
        # One that misses some of them is asked for too: who is left out is said before anything else.
        session = await self._which(title, there, notes, unable)
        if session is None:
            return
        from mdm_tui.tui.screens.act import open_act

        open_act(self, session, ids[session.scope])

    # --- order and members ---

    def sortable(self) -> Mapping[str, str]:
        return both_text.SORTABLE

    def columns_sorted(self) -> None:
        self.grid.set_columns(both_text.columns([name for name, _down in self.asked.sort]))
        self.grid.sort = self.asked.sort

    def action_differ(self) -> None:
        """Only devices on which the systems disagree; again: all of them."""
        if self.asked.differs or self.asked.kinds or self.asked.only_in:
            self.asked.differs, self.asked.kinds, self.asked.only_in = False, (), ""
        else:
            self.asked.differs = True
        self.ask_again(top=True)

    def action_which(self) -> None:
        self.app.spawn(self._which_differ(), "disagreements")

    async def _which_differ(self) -> None:
        from mdm_tui.store.threads import Interrupted
        from mdm_tui.tui.screens.ask import Choose

        try:
            counts = await self.twins.counts(self.twins.view())
        except Interrupted:
            return
        options = [("all", "All devices", f"{counts.total:,}"), ("any", "Any disagreement", f"{counts.differs:,}")]
        options += [(f"kind {kind}", f"Differ in {words}" if kind != "only" else "Only in one of them",
                     f"{counts.by.get(kind, 0):,}") for kind, words in both_text.DISAGREEMENTS.items()]  # fmt: skip
        options += [(f"in {scope}", f"Only in {system.full}", f"{counts.only.get(scope, 0):,}")
                    for scope, system in self.systems().items()]  # fmt: skip
        chosen = await answer(self.app, Choose("Which devices?", options))
        if chosen is None:
            return
        what, _space, rest = chosen.partition(" ")
        self.asked.differs = what == "any"
        self.asked.kinds = (rest,) if what == "kind" else ()
        self.asked.only_in = rest if what == "in" else ""
        self.ask_again(top=True)

    def action_refresh_now(self) -> None:
        for session in self.twins.sessions:
            session.sync.poke()
        self.app.spawn(self.twins.learn(again=True), "segments")
        self.ask_again()

    async def find_wrong(self) -> list[str]:
        return await self.twins.ids(self.twins.view(differs_only=True))

    # --- out of here ---

    async def tickets(self, ids: list[str]) -> list[str]:
        now, systems = self.app.now(), self.systems()
        return [both_text.ticket(row, systems, now) for row in await self.source.twins_read(ids)]

    def action_export(self) -> None:
        from mdm_tui.tui.screens import devices_export

        count = len(self.grid.marks) or self.source.count()
        what = "marked devices" if self.grid.marks else "devices"
        names = ", ".join(system.name for system in self.systems().values())
        devices_export.ask(self, count, what, self._export, f" of {names}")

    async def _export(self, kind: str) -> None:
        from mdm_tui.tui.screens import devices_export

        systems = self.systems()
        keys = list(self.grid.marks) or list(self.source.ids)
        found: list[dict[str, str]] = []
        for start in range(0, len(keys), _BLOCK):
            rows = await self.source.twins_read(keys[start : start + _BLOCK])
            found.extend(both_text.flat(row, systems) for row in rows)
        head = list(found[0]) if found else ["name", "serial"]
        await devices_export.export(self, kind, "devices", head, found, "devices-both")

    async def arm(self) -> None:
        """Arm or lock one of the production connections."""
        from mdm_tui.tui.screens.arm import arm

        production = [one for one in self.twins.sessions if one.connection.production]
        if not production:
            safe.toast(self.app, "", "Nothing to arm: no open connection is a production connection.")
            return
        session = await self._which("Arm or lock which connection?", production)
        if session is not None:
            await arm(self.app, session)
