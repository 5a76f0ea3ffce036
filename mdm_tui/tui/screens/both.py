"""The Both screen: the devices of all open connections in one list, joined by serial number, with what differs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from mdm_tui.services.twins import Twins
from mdm_tui.tui.actions import bindings
from mdm_tui.tui.screens import both_text
from mdm_tui.tui.screens.base import List
from mdm_tui.tui.screens.both_actions import BothActions
from mdm_tui.tui.screens.both_source import BothSource
from mdm_tui.tui.screens.devices_view import Sort
from mdm_tui.tui.screens.settled_screen import SettledScreen
from mdm_tui.tui.widgets.header import HeaderState
from mdm_tui.tui.widgets.lines import Line, Part, part

if TYPE_CHECKING:
    from mdm_tui.services.session import Session
    from mdm_tui.store.mirror import TwinView

__all__ = ["BothAsked", "BothScreen"]


@dataclass
class BothAsked:
    """What the list shows. differs: any disagreement; kinds: one of these; only_in: a connection that alone has it."""

    words: str = ""
    sort: Sort = (("name", False),)
    differs: bool = False
    kinds: tuple[str, ...] = ()
    only_in: str = ""
    marked_only: bool = False

    @property
    def narrowed(self) -> bool:
        """Whether it may leave devices out."""
        return bool(self.words.strip() or self.differs or self.kinds or self.only_in or self.marked_only)

    def clear(self) -> None:
        """Show all of them again."""
        self.words, self.differs, self.kinds, self.only_in, self.marked_only = "", False, (), "", False

    def view(self, twins: Twins, marks: Sequence[str]) -> TwinView:
        """The view of it."""
        view = twins.view(
            words=tuple(self.words.split()),
            sort=self.sort,
            differs_only=self.differs,
            only_in=self.only_in,
            only=tuple(marks) if self.marked_only else None,
        )
        return replace(view, differs_in=self.kinds)

    def parts(self, frozen: bool, names: dict[str, str]) -> list[Part]:
        """The left side of the filter line. names: of connections, by scope."""
        said: list[Part] = [part(" / ", "accent")]
        said.append(part(self.words.strip(), "text") if self.words.strip() else part("filter", "muted"))
        kinds = ", ".join(both_text.DISAGREEMENTS[kind] for kind in self.kinds)
        only = f"only in {names.get(self.only_in, self.only_in)}" if self.only_in else ""
        words = ("disagreements only" if self.differs else "", kinds, only, "only marked" if self.marked_only else "")
        said += [part(f"   {word}", "info") for word in (*words, "frozen" if frozen else "") if word]
        if self.sort != (("name", False),):
            by = [f"{both_text.SORTABLE[key].lower()}{' down' if down else ''}" for key, down in self.sort]
            said.append(part(f"   by {', then '.join(by)}", "muted"))
        return said


class BothScreen(BothActions, SettledScreen):
    """A grid on the joined mirror."""

    GROUPS = ("both", "list")
    HINTS = ("grid.open", "grid.mark", "both.act", "filter.open", "both.differ", "both.only", "sort.by", "export")
    TAB = "both"
    OWN = False
    BINDINGS = bindings("both")
    DEFAULT_CSS: ClassVar[str] = """
    BothScreen Preview { height: auto; min-height: 2; max-height: 6; }
    """

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.asked = BothAsked()
        self.twins = Twins(lambda: list(self.app.sessions.values()))
        self.source = BothSource(
            self.twins, self.systems, lambda: self.app.now(), self._spawn, self._rows_in, self._learn
        )
        self.grid = List(both_text.columns(("name",)), self.source, id="both")
        self.grid.sort = self.asked.sort
        self._segments: dict[str, dict[str, str]] = {}

    def on_mount(self) -> None:
        self._say_empty()
        self.grid.focus()
        self.say()
        self.connections_changed()

    def connections_changed(self) -> None:
        """Another connection is open, or one fewer."""
        self.set_class(any(one.connection.production for one in self.app.sessions.values()), "-production")
        self.app.spawn(self.twins.learn(), "segments")
        self.source.outdated(None)
        self.ask_again()

    def systems(self) -> both_text.Systems:
        """The open connections by scope."""
        return {
            session.scope: both_text.System(
                session.connection.name, session.factory.title, self._segments.get(session.scope, {})
            )
            for session in self.twins.sessions
        }

    def session_of(self, scope: str) -> Session | None:
        """The open session of a scope."""
        return next((session for session in self.twins.sessions if session.scope == scope), None)

    # --- asking the mirror ---

    async def find(self) -> tuple[list[str], int | None]:
        from mdm_tui.fleet.devices import Segment

        view, narrowed, total = self.asked.view(self.twins, list(self.grid.marks)), self.asked.narrowed, self._total
        keys = await self.twins.ids(view)
        if not narrowed:
            total = len(keys)
        elif total is None:
            total = (await self.twins.counts(self.twins.view())).total
        for session in self.twins.sessions:
            held = await session.mirror.items(session.scope, Segment)
            self._segments[session.scope] = {str(segment.id): segment.name for segment in held}
        return keys, total

    def _rows_in(self, ids: Collection[str]) -> None:
        super()._rows_in(ids)
        # Which devices a key stands for is known only now.
        self.app.attend()

    # --- news of all sessions ---

    def header_state(self) -> HeaderState:
        from mdm_tui.tui.header_state import both_state

        return both_state(self.app, self._total)

    def concerns(self, session: Any) -> bool:
        return True

    def news(self, events: Sequence[object]) -> None:
        from mdm_tui.services.events import DevicesChanged, ItemsChanged

        for event in events:
            if isinstance(event, DevicesChanged):
                # Which row a device is in is the mirror's to say: what is in sight is read again, cells that differ
                # are painted.
                self.source.outdated(None)
                if event.ids is None or event.moved:
                    self._moved()
            elif isinstance(event, ItemsChanged) and event.kind == "groups":
                self.source.outdated(None)

    def sight_of(self, session: Any) -> tuple[Sequence[str], str | None]:
        rows = [self.source.twin(key) for key in self.in_view()]
        found = [side.row.id for row in rows if row for side in row.sides if side.connection == session.scope]
        return found, None

    # --- what the lines say ---

    def why_empty(self) -> str:
        if self._total is None:
            return "Joining the lists…"
        words = "No device is like that.\nesc shows all of them again."
        return words if self.asked.narrowed else "None of the open connections knows a device yet."

    def parts(self) -> list[Part]:
        names = {scope: system.name for scope, system in self.systems().items()} if self.is_mounted else {}
        return self.asked.parts(self.settling.frozen, names)

    def preview_lines(self) -> Sequence[Line]:
        self.preview.styles.height = max(2, len(self.systems()))
        row = self.source.twin(self.grid.cursor_id)
        return [] if row is None else both_text.strip(row, self.systems(), self.app.now())

    def on_grid_opened(self, event: List.Opened) -> None:
        event.stop()
        self.open_key(event.row_id)
