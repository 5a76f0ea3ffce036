"""The Both screen: the devices of all open connections in one list, joined by serial number, with what differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import ComposeResult

from mdm_tui.services.twins import Twins
from mdm_tui.tui.actions import bindings
from mdm_tui.tui.screens import both_text
from mdm_tui.tui.screens.base import FleetScreen, List
from mdm_tui.tui.screens.both_actions import BothActions
from mdm_tui.tui.screens.both_source import BothSource
from mdm_tui.tui.screens.devices_view import Settling, Sort, count_parts
from mdm_tui.tui.widgets.filter_line import FilterLine
from mdm_tui.tui.widgets.header import HeaderState
from mdm_tui.tui.widgets.lines import Part, cut, part
from mdm_tui.tui.widgets.preview import Preview

if TYPE_CHECKING:
    from mdm_tui.services.session import Session
    from mdm_tui.store.mirror import TwinView

__all__ = ["BothAsked", "BothScreen"]

_PREVIEW_REST = 0.15


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


class BothScreen(BothActions, FleetScreen):
    """A grid on the joined mirror. News change cells in place at once; order and members settle by `Settling`."""

    GROUPS = ("both", "list")
    HINTS = ("grid.open", "grid.mark", "both.act", "filter.open", "both.differ", "both.only", "sort.by", "export")
    TAB = "both"
    LIVE = True
    OWN = False
    BINDINGS = bindings("both")
    DEFAULT_CSS: ClassVar[str] = """
    BothScreen Preview { height: auto; min-height: 2; max-height: 6; }
    """

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.asked = BothAsked()
        self.settling = Settling()
        self.twins = Twins(lambda: list(self.app.sessions.values()))
        self.source = BothSource(
            self.twins, self.systems, lambda: self.app.now(), self._spawn, self._rows_in, self._learn
        )
        self.grid = List(both_text.columns(("name",)), self.source, id="both", empty="Joining the lists…")
        self.grid.sort = self.asked.sort
        self.filter = FilterLine(id="filter")
        self.preview = Preview(id="preview")
        self._total: int | None = None
        self._segments: dict[str, dict[str, str]] = {}
        self._asking = 0
        self._last_tick = 0.0
        self._previewed: Any = None

    def body(self) -> ComposeResult:
        yield self.filter
        yield self.preview
        yield self.grid

    def on_mount(self) -> None:
        self.grid.focus()
        self.say_counts()
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

    def _spawn(self, work: Any, what: str) -> Any:
        return self.app.spawn(work, what)

    # --- asking the mirror ---

    def ask_again(self, *, top: bool = False) -> None:
        """Read order and members again now. top: put the cursor on the first row."""
        self.settling.late = False
        self.app.spawn(self._ask(top), "both")

    async def _ask(self, top: bool) -> None:
        from mdm_tui.fleet.devices import Segment
        from mdm_tui.store.threads import Interrupted

        self._asking += 1
        mine = self._asking
        view = self.asked.view(self.twins, list(self.grid.marks))
        try:
            keys = await self.twins.ids(view)
            if self._total is None or not self.asked.narrowed:
                self._total = (await self.twins.counts(self.twins.view())).total if self.asked.narrowed else len(keys)
        except Interrupted:
            # A newer question took its place.
            return
        for session in self.twins.sessions:
            held = await session.mirror.items(session.scope, Segment)
            self._segments[session.scope] = {str(segment.id): segment.name for segment in held}
        if mine != self._asking or self.gone:
            return
        self.source.put(keys)
        self.grid.order_changed()
        if top or self.app.last_key == float("-inf"):
            self.grid.move_cursor(0)
        self._say_empty()
        self.say_counts()
        self.show_preview()
        self.app.attend()
        self.app.tick_header()

    def _rows_in(self, keys: Any) -> None:
        self.grid.rows_changed(keys)
        if self.grid.cursor_id in keys:
            self.show_preview()
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
                    self._late()
            elif isinstance(event, ItemsChanged) and event.kind == "groups":
                self.source.outdated(None)

    def _late(self) -> None:
        if not self.source.count():
            self.ask_again()
        else:
            self.settling.late = True
            self.say_counts()

    def tick(self) -> None:
        now = self.app.now()
        self.settling.last_key = max(self.settling.last_key, self.app.last_key)
        if self.settling.due(now, len(self.grid.marks)):
            self.ask_again()
        if now - self._last_tick >= 10 or now < self._last_tick:
            self._last_tick = now
            self.grid.rows_changed(self._visible())

    def _visible(self) -> list[str]:
        first, last, _count = self.grid.position
        return [self.source.id_at(index) for index in range(max(first - 1, 0), min(last, self.source.count()))]

    def sight_of(self, session: Any) -> tuple[Sequence[str], str | None]:
        rows = [self.source.twin(key) for key in self._visible()]
        found = [side.row.id for row in rows if row for side in row.sides if side.connection == session.scope]
        return found, None

    # --- what the lines say ---

    def _say_empty(self) -> None:
        if not self.source.count():
            words = "No device is like that.\nesc shows all of them again."
            self.grid.empty = words if self.asked.narrowed else "None of the open connections knows a device yet."

    def say_counts(self) -> None:
        """The filter line: what is asked, how many match, how many are marked, where one is."""
        marks = self.grid.marks
        outside = sum(1 for key in marks if self.source.index_of(key) is None) if marks else 0
        names = {scope: system.name for scope, system in self.systems().items()} if self.is_mounted else {}
        self.filter.say(
            self.asked.parts(self.settling.frozen, names),
            count_parts(
                self.source.count(), self._total, self.asked.narrowed, len(marks), outside, self.grid.position,
                self.settling.late,
            ),
        )  # fmt: skip

    def show_preview(self) -> None:
        """What each system says of the device under the cursor."""
        if self.preview.has_class("-off"):
            return
        row = self.source.twin(self.grid.cursor_id)
        lines = [] if row is None else both_text.strip(row, self.systems(), self.app.now())
        self.preview.styles.height = max(2, len(self.systems()))
        self.preview.show([cut(line, self.preview.size.width) for line in lines])

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self.show_preview)

    # --- the grid's and the filter's messages ---

    def on_grid_cursor_moved(self, event: List.CursorMoved) -> None:
        event.stop()
        if self._previewed is not None:
            self._previewed.stop()
        self._previewed = self.set_timer(_PREVIEW_REST, self.show_preview)

    def on_grid_view_changed(self, event: List.ViewChanged) -> None:
        event.stop()
        self.say_counts()
        self.app.attend()

    def on_grid_marks_changed(self, event: List.MarksChanged) -> None:
        event.stop()
        self.say_counts()

    def on_grid_opened(self, event: List.Opened) -> None:
        event.stop()
        self.open_key(event.row_id)

    def on_grid_header_pressed(self, event: List.HeaderPressed) -> None:
        event.stop()
        if event.key in both_text.SORTABLE:
            self.sort_by(event.key)

    async def action_filter(self) -> None:
        await self.filter.open(self.asked.words)

    def take_text(self, text: str, *, apply: bool) -> None:
        """Text that came faster than fingers: a scanner or a paste is something to look for."""
        words = " ".join(text.split())
        self.filter_by(words)
        if not apply:
            self.app.spawn(self.filter.open(words), "filter")

    def filter_by(self, words: str) -> None:
        """Show the devices that have all of these words in any system."""
        if words != self.asked.words:
            self.asked.words = words
            self.ask_again(top=True)
            self.say_counts()

    def on_filter_line_changed(self, event: FilterLine.Changed) -> None:
        event.stop()
        self.filter_by(event.text)

    async def on_filter_line_closed(self, event: FilterLine.Closed) -> None:
        event.stop()
        self.filter_by(event.text.strip() if event.applied else "")
        await self.filter.close()
        self.grid.focus()

    def escape(self) -> bool:
        if self.grid.end_range():
            return True
        if self.asked.narrowed:
            self.asked.clear()
            self.ask_again()
            return True
        return False
